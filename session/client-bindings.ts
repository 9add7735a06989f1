/**
 * What TEP-C has bound or wants bound: UE address ↔ public address, found by either one (tep-wire 5).
 * A binding is one endpoint, or a pair of neighbouring ports (RTP with RTCP); each endpoint is a slot.
 *
 * Memory: `maxBindings` bindings of at most two slots, and two endpoint tables for them; about 500
 * octets a slot, and at most one held STUN request (1,500 octets) each.
 */
import type { MediaKind } from '../sdp/media.ts';
import type { Endpoint } from '../wire/address.ts';
import type { StunMessage } from '../wire/stun/message.ts';
import { EndpointTable } from './endpoint-table.ts';
import { MediaFlow } from './media/media-flow.ts';
import type { FlowProtocol } from './outputs.ts';
import type { RandomSource } from './tunnel-end.ts';

/** A number from the beginning (keepalive.ts). */
const NEVER = Number.NEGATIVE_INFINITY;

/** `asked` for by `bind` · `flow` its first packet · `stun` the application's own STUN. */
export type BindingOrigin = 'asked' | 'flow' | 'stun';

export class ClientBinding {
  readonly protocol: FlowProtocol;
  /** The port to ask for: wished at first, later the one that was granted last; 0 any. */
  port: number;
  /** One or two. */
  readonly slots: readonly [ClientSlot, ...ClientSlot[]];
  origin: BindingOrigin;
  /** It ends when it is not used for so long; Infinity where somebody asked for it. */
  idleMs: number;
  /** Whether the request for it is under way on a connection. */
  isAsked = false;
  /** Id of that request, kept over connections: the same request gets the same answer. */
  transactionId: Uint8Array | undefined;
  /** What it was told to have last. */
  told: Endpoint | undefined;
  /** The host has lost the address of the UE; the application may go on from another one. */
  isOrphan = false;
  usedMs = NEVER;
  /** When the application sent last from it, be there a tunnel or not. */
  sentMs = NEVER;

  constructor(
    ue: Endpoint,
    wish: { protocol: FlowProtocol; port: number; pair: boolean },
    made: { readonly origin: BindingOrigin; readonly idleMs: number },
    now: number,
  ) {
    this.protocol = wish.protocol;
    this.port = wish.port;
    this.origin = made.origin;
    this.idleMs = made.idleMs;
    this.usedMs = now;
    this.sentMs = now;
    const first = new ClientSlot(this, ue);
    const odd = () => new ClientSlot(this, { ...ue, port: ue.port + 1 });
    this.slots = wish.pair ? [first, odd()] : [first];
  }

  get first(): ClientSlot {
    const [first] = this.slots;
    return first;
  }

  /** What its RTP is; undefined: not known. */
  carry(kind: MediaKind | undefined): void {
    for (const { media } of this.slots) media.carry(kind);
  }

  get isAutomatic(): boolean {
    return this.origin !== 'asked';
  }

  get isPair(): boolean {
    return this.slots.length === 2;
  }
}

/** A STUN request of the application that waits for its binding (tep-wire 5). */
export interface HeldRequest {
  readonly request: StunMessage;
  /** Where it was sent to: the answer comes from there. */
  readonly server: Endpoint;
}

export class ClientSlot {
  readonly binding: ClientBinding;
  ue: Endpoint;
  /** Undefined until it is granted. */
  address: Endpoint | undefined;
  number = -1;
  held: HeldRequest | undefined;
  /** What the application sends from it. */
  readonly media = new MediaFlow();

  constructor(binding: ClientBinding, ue: Endpoint) {
    this.binding = binding;
    this.ue = ue;
  }
}

export class ClientBindings {
  readonly #max: number;
  readonly #all = new Set<ClientBinding>();
  /** By number; the numbers are the values of both tables. */
  readonly #slots: (ClientSlot | undefined)[] = [];
  readonly #byUe: EndpointTable;
  readonly #byPublic: EndpointTable;

  constructor(max: number, random: RandomSource) {
    this.#max = max;
    this.#byUe = new EndpointTable({ seed: random(8), maxEntries: 2 * max });
    this.#byPublic = new EndpointTable({ seed: random(8), maxEntries: 2 * max });
  }

  get size(): number {
    return this.#all.size;
  }

  all(): Iterable<ClientBinding> {
    return this.#all;
  }

  has(binding: ClientBinding): boolean {
    return this.#all.has(binding);
  }

  /** False when there are too many or an address of it is taken. */
  add(binding: ClientBinding): boolean {
    if (this.#all.size >= this.#max) return false;
    if (binding.slots.some((slot) => this.of(slot.ue, binding.protocol))) return false;
    this.#all.add(binding);
    for (const slot of binding.slots) {
      slot.number = this.#freeNumber();
      this.#slots[slot.number] = slot;
      set(this.#byUe, slot.ue, binding.protocol, slot.number);
    }
    return true;
  }

  remove(binding: ClientBinding): void {
    if (!this.#all.delete(binding)) return;
    for (const slot of binding.slots) {
      this.#forgetPublic(slot);
      remove(this.#byUe, slot.ue, binding.protocol);
      this.#slots[slot.number] = undefined;
    }
  }

  /** The UE has another address now, and the ports that it had. False when one of them is taken. */
  move(binding: ClientBinding, address: Uint8Array): boolean {
    const moved = binding.slots.map(({ ue }) => ({ ...ue, address }));
    if (moved.some((ue) => this.of(ue, binding.protocol))) return false;
    binding.slots.forEach((slot, i) => {
      remove(this.#byUe, slot.ue, binding.protocol);
      slot.ue = moved[i] ?? slot.ue;
      set(this.#byUe, slot.ue, binding.protocol, slot.number);
    });
    return true;
  }

  /** The public address of the first slot; the odd one of a pair is its neighbour. */
  grant(binding: ClientBinding, address: Endpoint): void {
    binding.port = address.port;
    binding.slots.forEach((slot, i) => {
      this.#forgetPublic(slot);
      slot.address = i === 0 ? address : { ...address, port: address.port + i };
      set(this.#byPublic, slot.address, binding.protocol, slot.number);
    });
  }

  /** Whether another binding has the public address that this one was answered with. */
  isOthers(binding: ClientBinding, address: Endpoint): boolean {
    return binding.slots.some((_, i) => {
      const port = address.port + i;
      const at = this.byPublic(address.address, 0, address.address.length, port, binding.protocol);
      return at !== undefined && at.binding !== binding;
    });
  }

  /** The public addresses are gone; they are to be asked for again. */
  revoke(binding: ClientBinding): void {
    for (const slot of binding.slots) this.#forgetPublic(slot);
    binding.isAsked = false;
    binding.transactionId = undefined;
  }

  of(ue: Endpoint, protocol: number): ClientSlot | undefined {
    return this.byUe(ue.address, 0, ue.address.length, ue.port, protocol);
  }

  byUe(
    b: Uint8Array,
    at: number,
    length: number,
    port: number,
    protocol: number,
  ): ClientSlot | undefined {
    const number = this.#byUe.find(b, at, length, port, protocol);
    return number < 0 ? undefined : this.#slots[number];
  }

  byPublic(
    b: Uint8Array,
    at: number,
    length: number,
    port: number,
    protocol: number,
  ): ClientSlot | undefined {
    const number = this.#byPublic.find(b, at, length, port, protocol);
    return number < 0 ? undefined : this.#slots[number];
  }

  #freeNumber(): number {
    const free = this.#slots.indexOf(undefined);
    return free < 0 ? this.#slots.length : free;
  }

  #forgetPublic(slot: ClientSlot): void {
    if (slot.address !== undefined) remove(this.#byPublic, slot.address, slot.binding.protocol);
    slot.address = undefined;
  }
}

function set(table: EndpointTable, at: Endpoint, protocol: number, value: number): void {
  table.set(at.address, 0, at.address.length, at.port, protocol, value);
}

function remove(table: EndpointTable, at: Endpoint, protocol: number): void {
  table.delete(at.address, 0, at.address.length, at.port, protocol);
}
