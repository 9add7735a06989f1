/**
 * What the relay understands of the messages that it passes on (TR 33.830 8.6; M-03, M-10). Commands go
 * on as they came. Of an answer at most the session description changes: marks of TEP in it go out, and
 * come in where it goes to a UE which said that it can. Everything else goes on octet by octet,
 * and so does what cannot be read.
 *
 *     interpreter.command(peer, octets, now);
 *     send(interpreter.answer(peer, octets, now));
 *
 * A command that is sent again finds its answer as it was: what an answer means is settled by the
 * first. Memory: MAX_UNDER_WAY commands of the last 30 s, MAX_OCTETS of what their descriptions say as long as
 * they are not answered, and the calls.
 */
import {
  type NgMessage,
  octetsOf,
  readDatagram,
  stringOf,
  withValues,
} from '../../framing/ng/message.ts';
import { advertise, type Mark, strip } from '../../sdp/marks.ts';
import { equal } from '../../wire/bytes.ts';
import type { Fault } from '../../wire/faults.ts';
import type { Calls } from './calls.ts';
import { type Command, commandOf } from './command.ts';
import {
  bestEnds,
  type Description,
  describe,
  type End,
  octetsOf as octetsSaid,
  ofGateway,
} from './description.ts';
import type { NgCounts, NgFault } from './faults.ts';

export interface MarkRules {
  /** Where UEs are told that TEP-S listens. */
  readonly mark: Mark;
  /**
   * Interfaces of the gateway behind which there are UEs: an offer to somebody who has not said anything
   * yet is marked when it goes there; `all`: whatever it goes to.
   */
  readonly offersTowards: readonly string[];
  /** Whether packets of tunnels may go to this address of the core without a call that opens it. */
  readonly reaches: (end: End) => boolean;
}

/** rtpengine remembers a cookie and its answer for so long, and so must we. */
const REMEMBERED_MS = 30_000;
const MAX_UNDER_WAY = 16_384;
const MAX_OCTETS = 16 * 1024 * 1024;

/** Others are counted together: a name comes from the network. */
const COMMANDS = new Set(
  [
    'ping',
    'offer',
    'answer',
    'delete',
    'query',
    'list',
    'start recording',
    'stop recording',
  ].concat(
    ['block media', 'unblock media', 'block DTMF', 'unblock DTMF', 'play media', 'stop media'],
    ['play DTMF', 'silence media', 'unsilence media', 'start forwarding', 'stop forwarding'],
    ['publish', 'subscribe request', 'subscribe answer', 'unsubscribe', 'statistics'],
  ),
);

/** A command, until nobody can send it again. */
interface Exchange {
  readonly command: Command;
  /** Until it is answered. */
  said: Description | undefined;
  readonly atMs: number;
  /** By m= line, once its answer has come. */
  marks: readonly (Mark | undefined)[] | undefined;
}

export class Interpreter {
  readonly #counts: NgCounts;
  readonly #calls: Calls;
  readonly #exchanges = new Map<string, Exchange>();
  /** Of what is said in them. */
  #octets = 0;
  #rules: MarkRules;

  constructor(calls: Calls, counts: NgCounts, rules: MarkRules) {
    this.#counts = counts;
    this.#calls = calls;
    this.#rules = rules;
  }

  renew(rules: MarkRules): void {
    this.#rules = rules;
  }

  /** What a proxy sends to the gateway. Cookies are unique for one `peer`. */
  command(peer: string, octets: Uint8Array, nowMs: number): void {
    this.#expire(nowMs);
    const message = readDatagram(octets, 0, octets.length);
    if (typeof message === 'number') {
      this.#counts.fault(message);
      return;
    }
    const key = `${peer} ${message.cookie}`;
    const command = commandOf(message);
    if (command === 'long-name') this.#counts.fault(command);
    else if (this.#exchanges.has(key)) this.#counts.command('repeated');
    else this.#begin(key, command, message, nowMs);
  }

  /** What the gateway answers; the octets that the proxy gets instead, the very same where nothing changes. */
  answer(peer: string, octets: Uint8Array, nowMs: number): Uint8Array {
    const message = readDatagram(octets, 0, octets.length);
    if (typeof message === 'number') return this.#untouched(octets, message);
    const exchange = this.#exchanges.get(`${peer} ${message.cookie}`);
    if (exchange === undefined) return this.#untouched(octets, 'unasked');
    const result = stringOf(message, 'result');
    if (result === 'error') return this.#untouched(octets, 'refused');
    const sdp = octetsOf(message, 'sdp');
    if (sdp === undefined) return octets;
    if (exchange.marks === undefined) {
      exchange.marks = this.#settle(exchange, sdp, nowMs);
      this.#finish(exchange);
    }
    const marked = remark(sdp, exchange.marks);
    if (marked === undefined) return this.#untouched(octets, 'sdp-unreadable');
    return equalOctets(marked, sdp) ? octets : withValues(message, new Map([['sdp', marked]]));
  }

  #begin(key: string, command: Command, message: NgMessage, nowMs: number): void {
    this.#counts.command(COMMANDS.has(command.name) ? command.name : 'other');
    if (command.name === 'delete') this.#calls.deleted(command);
    const said = this.#saidIn(message, command);
    this.#exchanges.set(key, { command, said, atMs: nowMs, marks: undefined });
    this.#octets += said === undefined ? 0 : octetsSaid(said);
  }

  #finish(exchange: Exchange): void {
    this.#octets -= exchange.said === undefined ? 0 : octetsSaid(exchange.said);
    exchange.said = undefined;
  }

  #saidIn(message: NgMessage, { name, callId }: Command): Description | undefined {
    const sdp = name === 'offer' || name === 'answer' ? octetsOf(message, 'sdp') : undefined;
    if (sdp === undefined || callId === '') return undefined;
    const said = describe(sdp);
    if (said === undefined) this.#counts.fault('sdp-unreadable');
    return said;
  }

  /** The answer to an offer or answer of a call: who is told which marks. */
  #settle({ command, said }: Exchange, sdp: Uint8Array, nowMs: number): (Mark | undefined)[] {
    const told = said === undefined ? undefined : describe(sdp);
    if (said === undefined || told === undefined) return [];
    const own = ofGateway(told, said);
    const call = this.#calls.find(command.callId);
    const unheard = command.name === 'offer' && this.#mayReachUe(command);
    // Before the call learns of this offer: it is the other end that must have said something.
    const marks = told.map(({ ends }, i) => {
      const can = call?.receiverCan(command, i) ?? unheard;
      return can && this.#carries(ends, own[i]?.ends ?? []) ? this.#rules.mark : undefined;
    });
    // By all that the other end said, though not all of it is kept.
    this.#calls.settled(command, bestEnds(said), bestEnds(own), nowMs);
    return marks;
  }

  /** Not a line that the gateway left to others, as MSRP, unless it is let through for everybody. */
  #carries(told: readonly End[], own: readonly End[]): boolean {
    return told.length === 0 || own.length > 0 || told.some(this.#rules.reaches);
  }

  #mayReachUe({ towards }: Command): boolean {
    const { offersTowards } = this.#rules;
    return offersTowards.includes('all') || offersTowards.includes(towards ?? '');
  }

  #expire(nowMs: number): void {
    for (const [key, exchange] of this.#exchanges) {
      const isOld = exchange.atMs <= nowMs - REMEMBERED_MS;
      const isRoom = this.#exchanges.size < MAX_UNDER_WAY && this.#octets <= MAX_OCTETS;
      if (!isOld && isRoom) break;
      if (!isOld) this.#counts.fault('command-crowded-out');
      this.#exchanges.delete(key);
      this.#finish(exchange);
    }
  }

  #untouched(octets: Uint8Array, reason: NgFault | Fault): Uint8Array {
    this.#counts.fault(reason);
    return octets;
  }
}

function remark(sdp: Uint8Array, marks: readonly (Mark | undefined)[]): Uint8Array | undefined {
  const bare = strip(sdp);
  if (!(bare instanceof Uint8Array)) return undefined;
  if (marks.every((mark) => mark === undefined)) return bare;
  const marked = advertise(bare, marks);
  return marked instanceof Uint8Array ? marked : undefined;
}

function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equal(a, 0, b, 0, a.length);
}
