/**
 * The connections of one end by number: their states, deadlines, liveness and what they have to send,
 * and the outputs that wait for `poll`. TEP-C and TEP-S each have one.
 */
import { FAULTS, type Fault } from '../wire/faults.ts';
import { keepAlive } from '../wire/stun/binding.ts';
import { TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import type { CarrierState } from './carrier.ts';
import type { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { Fifo } from './fifo.ts';
import type { CloseOutput, StateOutput } from './outputs.ts';
import { type ConnectionEvent, type ConnectionState, nextConnectionState } from './table.ts';
import type { RandomSource } from './tunnel-end.ts';

/** How long what is queued may take to be written after the end was decided. */
const DRAIN_MS = 5_000;

/** What was just looked at is not due again at once: so no mistake here can hang an agent. */
const LEAST_PAUSE_MS = 1;

const NOTHING = new Uint8Array(0);

export interface ConnectionsOptions<C> {
  readonly counters: Counters;
  readonly random: RandomSource;
  /** The connection is of no use any more: called once, when it leaves the states before draining. */
  gone(c: C, from: ConnectionState, sinceMs: number, now: number): void;
  /** It is about to be written: media that wait may join what it has. */
  fill(c: C, now: number): void;
  /** More is known of the system below it. */
  learnt(c: C, now: number): void;
}

export class Connections<C extends Connection, Output> {
  readonly #options: ConnectionsOptions<C>;
  readonly #byNumber = new Map<number, C>();
  readonly #deadlines = new Deadlines<C>();
  readonly #listed: C[] = [];
  readonly #outputs = new Fifo<Output | CloseOutput | StateOutput>();

  constructor(options: ConnectionsOptions<C>) {
    this.#options = options;
  }

  find(conn: number): C | undefined {
    return this.#byNumber.get(conn);
  }

  all(): Iterable<C> {
    return this.#byNumber.values();
  }

  add(c: C): void {
    this.#byNumber.set(c.conn, c);
    this.#schedule(c);
  }

  /** The only way to another state. False when the table does not allow the event. */
  move(c: C, event: ConnectionEvent, now: number): boolean {
    const from = c.state;
    const to = nextConnectionState(from, event);
    if (to === undefined) {
      this.#options.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    if (to === from) return true;
    const since = c.sinceMs;
    c.enter(to, now);
    this.tell({ type: 'connection-state', conn: c.conn, from, to, event });
    this.#schedule(c);
    if (isOver(to) && !isOver(from)) this.#options.gone(c, from, since, now);
    return true;
  }

  /** Ends it: at once after a fault or before its carrier is there, else when all is written. */
  end(c: C, event: 'shut' | 'refuse', fault: 0 | Fault, now: number): void {
    if (isOver(c.state)) return;
    const flush = fault === 0 && c.state !== 'connecting';
    if (fault !== 0) this.#options.counters.note(fault);
    c.isCut = !flush;
    this.tell({ type: 'close', conn: c.conn, flush, fault });
    this.move(c, event, now);
  }

  /** An orderly end of one whose place another one takes: what is under way to us is still read. */
  retire(c: C, now: number): void {
    c.isRetired = true;
    this.end(c, 'shut', 0, now);
  }

  /** An orderly end for each connection that is meant. */
  endAll(isMeant: (c: C) => boolean, now: number): void {
    for (const c of this.#byNumber.values()) if (isMeant(c)) this.end(c, 'shut', 0, now);
  }

  /** Its carrier is gone, whoever ended it. */
  disconnected(conn: number, now: number): void {
    const c = this.#byNumber.get(conn);
    if (c === undefined) {
      this.#options.counters.note(FAULTS.ILLEGAL_EVENT);
      return;
    }
    this.move(c, 'carrier-down', now);
    this.#byNumber.delete(conn);
    this.#deadlines.remove(c);
    c.queue.clear();
  }

  /** Hands the octets to the reassembly, unless the connection is one that is not read. */
  append(c: C, b: Uint8Array, from: number, to: number, now: number): boolean {
    if (!c.isRead) {
      // A connection that is being closed may still bring octets; any other was never opened.
      if (c.state !== 'draining') this.#options.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    c.keepalive.receivedAtMs = now;
    c.frames.append(b, from, to);
    return true;
  }

  /** Looks at the connection no later than `dueMs`. */
  scheduleBy(c: C, dueMs: number): void {
    this.#deadlines.setNoLater(c, dueMs);
  }

  nextTimeout(): number {
    return this.#deadlines.next();
  }

  timeout(now: number): void {
    for (let c = this.#deadlines.due(now); c !== undefined; c = this.#deadlines.due(now)) {
      this.#look(c, now);
      this.#schedule(c, now + LEAST_PAUSE_MS);
    }
  }

  /** Queues a control record. A peer that leaves no room even for these is given up. */
  sendControl(c: C, octets: Uint8Array, now: number): void {
    if (isOver(c.state)) return;
    if (!c.queue.pushControl(octets)) {
      this.end(c, 'shut', FAULTS.SEND_QUEUE_FULL, now);
      return;
    }
    this.#filled(c, now);
  }

  /** Queues an IP record, for which there is room (`canTake`). */
  sendRecord(c: C, b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    if (!c.queue.push(b, at, end)) return FAULTS.SEND_QUEUE_FULL;
    this.filled(c, now);
    return 0;
  }

  /** Media were put into its queue. */
  filled(c: C, now: number): void {
    c.carrier.lastMediaMs = now;
    this.#filled(c, now);
  }

  tell(output: Output | CloseOutput | StateOutput): void {
    this.#outputs.push(output);
  }

  poll(): Output | CloseOutput | StateOutput | undefined {
    return this.#outputs.shift();
  }

  writable(): number {
    for (;;) {
      const c = this.#listed.pop();
      if (c === undefined) return -1;
      c.isListed = false;
      if (c.queue.length > 0 && !c.isCut) return c.conn;
    }
  }

  pending(conn: number, now: number): Uint8Array {
    const c = this.#byNumber.get(conn);
    if (c === undefined || c.isCut) return NOTHING;
    if (c.state === 'ready') this.#options.fill(c, now);
    const octets = c.queue.pending();
    if (octets.length > 0) c.carrier.began(now);
    return octets;
  }

  /** What the agent tells about a connection that is forgotten in the meantime does not matter. */
  wrote(conn: number, n: number, now: number): void {
    const c = this.#byNumber.get(conn);
    if (c === undefined) return;
    c.queue.wrote(n);
    c.carrier.took(n, c.queue.isTaken, now);
  }

  carrier(conn: number, state: CarrierState, now: number): void {
    const c = this.#byNumber.get(conn);
    if (c === undefined) return;
    c.carrier.learn(state, now);
    if (c.state !== 'ready') return;
    this.#options.learnt(c, now);
    const isWarmed = state.isTroubled && state.isSilent !== true;
    if (isWarmed && c.queue.length === 0 && c.keepalive.isCold(now)) this.#indicate(c, now);
  }

  #indicate(c: C, now: number): void {
    this.sendControl(c, keepAlive(this.#options.random(TRANSACTION_ID_LEN)), now);
  }

  #filled(c: C, now: number): void {
    c.keepalive.sentAtMs = now;
    this.#list(c);
  }

  #list(c: C): void {
    if (c.isListed) return;
    c.isListed = true;
    this.#listed.push(c);
  }

  #look(c: C, now: number): void {
    const over = this.#overdue(c, now);
    if (over !== 0) this.end(c, 'shut', over, now);
    else if (c.state === 'draining') this.#cut(c);
    else if (c.state === 'ready' && c.keepalive.indicationDue(now)) {
      this.#indicate(c, now);
    }
  }

  #overdue(c: C, now: number): 0 | Fault {
    if (!c.isOpen) return 0;
    if (now >= c.keepalive.deadAtMs()) return FAULTS.IDLE;
    const opening = c.state !== 'ready' && now >= c.openDueMs;
    return opening || now >= c.answerDueMs() ? FAULTS.TRANSACTION_TIMEOUT : 0;
  }

  /** What could not be written until now will not be. */
  #cut(c: C): void {
    if (c.isCut) return;
    c.isCut = true;
    this.tell({ type: 'close', conn: c.conn, flush: false, fault: 0 });
  }

  #schedule(c: C, notBeforeMs = 0): void {
    const due = deadline(c);
    if (due === Number.POSITIVE_INFINITY) this.#deadlines.remove(c);
    else this.#deadlines.set(c, Math.max(due, notBeforeMs));
  }
}

function isOver(state: ConnectionState): boolean {
  return state === 'draining' || state === 'closed';
}

/** When a connection in its present state has to be looked at. */
function deadline(c: Connection): number {
  switch (c.state) {
    case 'opening':
    case 'challenged':
      return Math.min(c.openDueMs, c.keepalive.deadAtMs());
    case 'ready':
      return Math.min(c.keepalive.deadline(), c.answerDueMs());
    case 'draining':
      return c.isCut ? Number.POSITIVE_INFINITY : c.sinceMs + DRAIN_MS;
    default:
      return Number.POSITIVE_INFINITY;
  }
}
