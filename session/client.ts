/**
 * TEP-C, sans-IO (tep-wire 3 to 7; TR 33.830 8.6). `bind` is a wish that holds until `release`: the
 * tunnel is opened for it, joined by more stripes, resumed after a loss, opened anew when TEP-S has
 * forgotten it, and closed when nothing is bound any more for the linger time (M-18).
 *
 * The agent makes the connections: `connect` asks for one, `connected` or `disconnected` answers. Its
 * own time limit for that applies; a failure is tried again with growing delays (stripes.ts).
 *
 * Memory of a tunnel: per stripe one reassembly buffer and one send queue (connection.ts), and
 * `maxBindings` bindings with their requests. With the defaults and one stripe at most 64 KiB +
 * 2 × 271 KiB + 64 × 4 KiB; at rest about 10 KiB.
 */
import { CHANNELS } from '../framing/framing.ts';
import type { Endpoint } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import type { StunMessage } from '../wire/stun/message.ts';
import { ClientConnection, type ClientTransaction, type Purpose } from './client-connection.ts';
import { type ClientMemory, remembered } from './client-memory.ts';
import { type ClientParts, clientParts } from './client-parts.ts';
import { type ClientTunnelStatus, statusOf } from './client-status.ts';
import type { Counters } from './counters.ts';
import type { BindWishes, ClientEnd, NetworkChange } from './ends.ts';
import { type Admission, admissionOf, openAttributes, TOKEN_LEN } from './messages.ts';
import { type ClientOptions, type ClientPolicy, MAX_STRIPES, SOFTWARE } from './options.ts';
import type { ClientOutput, ClosedWhy, FlowProtocol, PacketSink, RefusedWhy } from './outputs.ts';
import { leastPending } from './stripe-choice.ts';
import { Stripes } from './stripes.ts';
import {
  type ConnectionState,
  nextTunnelState,
  type TunnelEvent,
  type TunnelState,
} from './table.ts';

const LINGER_MS = 10_000;
/** How long the answer to TEP-CLOSE is waited for. */
const CLOSE_MS = 2_000;
/** After a change of network: what is alive answers in that time (RFC 6298 2 with a margin). */
const PROBE_MS = 3_000;

/** A deadline that does not run. */
const NEVER = Number.POSITIVE_INFINITY;

export class TunnelClient implements ClientEnd {
  readonly counters: Counters;
  readonly #options: ClientOptions;
  readonly #connections: ClientParts['connections'];
  readonly #requests: ClientParts['requests'];
  readonly #bindings: ClientParts['bindings'];
  readonly #binder: ClientParts['binder'];
  readonly #data: ClientParts['data'];
  readonly #stats: ClientParts['stats'];
  readonly #reach: ClientParts['reach'];
  readonly #refuser: ClientParts['refuser'];
  readonly #ready: ClientParts['ready'];
  readonly #stripes: Stripes;
  #policy: ClientPolicy;
  #state: TunnelState = 'idle';
  #token: Uint8Array | undefined;
  /** What was told when the tunnel last came up. */
  #told: Extract<ClientOutput, { readonly type: 'opened' }> | undefined;
  #lastConn = 0;
  #closing: ClosedWhy = 'asked';
  #lingerEndsMs = NEVER;
  #closeEndsMs = NEVER;

  constructor(options: ClientOptions, sink: PacketSink) {
    const { random, stripes = 1 } = options;
    if (!(Number.isInteger(stripes) && stripes >= 1 && stripes <= MAX_STRIPES)) {
      throw new RangeError(`${stripes} stripes`);
    }
    const parts = clientParts(options, sink, {
      gone: (c, from, sinceMs, now) => this.#gone(c, from, sinceMs, now),
      succeeded: (c, asked, message, now) => this.#succeeded(c, asked, message, now),
      failed: (c, purpose, code, reason, now) => this.#failed(c, purpose, code, reason, now),
      isUp: () => this.#state === 'up',
      wanted: (now) => this.#wanted(now),
      dropped: (now) => this.#lingerWhenEmpty(now),
    });
    this.#options = options;
    this.#policy = options;
    this.#stripes = new Stripes(stripes, random);
    this.counters = parts.counters;
    this.#connections = parts.connections;
    this.#requests = parts.requests;
    this.#bindings = parts.bindings;
    this.#binder = parts.binder;
    this.#data = parts.data;
    this.#stats = parts.stats;
    this.#reach = parts.reach;
    this.#refuser = parts.refuser;
    this.#ready = parts.ready;
    this.configure(options);
  }

  configure(policy: ClientPolicy): void {
    this.#policy = policy;
    const { automatic } = this.#binder;
    automatic.firstPacket = policy.firstPacket;
    automatic.retry();
    this.#refuser.isOn = policy.refuse ?? false;
    this.#reach.keepTrying = policy.keepTrying ?? false;
    this.#reach.servers = policy.servers ?? 1;
  }

  status(): ClientTunnelStatus {
    const connections = [...this.#connections.all()];
    const bindings = [...this.#bindings.all()];
    return statusOf(this.#state, this.#told, connections, bindings);
  }

  get state(): TunnelState {
    return this.#state;
  }

  memory(): ClientMemory | undefined {
    if (this.#token === undefined || this.#told === undefined) return undefined;
    const { lifetimeMs } = this.#told;
    return { token: this.#token, lifetimeMs, bindings: remembered(this.#bindings.all()) };
  }

  resume({ token, lifetimeMs, bindings }: ClientMemory, now: number): void {
    if (!this.#move('remember')) return;
    this.#token = token;
    this.#reach.lost(lifetimeMs, now);
    for (const binding of bindings) this.#binder.automatic.restore(binding, now);
    this.#stripes.wantFirst(now);
    this.#connect(now);
  }

  open(now: number): void {
    this.#wanted(now);
    if (this.#state === 'up' && this.#told !== undefined) this.#connections.tell(this.#told);
  }

  bind(ue: Endpoint, wishes: BindWishes, now: number): void {
    this.#binder.bind(ue, wishes, now);
  }

  release(ue: Endpoint, protocol: FlowProtocol, now: number): void {
    this.#binder.release(ue, protocol, now);
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
    const { frames } = c;
    while (c.isOpen && frames.next()) {
      if (frames.channel === CHANNELS.IP) {
        const fault = this.#data.down(frames.bytes, frames.start, frames.end, now);
        if (fault !== 0) this.counters.drop(fault);
      } else {
        this.#requests.answer(c, frames.bytes, frames.start, frames.end, now);
      }
    }
    if (frames.fault !== 0) this.#connections.end(c, 'shut', frames.fault, now);
  }

  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.#data.up(b, at, end, now);
    if (fault !== 0) this.counters.drop(fault);
    return fault;
  }

  networkChanged(change: NetworkChange, now: number): void {
    this.#binder.automatic.addressesChanged(change, now);
    for (const c of [...this.#connections.all()]) {
      if (c.isOpen && change.isCutOff(c.conn)) {
        this.#connections.end(c, 'shut', FAULTS.LOCAL_ADDRESS_GONE, now);
      } else if (c.state === 'ready') {
        c.probe(now, PROBE_MS);
        this.#stats.askOn(c, now);
      }
    }
    this.#stripes.hurry(now);
    this.#connect(now);
  }

  timeout(now: number): void {
    this.#connections.timeout(now);
    this.#reach.timeout(now);
    this.#data.timeout(now);
    if (now >= this.#closeEndsMs) this.#finish(this.#closing, 0, '', now);
    if (now >= this.#reach.failOverMs) this.#expire(undefined, now);
    if (now >= this.#reach.retryAtMs) this.#open(now);
    const { automatic } = this.#binder;
    if (now >= automatic.sweepAtMs) automatic.sweep(now);
    if (now >= this.#lingerEndsMs) this.#close('idle', now);
    if (now >= this.#statsDueMs()) this.#stats.ask(now);
    this.#connect(now);
  }

  nextTimeout(): number {
    return Math.min(
      this.#connections.nextTimeout(),
      this.#stripes.deadline(),
      this.#lingerEndsMs,
      this.#closeEndsMs,
      this.#reach.deadline(),
      this.#data.heldDueMs(),
      this.#binder.automatic.sweepAtMs,
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

  // The life of a tunnel

  #move(event: TunnelEvent): boolean {
    const from = this.#state;
    const to = nextTunnelState(from, event);
    if (to === undefined) {
      this.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    this.#state = to;
    this.#connections.tell({ type: 'tunnel-state', tunnel: 0, from, to, event });
    return true;
  }

  #open(now: number): void {
    this.#move('open');
    this.#reach.opening(now);
    this.#stripes.wantFirst(now);
    this.#connect(now);
  }

  #wanted(now: number): void {
    this.#lingerEndsMs = NEVER;
    if (this.#state === 'idle' || this.#state === 'closed') this.#open(now);
  }

  #lingerWhenEmpty(now: number): void {
    if (this.#bindings.size > 0) return;
    if (this.#state === 'closed' || this.#state === 'closing') return;
    if (this.#reach.isSought) return;
    this.#lingerEndsMs = now + (this.#options.lingerMs ?? LINGER_MS);
  }

  /** Asks the agent for the connections whose time has come. */
  #connect(now: number): void {
    for (;;) {
      const conn = this.#lastConn + 1;
      const stripe = this.#stripes.due(conn, now);
      if (stripe < 0) return;
      this.#lastConn = conn;
      const { auth } = this.#policy;
      this.#connections.add(new ClientConnection(conn, stripe, this.#options, auth, now));
      const joins = this.#token !== undefined;
      this.#connections.tell({ type: 'connect', conn, stripe, joins });
    }
  }

  #askOpen(c: ClientConnection, now: number): void {
    const software = this.#options.software ?? SOFTWARE;
    this.#requests.ask(c, { type: 'open' }, openAttributes(this.#token, c.stripe, software), now);
  }

  /** An answer that lets us in, if it is what it should be. */
  #opened(c: ClientConnection, asked: ClientTransaction, message: StunMessage, now: number): void {
    const admission = admissionOf(message);
    const unsigned = asked.request.integrity === undefined;
    const known = this.#token;
    if (typeof admission === 'string') {
      this.#turnedAway(c, 'not-tep-s', 0, admission, now);
    } else if (unsigned && this.#policy.auth.mechanism !== 'none') {
      this.#turnedAway(c, 'untrusted', 0, 'TEP-S did not ask for credentials', now);
    } else if (known !== undefined && !equal(known, 0, admission.token, 0, TOKEN_LEN)) {
      this.#connections.end(c, 'refuse', FAULTS.STUN_UNEXPECTED, now);
    } else {
      this.#admitted(c, admission, now);
    }
  }

  /** The first connection of a new or resumed tunnel, or one more stripe. */
  #admitted(c: ClientConnection, admission: Admission, now: number): void {
    c.outer = admission.outer;
    this.#connections.move(c, 'admit', now);
    this.#ready.push(c);
    if (this.#state === 'up') return;
    const resumed = this.#state === 'lost';
    if (!resumed) this.#binder.tunnelOpened();
    this.#stats.up(resumed, now);
    const { token, ...told } = admission;
    this.#token = token;
    this.#told = { type: 'opened', ...told, resumed };
    this.#move('admit');
    this.#connections.tell(this.#told);
    const { isOut, isSought } = this.#reach;
    this.#reach.admitted(now);
    if (isOut) this.#recovered(isSought, now);
    this.#binder.askMissing(now);
    this.#stripes.wantAll(now);
    this.#connect(now);
  }

  /** There is a tunnel again where none was to be had. */
  #recovered(wasSought: boolean, now: number): void {
    this.#binder.automatic.retry();
    if (wasSought) this.#lingerWhenEmpty(now);
  }

  /** This TEP-S is none for us. Another one may be, until all have said so. */
  #turnedAway(
    c: ClientConnection,
    why: RefusedWhy,
    code: number,
    reason: string,
    now: number,
  ): void {
    if (this.#reach.turnedAway() || this.#state !== 'opening') {
      this.#finish(why, code, reason, now);
      return;
    }
    this.#connections.tell({ type: 'refused', conn: c.conn, why, code, reason });
    this.#connections.end(c, 'refuse', 0, now);
  }

  /** Opening, joining or resuming was answered with an error that no retry in place can change. */
  #refused(c: ClientConnection, code: number, reason: string, now: number): void {
    // TEP-S cannot at the moment, or this stripe cannot join a tunnel that works: later again.
    if (code >= 500 || this.#state === 'up' || this.#state === 'closing') {
      this.#connections.end(c, 'refuse', 0, now);
    } else if (this.#state === 'lost' && code === 403) {
      this.#expire(c, now);
    } else {
      this.#turnedAway(c, 'refused', code, reason, now);
    }
  }

  /** Called by `Connections` when a connection is of no use any more, whoever ended it. */
  #gone(c: ClientConnection, from: ConnectionState, sinceMs: number, now: number): void {
    const at = this.#ready.indexOf(c);
    if (at >= 0) this.#ready.splice(at, 1);
    for (const { purpose } of c.transactions.takeAll()) {
      if (purpose.type === 'bind') this.#binder.bindLost(purpose.binding);
      if (purpose.type === 'release') this.#binder.releaseLost(purpose.release);
    }
    const readyMs = from === 'ready' ? now - sinceMs : 0;
    const isUrgent = this.#token !== undefined && !this.#reach.isOut;
    this.#stripes.lost(c.stripe, c.conn, readyMs, now, isUrgent);
    if (this.#ready.length > 0) this.#binder.askMissing(now);
    else if (this.#state === 'closing') this.#finish(this.#closing, 0, '', now);
    else if (this.#state === 'up') this.#carriersLost(now);
    else if (this.#state === 'opening' && from === 'connecting') this.#reach.unreached(now);
    this.#connect(now);
  }

  #carriersLost(now: number): void {
    this.#move('carriers-lost');
    this.#reach.lost(this.#told?.lifetimeMs ?? 0, now);
  }

  /**
   * TEP-S has not got the tunnel any more: a new one is opened and everything bound again. `known` is
   * the connection on which it said so; it is as good as a new one. Only TEP-S can tell: LIFETIME runs
   * from when it noticed the loss, and a tunnel given up too early would still hold the public ports.
   * Without `known` the tunnel is given up to be opened at another TEP-S.
   */
  #expire(known: ClientConnection | undefined, now: number): void {
    this.#token = undefined;
    this.#binder.revokeAll();
    this.#move('expire');
    this.#stripes.wantNone(known?.stripe);
    this.#connections.endAll((c) => c !== known, now);
    if (known === undefined) {
      this.#open(now);
      return;
    }
    this.#move('open');
    this.#reach.opening(now);
    this.#askOpen(known, now);
  }

  #close(why: ClosedWhy, now: number): void {
    this.#lingerEndsMs = NEVER;
    this.#reach.closed(now);
    this.#binder.forgetAll(now);
    if (this.#state === 'opening' || this.#state === 'lost') this.#finish(why, 0, '', now);
    const c = this.#state === 'up' ? leastPending(this.#ready) : undefined;
    if (c === undefined) return;
    this.#closing = why;
    this.#move('close');
    this.#stripes.wantNone();
    // A stripe that is just being let in would belong to a tunnel that is no more.
    this.#connections.endAll((other) => other.state !== 'ready', now);
    this.#closeEndsMs = now + CLOSE_MS;
    this.#requests.ask(c, { type: 'close' }, [{ type: 'TEP-CLOSE', value: true }], now);
  }

  /** The tunnel is over. What was wished for while it was closing opens the next one. */
  #finish(why: ClosedWhy, code: number, reason: string, now: number): void {
    const event = why === 'asked' || why === 'idle' ? 'close' : 'refuse';
    const wasClosing = this.#state === 'closing';
    this.#move(wasClosing ? 'end' : event);
    this.#closeEndsMs = NEVER;
    this.#lingerEndsMs = NEVER;
    this.#token = undefined;
    this.#stripes.wantNone();
    this.#connections.endAll(() => true, now);
    if (event === 'close') this.#reach.closed(now);
    else this.#reach.refused(now);
    if (!wasClosing) this.#binder.failAll(code, reason, now);
    this.#connections.tell({ type: 'closed', why, code, reason });
    if (this.#bindings.size > 0) this.#open(now);
  }

  // Answers

  #succeeded(
    c: ClientConnection,
    asked: ClientTransaction,
    message: StunMessage,
    now: number,
  ): void {
    const { purpose } = asked;
    if (purpose.type === 'open') this.#opened(c, asked, message, now);
    else if (purpose.type === 'bind') this.#binder.granted(purpose.binding, message, now);
    else if (purpose.type === 'close') this.#finish(this.#closing, 0, '', now);
    else if (purpose.type === 'stats') c.rttMs = now - asked.sentAtMs;
  }

  /** A release that fails and a measurement that fails change nothing. */
  #failed(c: ClientConnection, purpose: Purpose, code: number, reason: string, now: number): void {
    if (purpose.type === 'open') this.#refused(c, code, reason, now);
    else if (purpose.type === 'bind') this.#binder.fail(purpose.binding, code, reason, now);
    else if (purpose.type === 'close') this.#finish(this.#closing, 0, '', now);
  }

  #statsDueMs(): number {
    return this.#state === 'up' ? this.#stats.dueMs() : NEVER;
  }
}
