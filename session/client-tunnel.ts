/**
 * The life of TEP-C's tunnel, over the states of table.ts (tep-wire 3, 4, 7): when it is opened, resumed
 * after a loss, opened anew where TEP-S has forgotten it, moved to another TEP-S, and when it ends. It
 * also says which connections the agent is to make. Who is bound, and what a record means, is the
 * business of the parts beside it (client-parts.ts).
 */
import { FAULTS } from '../wire/faults.ts';
import type { StunMessage } from '../wire/stun/message.ts';
import { judgeAdmission } from './client-admission.ts';
import { ClientConnection, type ClientTransaction } from './client-connection.ts';
import type { ClientParts } from './client-parts.ts';
import { ClientStripes } from './client-stripes.ts';
import { type Admission, openAttributes } from './messages.ts';
import { type ClientOptions, type ClientPolicy, MAX_STRIPES, SOFTWARE } from './options.ts';
import type { ClientOutput, ClosedWhy, RefusedWhy } from './outputs.ts';
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

/** A deadline that does not run. */
const NEVER = Number.POSITIVE_INFINITY;

/** What is kept of a tunnel for whoever resumes it. */
export interface HeldTunnel {
  readonly token: Uint8Array;
  readonly lifetimeMs: number;
}

export class ClientTunnel {
  readonly #options: ClientOptions;
  readonly #parts: ClientParts;
  readonly #stripes: Stripes;
  readonly #number: ClientStripes;
  /** For connections from now on. */
  #auth: ClientPolicy['auth'];
  #state: TunnelState = 'idle';
  #token: Uint8Array | undefined;
  /** What was told when the tunnel last came up. */
  #told: Extract<ClientOutput, { readonly type: 'opened' }> | undefined;
  #lastConn = 0;
  #closing: ClosedWhy = 'asked';
  #lingerEndsMs = NEVER;
  #closeEndsMs = NEVER;

  constructor(options: ClientOptions, parts: ClientParts) {
    const { auth, random, stripes = 1 } = options;
    const { mostStripes = stripes } = options;
    requireStripes(stripes, 1, mostStripes);
    requireStripes(mostStripes, stripes, MAX_STRIPES);
    this.#options = options;
    this.#parts = parts;
    this.#stripes = new Stripes(mostStripes, random);
    const { connections, counters, ready } = parts;
    this.#number = new ClientStripes({
      ...{ connections, counters, ready, stripes: this.#stripes },
      ...{ least: stripes, most: mostStripes },
    });
    this.#auth = auth;
  }

  configure({ auth, keepTrying = false, servers = 1 }: ClientPolicy): void {
    this.#auth = auth;
    this.#parts.reach.keepTrying = keepTrying;
    this.#parts.reach.servers = servers;
  }

  get state(): TunnelState {
    return this.#state;
  }

  get told(): Extract<ClientOutput, { readonly type: 'opened' }> | undefined {
    return this.#told;
  }

  /** Undefined when there is none. Holds a secret. */
  held(): HeldTunnel | undefined {
    if (this.#token === undefined || this.#told === undefined) return undefined;
    return { token: this.#token, lifetimeMs: this.#told.lifetimeMs };
  }

  /** Takes over the tunnel of a predecessor; false: there is one already. */
  adopt({ token, lifetimeMs }: HeldTunnel, now: number): boolean {
    if (!this.#move('remember')) return false;
    this.#token = token;
    this.#parts.reach.lost(lifetimeMs, now);
    this.#stripes.wantFirst(now);
    return true;
  }

  /** Something is wanted: a tunnel is needed. */
  wanted(now: number): void {
    this.#lingerEndsMs = NEVER;
    if (this.#state === 'idle' || this.#state === 'closed') this.#open(now);
  }

  /** When nothing is bound any more, the tunnel ends after a while (M-18). */
  lingerWhenEmpty(now: number): void {
    if (this.#parts.bindings.size > 0) return;
    if (this.#state === 'closed' || this.#state === 'closing') return;
    if (this.#parts.reach.isSought) return;
    this.#lingerEndsMs = now + (this.#options.lingerMs ?? LINGER_MS);
  }

  /** Asks the agent for the connections whose time has come. */
  connect(now: number): void {
    for (;;) {
      const conn = this.#lastConn + 1;
      const stripe = this.#stripes.due(conn, now);
      if (stripe < 0) return;
      this.#lastConn = conn;
      const added = new ClientConnection(conn, stripe, this.#options, this.#auth, now);
      this.#parts.connections.add(added);
      const joins = this.#token !== undefined;
      this.#parts.connections.tell({ type: 'connect', conn, stripe, joins });
    }
  }

  askOpen(c: ClientConnection, now: number): void {
    const software = this.#options.software ?? SOFTWARE;
    this.#parts.requests.ask(
      c,
      { type: 'open' },
      openAttributes(this.#token, c.stripe, software),
      now,
    );
  }

  /** A success to an opening request. */
  opened(c: ClientConnection, asked: ClientTransaction, message: StunMessage, now: number): void {
    const isSigned = asked.request.integrity !== undefined;
    const { mechanism } = this.#auth;
    const verdict = judgeAdmission(message, { isSigned, mechanism, token: this.#token });
    if (verdict.type === 'admit') this.#admitted(c, verdict.admission, now);
    else if (verdict.type === 'turn-away') this.#turnedAway(c, verdict.why, 0, verdict.reason, now);
    else this.#parts.connections.end(c, 'refuse', FAULTS.STUN_UNEXPECTED, now);
  }

  /** Opening, joining or resuming was answered with an error that no retry in place can change. */
  refused(c: ClientConnection, code: number, reason: string, now: number): void {
    // TEP-S cannot at the moment, or this stripe cannot join a tunnel that works: later again.
    if (code >= 500 || this.#state === 'up' || this.#state === 'closing') {
      this.#parts.connections.end(c, 'refuse', 0, now);
    } else if (this.#state === 'lost' && code === 403) {
      this.#expire(c, now);
    } else {
      this.#turnedAway(c, 'refused', code, reason, now);
    }
  }

  /** Called by `Connections` when a connection is of no use any more, whoever ended it. */
  gone(c: ClientConnection, from: ConnectionState, sinceMs: number, now: number): void {
    const at = this.#parts.ready.indexOf(c);
    if (at >= 0) this.#parts.ready.splice(at, 1);
    for (const { purpose } of c.transactions.takeAll()) {
      if (purpose.type === 'bind') this.#parts.binder.bindLost(purpose.binding);
      if (purpose.type === 'release') this.#parts.binder.releaseLost(purpose.release);
    }
    const readyMs = from === 'ready' ? now - sinceMs : 0;
    const isUrgent = this.#token !== undefined && !this.#parts.reach.isOut;
    this.#stripes.lost(c.stripe, c.conn, readyMs, now, isUrgent);
    if (this.#parts.ready.length > 0) this.#parts.binder.askMissing(now);
    else if (this.#state === 'closing') this.ended(now);
    else if (this.#state === 'up') this.#carriersLost(now);
    else if (this.#state === 'opening' && from === 'connecting') this.#parts.reach.unreached(now);
    this.connect(now);
  }

  /** More is known of the system below a connection. */
  learnt(c: ClientConnection, now: number): void {
    if (this.#state !== 'up') return;
    this.#number.learnt(c, now);
    this.connect(now);
  }

  /** Ends the tunnel and frees all bindings. */
  close(why: ClosedWhy, now: number): void {
    this.#lingerEndsMs = NEVER;
    this.#parts.reach.closed(now);
    this.#parts.binder.forgetAll(now);
    if (this.#state === 'opening' || this.#state === 'lost') this.#finish(why, 0, '', now);
    const c = this.#state === 'up' ? leastPending(this.#parts.ready) : undefined;
    if (c === undefined) return;
    this.#closing = why;
    this.#move('close');
    this.#stripes.wantNone();
    // A stripe that is just being let in would belong to a tunnel that is no more.
    this.#parts.connections.endAll((other) => other.state !== 'ready', now);
    this.#closeEndsMs = now + CLOSE_MS;
    this.#parts.requests.ask(c, { type: 'close' }, [{ type: 'TEP-CLOSE', value: true }], now);
  }

  /** The answer to TEP-CLOSE, whatever it says. */
  ended(now: number): void {
    this.#finish(this.#closing, 0, '', now);
  }

  /** There may be a way where there was none. */
  hurry(now: number): void {
    this.#stripes.hurry(now);
    this.connect(now);
  }

  timeout(now: number): void {
    const { reach } = this.#parts;
    if (now >= this.#closeEndsMs) this.ended(now);
    if (now >= reach.failOverMs) this.#expire(undefined, now);
    if (now >= reach.retryAtMs) this.#open(now);
    if (now >= this.#lingerEndsMs) this.close('idle', now);
    if (this.#state === 'up' && now >= this.#number.deadline(true)) this.#number.look(now);
  }

  /** `isFlowing`: whether there are packets. */
  deadline(isFlowing: boolean): number {
    return Math.min(
      this.#stripes.deadline(),
      this.#lingerEndsMs,
      this.#closeEndsMs,
      this.#state === 'up' ? this.#number.deadline(isFlowing) : NEVER,
    );
  }

  #move(event: TunnelEvent): boolean {
    const from = this.#state;
    const to = nextTunnelState(from, event);
    if (to === undefined) {
      this.#parts.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    this.#state = to;
    this.#parts.connections.tell({ type: 'tunnel-state', tunnel: 0, from, to, event });
    return true;
  }

  #open(now: number): void {
    this.#opening(now);
    this.#stripes.wantFirst(now);
    this.connect(now);
  }

  #opening(now: number): void {
    this.#move('open');
    this.#parts.reach.opening(now);
  }

  /** The first connection of a new or resumed tunnel, or one more stripe. */
  #admitted(c: ClientConnection, admission: Admission, now: number): void {
    c.outer = admission.outer;
    this.#parts.connections.move(c, 'admit', now);
    this.#parts.ready.push(c);
    this.#number.admitted(c, now);
    this.#parts.media.look(now);
    if (this.#state === 'up') return;
    const resumed = this.#state === 'lost';
    if (!resumed) this.#parts.binder.tunnelOpened();
    this.#parts.stats.up(resumed, now);
    const { token, ...told } = admission;
    this.#token = token;
    this.#told = { type: 'opened', ...told, resumed };
    this.#move('admit');
    this.#parts.connections.tell(this.#told);
    const { isOut, isSought } = this.#parts.reach;
    this.#parts.reach.admitted(now);
    if (isOut) this.#recovered(isSought, now);
    this.#parts.binder.askMissing(now);
    this.#number.up(now);
    this.connect(now);
  }

  /** There is a tunnel again where none was to be had. */
  #recovered(wasSought: boolean, now: number): void {
    this.#parts.binder.automatic.retry();
    if (wasSought) this.lingerWhenEmpty(now);
  }

  /** This TEP-S is none for us. Another one may be, until all have said so. */
  #turnedAway(
    c: ClientConnection,
    why: RefusedWhy,
    code: number,
    reason: string,
    now: number,
  ): void {
    if (this.#parts.reach.turnedAway() || this.#state !== 'opening') {
      this.#finish(why, code, reason, now);
      return;
    }
    this.#parts.connections.tell({ type: 'refused', conn: c.conn, why, code, reason });
    this.#parts.connections.end(c, 'refuse', 0, now);
  }

  #carriersLost(now: number): void {
    this.#move('carriers-lost');
    this.#parts.reach.lost(this.#told?.lifetimeMs ?? 0, now);
  }

  /**
   * TEP-S has not got the tunnel any more: a new one is opened and everything bound again. `known` is
   * the connection on which it said so; it is as good as a new one. Only TEP-S can tell: LIFETIME runs
   * from when it noticed the loss, and a tunnel given up too early would still hold the public ports.
   * Without `known` the tunnel is given up to be opened at another TEP-S.
   */
  #expire(known: ClientConnection | undefined, now: number): void {
    this.#token = undefined;
    // It has public addresses of the tunnel that is no more.
    this.#parts.media.end();
    this.#parts.binder.revokeAll();
    this.#move('expire');
    this.#stripes.wantNone(known?.stripe);
    this.#parts.connections.endAll((c) => c !== known, now);
    if (known === undefined) {
      this.#open(now);
      return;
    }
    this.#opening(now);
    this.askOpen(known, now);
  }

  /** The tunnel is over. What was wished for while it was closing opens the next one. */
  #finish(why: ClosedWhy, code: number, reason: string, now: number): void {
    const event = why === 'asked' || why === 'idle' ? 'close' : 'refuse';
    const wasClosing = this.#state === 'closing';
    this.#move(wasClosing ? 'end' : event);
    this.#closeEndsMs = NEVER;
    this.#lingerEndsMs = NEVER;
    this.#token = undefined;
    this.#parts.media.end();
    this.#stripes.wantNone();
    this.#parts.connections.endAll(() => true, now);
    if (event === 'close') this.#parts.reach.closed(now);
    else this.#parts.reach.refused(now);
    if (!wasClosing) this.#parts.binder.failAll(code, reason, now);
    this.#parts.connections.tell({ type: 'closed', why, code, reason });
    if (this.#parts.bindings.size > 0) this.#open(now);
  }
}

function requireStripes(count: number, least: number, most: number): void {
  if (Number.isInteger(count) && count >= least && count <= most) return;
  throw new RangeError(`${count} stripes`);
}
