/**
 * Bindings that nobody asked for in words: an application runs STUN itself, or sends the first packet
 * of a flow to a media address (tep-wire 5; standards M-03, M-05). They end when they are not used.
 *
 * A flow of UDP gets a pair: an application that has RTP on a port has RTCP on its neighbour (RFC 3550
 * 11), and the core expects them side by side. The port of the application is the wish: where no NAT is
 * in between, its own description of its address then stays true.
 */
import type { Endpoint } from '../wire/address.ts';
import { octetsOf } from '../wire/bytes.ts';
import { isHost, reach } from '../wire/disguise.ts';
import type { PacketView } from '../wire/packet.ts';
import { prefixContains } from '../wire/prefix.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';
import { ClientBinding, type ClientBindings, type ClientSlot } from './client-bindings.ts';
import type { RememberedBinding } from './client-memory.ts';
import type { AddressChange } from './ends.ts';
import type { FlowProtocol } from './outputs.ts';
import type { PolicyRule } from './policy.ts';
import { Refusals } from './refusals.ts';
import type { RandomSource } from './tunnel-end.ts';

/** Of one that an application's own STUN made. */
const STUN_IDLE_MS = 120_000;
/** Of one that a first packet made. */
const FLOW_IDLE_MS = 60_000;
/** A TCP connection may be silent for 2 h 4 min (RFC 5382 REQ-5). */
const TCP_IDLE_MS = 7_440_000;

const NEVER = Number.POSITIVE_INFINITY;

export interface FirstPacketOptions {
  /** The media addresses: a packet to one of them gets its sender a binding. */
  readonly to: readonly PolicyRule[];
  /** How long such a binding may be idle; for TCP from its end on. Default 60,000. */
  readonly idleMs?: number;
}

export interface AutomaticBindingsParts {
  readonly bindings: ClientBindings;
  readonly random: RandomSource;
  /** False when there can be none. */
  want(binding: ClientBinding, now: number): boolean;
  drop(binding: ClientBinding, now: number): void;
  /** Its UE has another address. */
  moved(binding: ClientBinding): void;
}

export class AutomaticBindings {
  /** When to look for those that nobody uses; Infinity while there are none. */
  sweepAtMs = NEVER;
  /** Undefined: no first packet makes a binding. */
  firstPacket: FirstPacketOptions | undefined;
  readonly #parts: AutomaticBindingsParts;
  readonly #refusals: Refusals;
  /** Room for the IPv4 address behind a disguise, which does not matter here. */
  readonly #hidden = new Uint8Array(4);

  constructor(parts: AutomaticBindingsParts) {
    this.#parts = parts;
    this.#refusals = new Refusals(parts.random);
  }

  /** For an application that runs STUN itself; undefined when there is no binding to be had. */
  forStun(b: Uint8Array, view: PacketView, now: number): ClientSlot | undefined {
    const { sourceAt: at, addressLength: length, sourcePort: port } = view;
    const known = this.#parts.bindings.byUe(b, at, length, port, udp.PROTOCOL);
    if (known !== undefined || !this.#isSomebody(b, view)) return known;
    const adopted = this.#adopted(b, view);
    if (adopted !== undefined || this.isRefused(view, now)) return adopted;
    const ue: Endpoint = { family: view.version, address: octetsOf(b, at, at + length), port };
    const wish = { protocol: udp.PROTOCOL, port: 0, pair: false } as const;
    const made = { origin: 'stun', idleMs: STUN_IDLE_MS } as const;
    return this.#want(new ClientBinding(ue, wish, made, now), now)?.first;
  }

  /** For the sender of a packet that has no binding, if it is the first one of a media flow. */
  forFlow(b: Uint8Array, view: PacketView, now: number): ClientSlot | undefined {
    if (!this.#opensFlow(b, view) || !this.#isSomebody(b, view)) return undefined;
    const adopted = this.#adopted(b, view);
    if (adopted !== undefined || this.isRefused(view, now)) return adopted;
    const { sourceAt: at, addressLength: length, sourcePort } = view;
    const protocol: FlowProtocol = view.protocol === tcp.PROTOCOL ? tcp.PROTOCOL : udp.PROTOCOL;
    const pair = protocol === udp.PROTOCOL && this.#hasFreeNeighbour(b, view);
    const port = pair ? sourcePort & ~1 : sourcePort;
    const ue: Endpoint = { family: view.version, address: octetsOf(b, at, at + length), port };
    const made = { origin: 'flow', idleMs: this.#idleMs(protocol) } as const;
    const binding = this.#want(new ClientBinding(ue, { protocol, port, pair }, made, now), now);
    return binding?.slots[sourcePort - port];
  }

  /** One that a predecessor had: it is asked for by the port that it has. */
  restore({ ue, protocol, port, pair }: RememberedBinding, now: number): void {
    const made = { origin: 'flow', idleMs: this.#idleMs(protocol) } as const;
    this.#want(new ClientBinding(ue, { protocol, port, pair }, made, now), now);
  }

  /** Addresses of this host went or came. What has no application any more may find it again. */
  addressesChanged(change: AddressChange, now: number): void {
    const all = [...this.#parts.bindings.all()];
    for (const binding of all) {
      const { address } = binding.first.ue;
      if (change.isNew(address)) binding.isOrphan = false;
      else if (binding.isAutomatic && change.isGone(address)) binding.isOrphan = true;
    }
    const fresh = all.filter((binding) => change.isNew(binding.first.ue.address));
    const orphans = all.filter((binding) => binding.isOrphan && binding.protocol === udp.PROTOCOL);
    for (const orphan of orphans) this.#takeBack(orphan, fresh, now);
  }

  /** The application may have been faster than the news: it has a new binding, and wants the old one. */
  #takeBack(orphan: ClientBinding, fresh: readonly ClientBinding[], now: number): void {
    const { bindings, drop } = this.#parts;
    const hasty = fresh.find((other) => bindings.has(other) && isHeir(other, orphan));
    if (hasty === undefined) return;
    drop(hasty, now);
    this.#move(orphan, hasty.first.ue.address);
  }

  /** A TCP segment passed: the end of its connection, or the beginning of the next one. */
  segment(binding: ClientBinding, flags: number, now: number): void {
    if (!binding.isAutomatic) return;
    const { FIN, RST, SYN } = tcp.FLAGS;
    if ((flags & SYN) !== 0) binding.idleMs = TCP_IDLE_MS;
    if ((flags & (FIN | RST)) === 0) return;
    binding.idleMs = this.#idleMs(udp.PROTOCOL);
    this.#sweepBy(now + binding.idleMs);
  }

  /** Whether a flow like this one was refused lately. */
  isRefused(view: PacketView, now: number): boolean {
    return this.#refusals.isPaused(view.version, view.protocol, now);
  }

  granted({ first, protocol }: ClientBinding): void {
    this.#refusals.granted(first.ue.family, protocol);
  }

  refused({ first, protocol }: ClientBinding, now: number): void {
    this.#refusals.note(first.ue.family, protocol, now);
  }

  /** What was refused may be there now. */
  retry(): void {
    this.#refusals.clear();
  }

  /** Ends those that nobody uses. */
  sweep(now: number): void {
    this.sweepAtMs = NEVER;
    for (const binding of this.#parts.bindings.all()) {
      if (!binding.isAutomatic) continue;
      const endsMs = binding.usedMs + binding.idleMs;
      if (endsMs <= now) this.#parts.drop(binding, now);
      else this.#sweepBy(endsMs);
    }
  }

  #want(binding: ClientBinding, now: number): ClientBinding | undefined {
    this.#sweepBy(now + binding.idleMs);
    return this.#parts.want(binding, now) ? binding : undefined;
  }

  /** A host that just loses its address sends from 0.0.0.0: nobody could be answered there. */
  #isSomebody(b: Uint8Array, view: PacketView): boolean {
    if (view.sourcePort === 0) return false;
    return isHost(reach(b, view.sourceAt, view.addressLength, this.#hidden));
  }

  /**
   * The host had another address, and the application goes on from the same port: so does its binding,
   * and nobody else notices (G-13). A TCP connection would not survive that.
   */
  #adopted(b: Uint8Array, view: PacketView): ClientSlot | undefined {
    if (view.protocol !== udp.PROTOCOL) return undefined;
    for (const binding of this.#parts.bindings.all()) {
      if (!binding.isOrphan || binding.first.ue.family !== view.version) continue;
      const slot = binding.slots.find(({ ue }) => ue.port === view.sourcePort);
      const address = octetsOf(b, view.sourceAt, view.sourceAt + view.addressLength);
      if (slot !== undefined && this.#move(binding, address)) return slot;
    }
    return undefined;
  }

  #move(orphan: ClientBinding, address: Uint8Array): boolean {
    if (!this.#parts.bindings.move(orphan, address)) return false;
    orphan.isOrphan = false;
    this.#parts.moved(orphan);
    return true;
  }

  /** A TCP connection that is under way already has another public address, or none. */
  #opensFlow(b: Uint8Array, view: PacketView): boolean {
    const { firstPacket } = this;
    if (firstPacket === undefined) return false;
    const { ACK, SYN } = tcp.FLAGS;
    const isTcp = view.protocol === tcp.PROTOCOL;
    if (isTcp && (tcp.flags(b, view.transport) & (SYN | ACK)) !== SYN) return false;
    return firstPacket.to.some((rule) => isFor(rule, b, view));
  }

  /** Whether the other port of an even and odd pair is there to be bound with it. */
  #hasFreeNeighbour(b: Uint8Array, view: PacketView): boolean {
    const { sourceAt, addressLength, sourcePort } = view;
    const neighbour = sourcePort ^ 1;
    if (neighbour === 0) return false;
    const { bindings } = this.#parts;
    return bindings.byUe(b, sourceAt, addressLength, neighbour, udp.PROTOCOL) === undefined;
  }

  #idleMs(protocol: FlowProtocol): number {
    if (protocol === tcp.PROTOCOL) return TCP_IDLE_MS;
    return this.firstPacket?.idleMs ?? FLOW_IDLE_MS;
  }

  #sweepBy(atMs: number): void {
    this.sweepAtMs = Math.min(this.sweepAtMs, atMs);
  }
}

/** Whether it looks like a later binding of the same application. */
function isHeir(binding: ClientBinding, orphan: ClientBinding): boolean {
  if (!binding.isAutomatic || binding.isOrphan || binding.protocol !== orphan.protocol)
    return false;
  if (binding.first.ue.family !== orphan.first.ue.family) return false;
  const ports = orphan.slots.map(({ ue }) => ue.port);
  return binding.slots.some(({ ue }) => ports.includes(ue.port));
}

function isFor({ prefix, ports, protocol }: PolicyRule, b: Uint8Array, view: PacketView): boolean {
  const { destinationAt, destinationPort, addressLength } = view;
  if (protocol !== undefined && protocol !== view.protocol) return false;
  if (destinationPort < ports.first || destinationPort > ports.last) return false;
  return prefixContains(prefix, b, destinationAt, addressLength);
}
