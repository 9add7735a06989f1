/**
 * TEP-C, sans-IO (tep-wire 3 to 7; TR 33.830 8.6). `bind` is a wish that holds until `release`: the
 * tunnel is opened for it, joined by more stripes, resumed after a loss, opened anew when TEP-S has
 * forgotten it, and closed when nothing is bound any more for the linger time (M-18).
 *
 * The agent makes the connections: `connect` asks for one, `connected` or `disconnected` answers. Its
 * own time limit for that applies; a failure is tried again with growing delays.
 *
 * Memory of a tunnel: per stripe one reassembly buffer and one send queue (connection.ts), and
 * `maxBindings` bindings with at most two transactions each. With the defaults and one stripe at most
 * 64 KiB + 2 × 271 KiB + 64 × 2 KiB; at rest about 10 KiB.
 */

import { CHANNELS } from '../framing/framing.ts';
import type { Endpoint } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault, faultAction } from '../wire/faults.ts';
import type { PacketView } from '../wire/packet.ts';
import type { Attribute } from '../wire/stun/attributes.ts';
import { decode, find, type StunMessage, TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import { BINDING_FLAGS } from '../wire/stun/registry.ts';
import { ClientBinding, ClientBindings, type ClientSlot } from './client-bindings.ts';
import {
  ClientConnection,
  type ClientTransaction,
  type Purpose,
  type Release,
} from './client-connection.ts';
import { ClientData } from './client-data.ts';
import { Connections } from './connections.ts';
import { Counters } from './counters.ts';
import type { BindWishes, ClientEnd } from './ends.ts';
import { LocalStun } from './local-stun.ts';
import { bindAttributes, openAttributes, request, statsAttribute, TOKEN_LEN } from './messages.ts';
import { type ClientOptions, MAX_STRIPES, SOFTWARE } from './options.ts';
import type { ClientOutput, ClosedWhy, FlowProtocol, PacketSink } from './outputs.ts';
import { leastPending } from './stripe-choice.ts';
import { Stripes } from './stripes.ts';
import {
  type ConnectionState,
  nextTunnelState,
  type TunnelEvent,
  type TunnelState,
} from './table.ts';

const LINGER_MS = 10_000;
const STATS_MS = 5_000;
const MAX_BINDINGS = 64;
/** How long the answer to TEP-CLOSE is waited for. */
const CLOSE_MS = 2_000;
/** A binding that an application's own STUN made ends when it is not used for so long. */
const AUTOMATIC_IDLE_MS = 120_000;

const UDP = 17;
const NEVER = Number.POSITIVE_INFINITY;

export class TunnelClient implements ClientEnd {
  readonly counters = new Counters();
  readonly #options: ClientOptions;
  readonly #sink: PacketSink;
  readonly #connections: Connections<ClientConnection, ClientOutput>;
  readonly #bindings: ClientBindings;
  readonly #stun: LocalStun;
  readonly #data: ClientData;
  readonly #stripes: Stripes;
  readonly #ready: ClientConnection[] = [];
  #releases: Release[] = [];
  #state: TunnelState = 'idle';
  #token: Uint8Array | undefined;
  #lifetimeMs = 0;
  #lastConn = 0;
  #statsSentMs = 0;
  /** Deadlines; NEVER while they do not run. */
  #forgottenAtMs = NEVER;
  #lingerEndsMs = NEVER;
  #closeEndsMs = NEVER;
  #sweepAtMs = NEVER;
  #closing: ClosedWhy = 'asked';

  constructor(options: ClientOptions, sink: PacketSink) {
    const stripes = options.stripes ?? 1;
    if (!(Number.isInteger(stripes) && stripes >= 1 && stripes <= MAX_STRIPES)) {
      throw new RangeError(`${stripes} stripes`);
    }
    this.#options = options;
    this.#sink = sink;
    this.#connections = new Connections({
      counters: this.counters,
      random: options.random,
      gone: (c, from, sinceMs, now) => this.#gone(c, from, sinceMs, now),
    });
    this.#bindings = new ClientBindings(options.maxBindings ?? MAX_BINDINGS, options.random);
    this.#stun = new LocalStun(options.stunAt ?? [], options.software ?? SOFTWARE);
    this.#stripes = new Stripes(stripes, options.random);
    this.#data = new ClientData({
      bindings: this.#bindings,
      connections: this.#connections,
      ready: this.#ready,
      counters: this.counters,
      stun: this.#stun,
      sink,
      slotFor: (b, view, now) => this.#slotFor(b, view, now),
    });
  }

  get state(): TunnelState {
    return this.#state;
  }

  open(now: number): void {
    if (this.#state === 'idle' || this.#state === 'closed') this.#open(now);
  }

  bind(ue: Endpoint, wishes: BindWishes, now: number): void {
    const { protocol = UDP, port = 0, pair = false } = wishes;
    requirePorts(ue.port, port, pair);
    const known = this.#bindings.of(ue, protocol);
    if (known !== undefined) {
      known.binding.isAutomatic = false;
      this.#tellBound(known, false);
      return;
    }
    this.#want(new ClientBinding(ue, { protocol, port, pair }, false, now), now);
  }

  release(ue: Endpoint, protocol: FlowProtocol, now: number): void {
    const slot = this.#bindings.of(ue, protocol);
    // The odd half of a pair goes with its pair.
    if (slot === undefined || slot !== slot.binding.slots[0]) return;
    this.#drop(slot.binding, now);
    this.#connections.tell({ type: 'released', ue: slot.ue, protocol });
  }

  close(now: number): void {
    this.#close('asked', now);
  }

  connected(conn: number, now: number): void {
    const c = this.#connections.find(conn);
    if (c === undefined) this.counters.note(FAULTS.ILLEGAL_EVENT);
    if (c === undefined || !this.#connections.move(c, 'carrier-up', now)) return;
    if (c.state === 'opening') this.#askOpen(c, now);
  }

  disconnected(conn: number, now: number): void {
    this.#connections.disconnected(conn, now);
  }

  input(conn: number, b: Uint8Array, from: number, to: number, now: number): void {
    const c = this.#connections.find(conn);
    if (c === undefined) {
      this.counters.note(FAULTS.ILLEGAL_EVENT);
      return;
    }
    if (!this.#connections.append(c, b, from, to, now)) return;
    const frames = c.frames;
    while (c.isOpen && frames.next()) {
      if (frames.channel === CHANNELS.IP) {
        const fault = this.#data.down(frames.bytes, frames.start, frames.end, now);
        if (fault !== 0) this.counters.drop(fault);
      } else {
        this.#control(c, frames.bytes, frames.start, frames.end, now);
      }
    }
    if (frames.fault !== 0) this.#connections.end(c, 'shut', frames.fault, now);
  }

  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.#data.up(b, at, end, now);
    if (fault !== 0) this.counters.drop(fault);
    return fault;
  }

  timeout(now: number): void {
    this.#connections.timeout(now);
    if (now >= this.#forgottenAtMs) this.#expire(undefined, now);
    if (now >= this.#closeEndsMs) this.#finish(this.#closing, 0, '', now);
    if (now >= this.#lingerEndsMs) this.#close('idle', now);
    if (now >= this.#sweepAtMs) this.#sweep(now);
    if (now >= this.#statsDueMs()) this.#askStats(now);
    this.#connect(now);
  }

  nextTimeout(): number {
    return Math.min(
      this.#connections.nextTimeout(),
      this.#stripes.deadline(),
      this.#forgottenAtMs,
      this.#lingerEndsMs,
      this.#closeEndsMs,
      this.#sweepAtMs,
      this.#statsDueMs(),
    );
  }

  poll(): ClientOutput | undefined {
    return this.#connections.poll();
  }

  writable(): number {
    return this.#connections.writable();
  }

  pending(conn: number): Uint8Array {
    return this.#connections.pending(conn);
  }

  wrote(conn: number, n: number): void {
    this.#connections.wrote(conn, n);
  }

  rttMs(conn: number): number | undefined {
    return this.#connections.find(conn)?.rttMs;
  }

  // The tunnel

  #move(event: TunnelEvent): boolean {
    const from = this.#state;
    const to = nextTunnelState(from, event);
    if (to === undefined) {
      this.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    this.#state = to;
    if (to !== from) this.#connections.tell({ type: 'tunnel-state', tunnel: 0, from, to, event });
    return true;
  }

  #open(now: number): void {
    this.#move('open');
    this.#stripes.wantFirst(now);
    this.#connect(now);
  }

  /** Asks the agent for the connections whose time has come. */
  #connect(now: number): void {
    for (;;) {
      const conn = this.#lastConn + 1;
      const stripe = this.#stripes.due(conn, now);
      if (stripe < 0) return;
      this.#lastConn = conn;
      this.#connections.add(new ClientConnection(conn, stripe, this.#options, now));
      this.#connections.tell({ type: 'connect', conn, stripe });
    }
  }

  /** A connection was admitted: the first one of a new or resumed tunnel, or one more stripe. */
  #admitted(c: ClientConnection, token: Uint8Array, message: StunMessage, now: number): void {
    const outer = find(message, 'XOR-MAPPED-ADDRESS');
    const lifetime = find(message, 'LIFETIME');
    if (outer === undefined || lifetime === undefined) {
      this.#finish('not-tep-s', 0, 'no address or no LIFETIME in the answer', now);
      return;
    }
    c.outer = outer;
    this.#connections.move(c, 'admit', now);
    this.#ready.push(c);
    if (this.#state === 'up') return;
    const resumed = this.#state === 'lost';
    this.#token = token;
    this.#lifetimeMs = lifetime * 1000;
    this.#forgottenAtMs = NEVER;
    this.#statsSentMs = now;
    this.#move('admit');
    const software = find(message, 'SOFTWARE') ?? '';
    const lifetimeMs = this.#lifetimeMs;
    this.#connections.tell({ type: 'opened', outer, resumed, lifetimeMs, software });
    this.#askMissing(now);
    this.#stripes.wantAll(now);
    this.#connect(now);
  }

  /** Called by `Connections` when a connection is of no use any more, whoever ended it. */
  #gone(c: ClientConnection, from: ConnectionState, sinceMs: number, now: number): void {
    const at = this.#ready.indexOf(c);
    if (at >= 0) this.#ready.splice(at, 1);
    for (const { purpose } of c.transactions.takeAll()) {
      if (purpose.type === 'bind') purpose.binding.isAsked = false;
      if (purpose.type === 'release') this.#releases.push(purpose.release);
    }
    this.#stripes.lost(c.stripe, c.conn, from === 'ready' ? now - sinceMs : 0, now);
    if (this.#ready.length > 0) this.#askMissing(now);
    else if (this.#state === 'closing') this.#finish(this.#closing, 0, '', now);
    else if (this.#state === 'up') {
      this.#move('carriers-lost');
      this.#forgottenAtMs = now + this.#lifetimeMs;
    }
    this.#connect(now);
  }

  /**
   * TEP-S has not got the tunnel any more: a new one is opened and everything bound again. `known` is
   * the connection on which it said so; it is as good as a new one.
   */
  #expire(known: ClientConnection | undefined, now: number): void {
    this.#forgottenAtMs = NEVER;
    this.#token = undefined;
    this.#releases = [];
    for (const binding of this.#bindings.all()) this.#bindings.revoke(binding);
    this.#move('expire');
    this.#stripes.wantNone(known?.stripe);
    for (const c of this.#connections.all()) {
      if (c !== known) this.#connections.end(c, 'shut', 0, now);
    }
    this.#move('open');
    if (known !== undefined) this.#askOpen(known, now);
    else this.#stripes.wantFirst(now);
  }

  #close(why: ClosedWhy, now: number): void {
    this.#lingerEndsMs = NEVER;
    this.#closing = why;
    for (const binding of this.#bindings.all()) this.#bindings.remove(binding);
    const c = this.#state === 'up' ? leastPending(this.#ready) : undefined;
    if (c === undefined) {
      if (this.#state === 'opening' || this.#state === 'lost') this.#finish(why, 0, '', now);
      return;
    }
    this.#move('close');
    this.#closeEndsMs = now + CLOSE_MS;
    this.#ask(c, { type: 'close' }, [{ type: 'TEP-CLOSE', value: true }], now);
  }

  /** The tunnel is over. What was wished for in the meantime (while closing) opens the next one. */
  #finish(why: ClosedWhy, code: number, reason: string, now: number): void {
    this.#forgottenAtMs = NEVER;
    this.#closeEndsMs = NEVER;
    this.#lingerEndsMs = NEVER;
    this.#token = undefined;
    this.#releases = [];
    const wasClosing = this.#state === 'closing';
    const asked = why === 'asked' || why === 'idle';
    this.#move(wasClosing ? 'end' : asked ? 'close' : 'refuse');
    this.#stripes.wantNone();
    for (const c of this.#connections.all()) this.#connections.end(c, 'shut', 0, now);
    if (!wasClosing) for (const binding of this.#bindings.all()) this.#fail(binding, code, reason);
    this.#connections.tell({ type: 'closed', why, code, reason });
    if (this.#bindings.size > 0) this.#open(now);
  }

  // Bindings

  #want(binding: ClientBinding, now: number): ClientSlot | undefined {
    if (!this.#bindings.add(binding)) {
      this.#tellFailed(binding, 0, 'too many bindings, or one of a pair is bound already');
      return undefined;
    }
    this.#lingerEndsMs = NEVER;
    this.open(now);
    this.#askMissing(now);
    return binding.slots[0];
  }

  /** Asks for what is wanted and not asked for yet, and repeats releases that got lost. */
  #askMissing(now: number): void {
    if (this.#state !== 'up') return;
    const releases = this.#releases;
    this.#releases = [];
    for (const release of releases) this.#askRelease(release, now);
    for (const binding of this.#bindings.all()) {
      if (binding.slots[0]?.address === undefined && !binding.isAsked) this.#askBind(binding, now);
    }
  }

  #askBind(binding: ClientBinding, now: number): void {
    const c = leastPending(this.#ready);
    const ue = binding.slots[0]?.ue;
    if (c?.outer === undefined || ue === undefined) return;
    const flags = binding.isPair ? BINDING_FLAGS.EVEN_PORT : 0;
    const wanted = { port: binding.port, flags, protocol: binding.protocol };
    const attributes = bindAttributes(wanted, ue.family, c.outer.family);
    binding.isAsked = true;
    binding.transactionId ??= this.#options.random(TRANSACTION_ID_LEN);
    this.#ask(c, { type: 'bind', binding }, attributes, now, binding.transactionId);
  }

  #askRelease(release: Release, now: number): void {
    const c = leastPending(this.#ready);
    if (c?.outer === undefined) {
      this.#releases.push(release);
      return;
    }
    const attributes = bindAttributes(release, release.family, c.outer.family);
    this.#ask(c, { type: 'release', release }, attributes, now);
  }

  #granted(binding: ClientBinding, message: StunMessage, now: number): void {
    const address = find(message, 'XOR-MAPPED-ADDRESS');
    const grant = find(message, 'TEP-BINDING');
    const slot = binding.slots[0];
    binding.isAsked = false;
    if (slot === undefined || address === undefined || !isGrant(binding, slot, address, grant)) {
      this.counters.note(FAULTS.STUN_ATTRIBUTE);
      this.#fail(binding, 0, 'the answer of TEP-S makes no sense');
      return;
    }
    if (this.#bindings.isOthers(binding, address)) {
      this.#askAnother(binding, now);
      return;
    }
    if (!this.#bindings.has(binding)) {
      // Released while it was being asked for.
      this.#askRelease(releaseOf(binding, address), now);
      return;
    }
    this.#bindings.grant(binding, address);
    const before = binding.told;
    binding.told = address;
    this.#tellBound(slot, before !== undefined && !same(before, address));
    for (const each of binding.slots) this.#stun.answer(each, this.#sink);
  }

  /**
   * Two applications want the same public port. To TEP-S both are this tunnel, which has that port, so
   * it answered with it again (tep-wire 5: idempotent). The later one takes any.
   */
  #askAnother(binding: ClientBinding, now: number): void {
    const wanted = binding.port;
    this.#bindings.revoke(binding);
    binding.port = 0;
    if (wanted === 0) this.#fail(binding, 0, 'TEP-S granted one address twice');
    else if (this.#bindings.has(binding)) this.#askBind(binding, now);
  }

  /** It is not to be had: forgotten, and told. */
  #fail(binding: ClientBinding, code: number, reason: string): void {
    if (!this.#bindings.has(binding)) return;
    this.#bindings.remove(binding);
    this.#tellFailed(binding, code, reason);
  }

  /** It is not wanted any more. */
  #drop(binding: ClientBinding, now: number): void {
    const address = binding.slots[0]?.address;
    this.#bindings.remove(binding);
    if (address !== undefined) this.#askRelease(releaseOf(binding, address), now);
    this.#lingerWhenEmpty(now);
  }

  #lingerWhenEmpty(now: number): void {
    if (this.#bindings.size > 0 || this.#state === 'closed' || this.#state === 'closing') return;
    this.#lingerEndsMs = now + (this.#options.lingerMs ?? LINGER_MS);
  }

  /** For an application that runs STUN itself (tep-wire 5). */
  #slotFor(b: Uint8Array, view: PacketView, now: number): ClientSlot | undefined {
    const { sourceAt: at, addressLength: length, sourcePort: port } = view;
    const known = this.#bindings.byUe(b, at, length, port, UDP);
    if (known !== undefined) return known;
    const ue: Endpoint = { family: view.version, address: b.slice(at, at + length), port };
    const wish = { protocol: UDP, port: 0, pair: false } as const;
    this.#sweepAtMs = Math.min(this.#sweepAtMs, now + AUTOMATIC_IDLE_MS);
    return this.#want(new ClientBinding(ue, wish, true, now), now);
  }

  /** Ends the automatic bindings that nobody uses. */
  #sweep(now: number): void {
    this.#sweepAtMs = NEVER;
    for (const binding of this.#bindings.all()) {
      if (!binding.isAutomatic) continue;
      const ends = binding.usedMs + AUTOMATIC_IDLE_MS;
      if (ends <= now) this.#drop(binding, now);
      else this.#sweepAtMs = Math.min(this.#sweepAtMs, ends);
    }
  }

  #tellBound(slot: ClientSlot, changed: boolean): void {
    const { address, binding, ue } = slot;
    if (address === undefined) return;
    const pair = binding.isPair && slot === binding.slots[0];
    const { protocol } = binding;
    this.#connections.tell({ type: 'bound', ue, protocol, address, pair, changed });
  }

  #tellFailed(binding: ClientBinding, code: number, reason: string): void {
    const ue = binding.slots[0]?.ue;
    const { protocol } = binding;
    if (ue) this.#connections.tell({ type: 'bind-failed', ue, protocol, code, reason });
  }

  // Requests and answers

  #ask(
    c: ClientConnection,
    purpose: Purpose,
    attributes: readonly Attribute[],
    now: number,
    id: Uint8Array = this.#options.random(TRANSACTION_ID_LEN),
  ): void {
    const signed = c.auth.request(request(id, attributes));
    this.#send(c, { id, sentAtMs: now, purpose, request: signed }, now);
  }

  #send(c: ClientConnection, transaction: ClientTransaction, now: number): void {
    c.transactions.add(transaction);
    this.#connections.sendControl(c, transaction.request.octets, now);
    this.#connections.scheduleBy(c, c.answerDueMs());
  }

  #askOpen(c: ClientConnection, now: number): void {
    const software = this.#options.software ?? SOFTWARE;
    this.#ask(c, { type: 'open' }, openAttributes(this.#token, c.stripe, software), now);
  }

  #statsDueMs(): number {
    if (this.#state !== 'up' || this.#data.lastRecordMs <= this.#statsSentMs) return NEVER;
    return this.#statsSentMs + (this.#options.statsMs ?? STATS_MS);
  }

  #askStats(now: number): void {
    this.#statsSentMs = now;
    for (const c of [...this.#ready]) {
      this.#ask(c, { type: 'stats' }, [statsAttribute(this.counters)], now);
    }
  }

  #control(c: ClientConnection, b: Uint8Array, at: number, end: number, now: number): void {
    const message = decode(b, at, end);
    if (typeof message === 'number') {
      if (faultAction(message) === 'close') this.#connections.end(c, 'shut', message, now);
      else this.counters.note(message);
      return;
    }
    // An indication has done its work by arriving (M-19).
    if (message.class === 'indication') return;
    const asked =
      message.class === 'request' ? undefined : c.transactions.take(message.transactionId);
    if (asked === undefined) this.counters.note(FAULTS.STUN_UNEXPECTED);
    else this.#judge(c, asked, message, b, at, now);
  }

  #judge(
    c: ClientConnection,
    asked: ClientTransaction,
    message: StunMessage,
    b: Uint8Array,
    at: number,
    now: number,
  ): void {
    const verdict = c.auth.digest(asked.request, message, b, at);
    switch (verdict.type) {
      case 'success':
        this.#succeeded(c, asked, message, now);
        return;
      case 'retry':
        this.#again(c, asked, now);
        return;
      case 'discard':
        this.counters.note(verdict.fault);
        c.transactions.add(asked);
        return;
      case 'failed':
        this.#failed(c, asked, verdict.code, verdict.reason, now);
        return;
      case 'redirect':
        this.#failed(c, asked, 300, 'Try Alternate', now);
        return;
      case 'broken':
        this.#connections.end(c, 'shut', verdict.fault, now);
    }
  }

  #again(c: ClientConnection, asked: ClientTransaction, now: number): void {
    const { purpose } = asked;
    const id = this.#options.random(TRANSACTION_ID_LEN);
    if (purpose.type === 'open') this.#connections.move(c, 'challenge', now);
    // Nothing was granted under the old id: the one that counts from now on is the new one.
    if (purpose.type === 'bind') purpose.binding.transactionId = id;
    this.#send(c, { ...asked, id, sentAtMs: now, request: c.auth.retry(asked.request, id) }, now);
  }

  #succeeded(
    c: ClientConnection,
    asked: ClientTransaction,
    message: StunMessage,
    now: number,
  ): void {
    switch (asked.purpose.type) {
      case 'open':
        this.#opened(c, asked, message, now);
        return;
      case 'bind':
        this.#granted(asked.purpose.binding, message, now);
        this.#lingerWhenEmpty(now);
        return;
      case 'stats':
        c.rttMs = now - asked.sentAtMs;
        return;
      case 'close':
        this.#finish(this.#closing, 0, '', now);
        return;
      case 'release':
        return;
    }
  }

  #opened(c: ClientConnection, asked: ClientTransaction, message: StunMessage, now: number): void {
    const token = find(message, 'TEP-TUNNEL');
    const trusted =
      this.#options.auth.mechanism === 'none' || asked.request.integrity !== undefined;
    const expected = this.#token;
    if (token?.length !== TOKEN_LEN) {
      this.#finish('not-tep-s', 0, 'an ordinary STUN server answered', now);
    } else if (!trusted) {
      this.#finish('untrusted', 0, 'TEP-S did not ask for credentials', now);
    } else if (expected !== undefined && !equal(expected, 0, token, 0, TOKEN_LEN)) {
      this.#connections.end(c, 'refuse', FAULTS.STUN_UNEXPECTED, now);
    } else {
      this.#admitted(c, token, message, now);
    }
  }

  #failed(
    c: ClientConnection,
    asked: ClientTransaction,
    code: number,
    reason: string,
    now: number,
  ): void {
    switch (asked.purpose.type) {
      case 'open':
        this.#refused(c, code, reason, now);
        return;
      case 'bind':
        asked.purpose.binding.isAsked = false;
        this.#fail(asked.purpose.binding, code, reason);
        this.#lingerWhenEmpty(now);
        return;
      case 'close':
        this.#finish(this.#closing, 0, '', now);
        return;
      case 'release':
      case 'stats':
        return;
    }
  }

  /** Opening, joining or resuming was answered with an error that no retry in place can change. */
  #refused(c: ClientConnection, code: number, reason: string, now: number): void {
    // TEP-S cannot at the moment, or this stripe cannot join a tunnel that works: later again.
    if (code >= 500 || this.#state === 'up' || this.#state === 'closing') {
      this.#connections.end(c, 'refuse', 0, now);
    } else if (this.#state === 'lost' && code === 403) {
      this.#expire(c, now);
    } else {
      this.#finish('refused', code, reason, now);
    }
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
  slot: ClientSlot,
  address: Endpoint,
  grant: { port: number; flags: number; protocol: number } | undefined,
): boolean {
  if (grant === undefined || address.family !== slot.ue.family) return false;
  if (grant.port !== address.port || address.port === 0) return false;
  if (grant.protocol !== binding.protocol) return false;
  return !binding.isPair || ((grant.flags & BINDING_FLAGS.EVEN_PORT) !== 0 && grant.port % 2 === 0);
}

function releaseOf(binding: ClientBinding, address: Endpoint): Release {
  const pair = binding.isPair ? BINDING_FLAGS.EVEN_PORT : 0;
  const flags = BINDING_FLAGS.RELEASE | pair;
  return { family: address.family, port: address.port, flags, protocol: binding.protocol };
}

function same(a: Endpoint, b: Endpoint): boolean {
  return (
    a.port === b.port &&
    a.family === b.family &&
    equal(a.address, 0, b.address, 0, a.address.length)
  );
}
