/**
 * Makes the wishes of `bind` true: asks for what is wanted and not granted, asks again after a loss,
 * gives back what is not wanted any more, and tells (tep-wire 5).
 */
import { type Endpoint, sameEndpoint } from '../wire/address.ts';
import { FAULTS } from '../wire/faults.ts';
import { find, type StunMessage, TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import { BINDING_FLAGS } from '../wire/stun/registry.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import { AutomaticBindings } from './automatic-bindings.ts';
import { ClientBinding, type ClientBindings, type ClientSlot } from './client-bindings.ts';
import type { ClientConnection, Release } from './client-connection.ts';
import type { ClientRequests } from './client-requests.ts';
import type { Counters } from './counters.ts';
import type { BindWishes } from './ends.ts';
import type { LocalStun } from './local-stun.ts';
import { bindAttributes } from './messages.ts';
import type { ClientOutput, FlowProtocol, PacketSink } from './outputs.ts';
import { leastPending } from './stripe-choice.ts';
import type { RandomSource } from './tunnel-end.ts';

const ASKED = { origin: 'asked', idleMs: Number.POSITIVE_INFINITY } as const;

export interface ClientBinderParts {
  readonly bindings: ClientBindings;
  readonly requests: ClientRequests;
  readonly ready: readonly ClientConnection[];
  readonly counters: Counters;
  readonly stun: LocalStun;
  readonly sink: PacketSink;
  readonly random: RandomSource;
  /** Whether requests may be sent. */
  isUp(): boolean;
  /** Something is wanted: a tunnel is needed. */
  wanted(now: number): void;
  /** Something is not wanted any more. */
  dropped(now: number): void;
  /** The packets that wait for this binding can go. */
  granted(binding: ClientBinding, now: number): void;
  /** They can not: it is not to be had, or not wanted any more. */
  lost(binding: ClientBinding, now: number): void;
  tell(output: ClientOutput): void;
}

export class ClientBinder {
  readonly automatic: AutomaticBindings;
  readonly #parts: ClientBinderParts;
  /** Not confirmed by TEP-S, and the connection that had asked is gone. */
  #releases: Release[] = [];
  /** Released while they were asked for, and the answer got lost: TEP-S may have granted them. */
  #unwanted: ClientBinding[] = [];

  constructor(parts: ClientBinderParts) {
    const { bindings, random } = parts;
    this.#parts = parts;
    this.automatic = new AutomaticBindings({
      bindings,
      random,
      want: (binding, now) => this.#want(binding, now),
      drop: (binding, now) => this.#drop(binding, now),
      moved: (binding) => this.#tellBound(binding.first, false),
    });
  }

  bind(ue: Endpoint, wishes: BindWishes, now: number): void {
    const { protocol = UDP, port = 0, pair = false, carries } = wishes;
    requirePorts(ue.port, port, pair);
    const known = this.#parts.bindings.of(ue, protocol);
    if (known === undefined) {
      const binding = new ClientBinding(ue, { protocol, port, pair }, ASKED, now);
      binding.carry(carries);
      this.#want(binding, now);
      return;
    }
    Object.assign(known.binding, ASKED);
    known.binding.carry(carries);
    this.#tellBound(known, false);
  }

  release(ue: Endpoint, protocol: FlowProtocol, now: number): void {
    const slot = this.#parts.bindings.of(ue, protocol);
    // The odd half of a pair goes with its pair.
    if (slot === undefined || slot !== slot.binding.first) return;
    this.#drop(slot.binding, now);
  }

  /** The tunnel is a new one: what the one before may still have had is of no interest. */
  tunnelOpened(): void {
    this.#releases = [];
    this.#unwanted = [];
  }

  /** Asks for what is wanted and not asked for yet, and repeats what got lost. */
  askMissing(now: number): void {
    if (!this.#parts.isUp()) return;
    const releases = this.#releases;
    const unwanted = this.#unwanted;
    this.tunnelOpened();
    for (const release of releases) if (!this.#isBound(release)) this.#askRelease(release, now);
    // The same request gets the same answer, and what it grants is given back.
    for (const binding of unwanted) this.#askBind(binding, now);
    for (const binding of this.#parts.bindings.all()) {
      if (binding.first.address === undefined && !binding.isAsked) this.#askBind(binding, now);
    }
  }

  /** The connection on which this release was asked for is gone. */
  releaseLost(release: Release): void {
    this.#releases.push(release);
  }

  /** The connection on which it was asked for is gone. */
  bindLost(binding: ClientBinding): void {
    binding.isAsked = false;
    if (!this.#parts.bindings.has(binding)) this.#unwanted.push(binding);
  }

  granted(binding: ClientBinding, message: StunMessage, now: number): void {
    const { bindings, counters, sink, stun } = this.#parts;
    const address = find(message, 'XOR-MAPPED-ADDRESS');
    const grant = find(message, 'TEP-BINDING');
    binding.isAsked = false;
    if (address === undefined || !isGrant(binding, address, grant)) {
      counters.note(FAULTS.STUN_ATTRIBUTE);
      this.fail(binding, 0, 'the answer of TEP-S makes no sense', now);
      return;
    }
    if (bindings.isOthers(binding, address)) {
      this.#askAnother(binding, now);
      return;
    }
    const releasing = this.#connectionReleasing(binding, address.port);
    if (releasing !== undefined) {
      this.#askBind(binding, now, releasing);
      return;
    }
    if (!bindings.has(binding)) {
      // Released while it was being asked for.
      this.#askRelease(releaseOf(binding, address), now);
      return;
    }
    bindings.grant(binding, address);
    const before = binding.told;
    binding.told = address;
    this.#tellBound(binding.first, before !== undefined && !sameEndpoint(before, address));
    for (const slot of binding.slots) stun.answer(slot, sink, now);
    this.automatic.granted(binding);
    this.#parts.granted(binding, now);
  }

  /** It is not to be had: forgotten, and told. */
  fail(binding: ClientBinding, code: number, reason: string, now: number): void {
    binding.isAsked = false;
    if (!this.#parts.bindings.has(binding)) return;
    this.#parts.bindings.remove(binding);
    this.automatic.refused(binding, now);
    this.#parts.lost(binding, now);
    this.#tellFailed(binding, code, reason);
    this.#parts.dropped(now);
  }

  failAll(code: number, reason: string, now: number): void {
    for (const binding of this.#parts.bindings.all()) this.fail(binding, code, reason, now);
  }

  /** The tunnel is closed on purpose: everything is gone, and nobody needs to be told. */
  forgetAll(now: number): void {
    for (const binding of this.#parts.bindings.all()) {
      this.#parts.bindings.remove(binding);
      this.#parts.lost(binding, now);
    }
  }

  /** The tunnel is not known any more: nothing is bound, everything is to be asked for again. */
  revokeAll(): void {
    for (const binding of this.#parts.bindings.all()) this.#parts.bindings.revoke(binding);
  }

  #want(binding: ClientBinding, now: number): boolean {
    if (!this.#parts.bindings.add(binding)) {
      if (binding.isAutomatic) this.automatic.refused(binding, now);
      this.#tellFailed(binding, 0, 'too many bindings, or half of a pair is bound already');
      return false;
    }
    this.#parts.wanted(now);
    this.askMissing(now);
    return true;
  }

  #drop(binding: ClientBinding, now: number): void {
    const { address } = binding.first;
    this.#parts.bindings.remove(binding);
    if (address !== undefined) this.#askRelease(releaseOf(binding, address), now);
    this.automatic.retry();
    this.#parts.lost(binding, now);
    this.#parts.dropped(now);
    const { first, protocol } = binding;
    this.#parts.tell({ type: 'released', ue: first.ue, protocol });
  }

  #askBind(
    binding: ClientBinding,
    now: number,
    c = this.#connectionReleasing(binding, binding.port) ?? leastPending(this.#parts.ready),
  ): void {
    if (c?.outer === undefined) return;
    const flags = binding.isPair ? BINDING_FLAGS.EVEN_PORT : 0;
    const wanted = { port: binding.port, flags, protocol: binding.protocol };
    const attributes = bindAttributes(wanted, binding.first.ue.family, c.outer.family);
    binding.isAsked = true;
    binding.transactionId ??= this.#parts.random(TRANSACTION_ID_LEN);
    this.#parts.requests.ask(c, { type: 'bind', binding }, attributes, now, binding.transactionId);
  }

  /**
   * The connection on which this port, wanted or granted, is just being given back. What is asked on
   * another one may overtake that: TEP-S would grant what we still have, and then take it away.
   */
  #connectionReleasing(binding: ClientBinding, port: number): ClientConnection | undefined {
    return this.#parts.ready.find((c) =>
      c.transactions.some(
        ({ purpose }) => purpose.type === 'release' && overlaps(purpose.release, binding, port),
      ),
    );
  }

  /** Whether TEP-S, which had released it before the answer got lost, has granted it to us again. */
  #isBound(release: Release): boolean {
    for (const binding of this.#parts.bindings.all()) {
      const { address } = binding.first;
      if (address !== undefined && overlaps(release, binding, address.port)) return true;
    }
    return false;
  }

  /**
   * Two applications want the same public port. To TEP-S both are this tunnel, which has that port, so
   * it answered with it again (tep-wire 5: idempotent). The later one takes any.
   */
  #askAnother(binding: ClientBinding, now: number): void {
    const wanted = binding.port;
    this.#parts.bindings.revoke(binding);
    binding.port = 0;
    if (wanted === 0) this.fail(binding, 0, 'TEP-S granted one address twice', now);
    else if (this.#parts.bindings.has(binding)) this.#askBind(binding, now);
  }

  #askRelease(release: Release, now: number): void {
    const c = this.#parts.isUp() ? leastPending(this.#parts.ready) : undefined;
    if (c?.outer === undefined) {
      this.#releases.push(release);
      return;
    }
    const attributes = bindAttributes(release, release.family, c.outer.family);
    this.#parts.requests.ask(c, { type: 'release', release }, attributes, now);
  }

  #tellBound(slot: ClientSlot, changed: boolean): void {
    const { address, binding, ue } = slot;
    if (address === undefined) return;
    const pair = binding.isPair && slot === binding.first;
    this.#parts.tell({ type: 'bound', ue, protocol: binding.protocol, address, pair, changed });
  }

  #tellFailed(binding: ClientBinding, code: number, reason: string): void {
    const { protocol, first } = binding;
    this.#parts.tell({ type: 'bind-failed', ue: first.ue, protocol, code, reason });
  }
}

function requirePorts(uePort: number, port: number, pair: boolean): void {
  const last = pair ? 0xfffe : 0xffff;
  if (!(Number.isInteger(uePort) && uePort >= 1 && uePort <= last)) {
    throw new RangeError(`port ${uePort} of the application`);
  }
  if (!(Number.isInteger(port) && port >= 0 && port <= 0xffff)) {
    throw new RangeError(`public port ${port}`);
  }
}

function isGrant(
  binding: ClientBinding,
  address: Endpoint,
  grant: { port: number; flags: number; protocol: number } | undefined,
): boolean {
  if (grant === undefined || address.family !== binding.first.ue.family) return false;
  if (grant.port !== address.port || address.port === 0) return false;
  if (grant.protocol !== binding.protocol) return false;
  return !binding.isPair || ((grant.flags & BINDING_FLAGS.EVEN_PORT) !== 0 && grant.port % 2 === 0);
}

function releaseOf(binding: ClientBinding, address: Endpoint): Release {
  const pair = binding.isPair ? BINDING_FLAGS.EVEN_PORT : 0;
  const flags = BINDING_FLAGS.RELEASE | pair;
  return { family: address.family, port: address.port, flags, protocol: binding.protocol };
}

/** Whether the release gives back what the binding has, or would have, at `port`. */
function overlaps(release: Release, binding: ClientBinding, port: number): boolean {
  const { family, protocol } = release;
  if (family !== binding.first.ue.family || protocol !== binding.protocol) return false;
  const last = release.port + ((release.flags & BINDING_FLAGS.EVEN_PORT) === 0 ? 0 : 1);
  return port <= last && release.port < port + binding.slots.length;
}
