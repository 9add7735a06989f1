/**
 * What is too long for a datagram goes to the same hop by TCP (RFC 3261 clause 18.1.1), and by UDP after all
 * where that cannot be had. The connection stays: answers come by it, and requests of dialogs that began so.
 *
 * Memory: MAX_WAITING requests while it is opened, MAX_BRANCHES branches.
 */
import type { Dial } from '../../io/dial/types.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { detached } from '../../sip/detached.ts';
import { Edit } from '../../sip/edit.ts';
import { type Message, type Request, readDatagram } from '../../sip/message.ts';
import { branchOf, topVia, type Via } from '../../sip/via.ts';
import { StreamWay } from './stream-way.ts';
import type { WayEvents } from './way.ts';

/** Where nobody knows the MTU of the path. */
const MAX_DATAGRAM_LEN = 1_300;
/** A firewall that is silent is no better than one that refuses; a lost SYN comes again after 1 s (RFC 6298 2.1). */
const OPEN_MS = 1_500;
const MAX_WAITING = 64;
const MAX_BRANCHES = 256;

export interface LongRequestsParts {
  readonly dial: () => Dial;
  readonly events: WayEvents;
  readonly byUdp: (octets: Uint8Array) => void;
}

interface Waiting {
  readonly octets: Uint8Array;
  readonly overTcp: Uint8Array;
}

export class LongRequests {
  readonly #parts: LongRequestsParts;
  #way: StreamWay | undefined;
  #opening: Dial | undefined;
  #isRefused = false;
  #isOver = false;
  #waiting: Waiting[] = [];
  /** Of INVITEs that went by TCP: so do their CANCEL and the ACK to their failure (clauses 9.1, 17.1.1.3). */
  readonly #branches = new Set<string>();

  constructor(parts: LongRequestsParts) {
    this.#parts = parts;
  }

  /** Whether it takes the message: otherwise it is one for a datagram. */
  take(octets: Uint8Array): boolean {
    const isKnown = this.#way !== undefined || this.#branches.size > 0;
    if (this.#isRefused || (octets.length <= MAX_DATAGRAM_LEN && !isKnown)) return false;
    const message = readDatagram(octets, 0, octets.length);
    const via = typeof message === 'number' ? undefined : topVia(message);
    if (typeof message === 'number' || via === undefined) return false;
    return message.type === 'request' ? this.#ask(message, via, octets) : this.#answer(via, octets);
  }

  close(): void {
    this.#isOver = true;
    this.#opening?.abandon();
    this.#way?.close();
    this.#waiting = [];
  }

  /** By the connection by which the request came (clause 18.2.2). */
  #answer({ transport }: Via, octets: Uint8Array): boolean {
    if (this.#way === undefined || transport !== 'TCP') return false;
    this.#way.send(octets);
    return true;
  }

  #ask(request: Request, via: Via, octets: Uint8Array): boolean {
    const branch = branchOf(via);
    if (octets.length <= MAX_DATAGRAM_LEN && !this.#branches.has(branch)) return false;
    if (this.#way === undefined && this.#waiting.length >= MAX_WAITING) return false;
    if (request.method === 'INVITE') this.#remember(branch);
    const overTcp = withTcp(request, via);
    if (this.#way === undefined) {
      this.#waiting.push({ octets, overTcp });
      if (this.#opening === undefined) void this.#open();
    } else {
      this.#way.send(overTcp);
    }
    return true;
  }

  #remember(branch: string): void {
    this.#branches.delete(branch);
    this.#branches.add(detached(branch));
    const [oldest] = this.#branches;
    if (this.#branches.size > MAX_BRANCHES && oldest !== undefined) this.#branches.delete(oldest);
  }

  async #open(): Promise<void> {
    const dial = this.#parts.dial();
    this.#opening = dial;
    const late = setTimeout(() => dial.abandon(), OPEN_MS);
    const stream = await dial.result;
    clearTimeout(late);
    this.#opening = undefined;
    if (isIoFault(stream)) this.#refuse();
    else if (this.#isOver) stream.destroy();
    else this.#use(new StreamWay(stream, { ...this.#parts.events, gone: () => this.#gone() }));
  }

  #use(way: StreamWay): void {
    this.#way = way;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { overTcp } of waiting) way.send(overTcp);
  }

  /** For good: the next way to the core tries anew. */
  #refuse(): void {
    this.#isRefused = true;
    this.#branches.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { octets } of waiting) this.#parts.byUdp(octets);
  }

  #gone(): void {
    this.#way = undefined;
  }
}

/** Our own Via says how it is sent. */
function withTcp(request: Message, { range }: Via): Uint8Array {
  const edit = new Edit(request);
  const value = request.text.slice(range.start, range.end);
  edit.replace(range, value.replace(/^SIP\/2\.0\/UDP/, 'SIP/2.0/TCP'));
  return edit.octets();
}
