/**
 * The way to the core: one at a time, found by the ladder, opened again when it breaks. What the phone asks
 * while there is none waits a moment; what it asked on a way that then proves dead is asked again on the
 * next one.
 *
 * Memory: MAX_HELD requests.
 */
import { Alarm, now } from '../../io/clock.ts';
import type { Dial } from '../../io/dial/types.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import type { Message } from '../../sip/message.ts';
import type { CoreTransport } from '../../sip/sidecar/hops.ts';
import { Ladder } from '../../sip/sidecar/ladder.ts';
import type { Asks } from '../../sip/sidecar/outputs.ts';
import { DatagramWay } from './datagram-way.ts';
import { type Rung, rungName } from './rungs.ts';
import { StreamWay } from './stream-way.ts';
import type { Way, WayEvents } from './way.ts';

export const MAX_HELD = 64;
/** A way that has not answered a request for so long is dead: longer than three repetitions by UDP. */
const SILENT_MS = 4_000;
/** The phone wants something: an attempt is made at once, unless the last one was so short ago. */
const EAGER_MS = 2_000;

export type CoreState = 'connecting' | 'open' | 'proven' | 'waiting' | 'closed';

export interface CoreEvents {
  message(message: Message): void;
  bad(): void;
  refused(): void;
  /** Requests can be sent by this from now on. `isAgain`: there was another way, which worked. */
  opened(rung: Rung, isAgain: boolean): void;
  /** The core has answered by this way. */
  proven(rung: Rung): void;
  lost(rung: Rung, fault: IoFault): void;
  again(asks: Asks): void;
  /** No way is to be had. */
  unreachable(held: readonly Asks[]): void;
}

export interface CoreOptions {
  readonly rungs: readonly Rung[];
  readonly dial: (rung: Rung) => Dial;
  /** Resolves when the connection itself is sure not to enter the tunnel. */
  readonly allow: (rung: Rung) => Promise<void>;
  readonly events: CoreEvents;
}

export class CoreSide {
  state: CoreState = 'connecting';
  sinceMs = now();
  readonly #options: CoreOptions;
  readonly #ladder: Ladder<Rung>;
  readonly #alarm = new Alarm(() => this.#ring());
  #way: Way | undefined;
  #dial: Dial | undefined;
  /** Counts attempts: what belongs to an earlier one is of no interest. */
  #attempt = 0;
  #triedMs = Number.NEGATIVE_INFINITY;
  #tryAtMs = Number.POSITIVE_INFINITY;
  #deadAtMs = Number.POSITIVE_INFINITY;
  #wasProven = false;
  /** Asked and not answered, as long as the way is not proven. */
  #held: Asks[] = [];

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#ladder = new Ladder(options.rungs, Math.random);
    void this.#try();
  }

  get rung(): Rung {
    return this.#ladder.rung;
  }

  get transport(): CoreTransport {
    return this.#ladder.rung.server.transport.toUpperCase() as CoreTransport;
  }

  get isOpen(): boolean {
    return this.#way !== undefined;
  }

  /** Whether it was taken: there is a way. */
  send(octets: Uint8Array, asks: Asks | undefined): boolean {
    if (this.#way === undefined) return false;
    this.#way.send(octets);
    if (asks !== undefined && !this.#ladder.isProven) this.#await(asks);
    return true;
  }

  /** A request while there is no way. False: too many wait already. */
  hold(asks: Asks): boolean {
    if (now() - this.#triedMs > EAGER_MS && this.state === 'waiting') void this.#try();
    return this.#keep(asks);
  }

  keep(seconds: number | undefined): void {
    this.#way?.keep(seconds);
  }

  /** Addresses of this machine are gone, or there are others: what was learnt may not hold any more. */
  networkChanged(gone: readonly string[]): void {
    const local = this.#way?.localAddress;
    if (this.#way !== undefined && local !== undefined && !gone.includes(local)) return;
    this.#ladder.reset();
    this.#drop();
    void this.#try();
  }

  close(): void {
    this.#drop();
    this.#alarm.clear();
    this.#set('closed');
  }

  async #try(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const { rung } = this.#ladder;
    this.#triedMs = now();
    this.#tryAtMs = Number.POSITIVE_INFINITY;
    this.#set('connecting');
    await this.#options.allow(rung);
    if (attempt !== this.#attempt) return;
    const way = await this.#open(rung, this.#eventsOf(attempt));
    if (attempt !== this.#attempt) {
      if (!isIoFault(way)) way.close();
    } else if (isIoFault(way)) {
      this.#failed(way);
    } else {
      this.#opened(way);
    }
  }

  async #open(rung: Rung, events: WayEvents): Promise<Way | IoFault> {
    const { transport, host, port } = rung.server;
    if (transport === 'udp') return DatagramWay.open(host, port, events);
    this.#dial = this.#options.dial(rung);
    const stream = await this.#dial.result;
    return isIoFault(stream) ? stream : new StreamWay(stream, events);
  }

  #opened(way: Way): void {
    this.#way = way;
    this.#dial = undefined;
    this.#set('open');
    this.#options.events.opened(this.rung, this.#wasProven);
    const held = this.#held;
    this.#held = [];
    for (const asks of held) this.#options.events.again(asks);
  }

  #await(asks: Asks): void {
    this.#keep(asks);
    if (!this.#ladder.hasOthers || this.#deadAtMs !== Number.POSITIVE_INFINITY) return;
    this.#deadAtMs = now() + SILENT_MS;
    this.#alarm.set(this.#deadAtMs);
  }

  #keep(asks: Asks): boolean {
    const { text } = asks.request;
    if (this.#held.some(({ request }) => request.text === text)) return true;
    if (this.#held.length >= MAX_HELD) return false;
    this.#held.push(asks);
    return true;
  }

  #eventsOf(attempt: number): WayEvents {
    const { events } = this.#options;
    const mine = (act: () => void) => {
      if (attempt === this.#attempt) act();
    };
    return {
      message: (message) =>
        mine(() => {
          this.#proven();
          events.message(message);
        }),
      bad: () => mine(() => events.bad()),
      alive: () => mine(() => this.#proven()),
      refused: () => mine(() => events.refused()),
      gone: (fault) => mine(() => this.#failed(fault)),
    };
  }

  #proven(): void {
    if (this.#ladder.isProven) return;
    this.#ladder.proven();
    this.#deadAtMs = Number.POSITIVE_INFINITY;
    this.#held = [];
    this.#set('proven');
    this.#wasProven = true;
    this.#options.events.proven(this.rung);
  }

  #failed(fault: IoFault): void {
    const { rung } = this.#ladder;
    this.#drop();
    this.#options.events.lost(rung, fault);
    const { waitMs, roundIsOver } = this.#ladder.failed();
    if (roundIsOver) {
      const held = this.#held;
      this.#held = [];
      this.#options.events.unreachable(held);
    }
    if (waitMs === 0) {
      void this.#try();
      return;
    }
    this.#set('waiting');
    this.#tryAtMs = now() + waitMs;
    this.#alarm.set(this.#tryAtMs);
  }

  #drop(): void {
    // Its events, and an attempt under way, do not count any more.
    this.#attempt += 1;
    this.#way?.close();
    this.#way = undefined;
    this.#dial?.abandon();
    this.#dial = undefined;
    this.#deadAtMs = Number.POSITIVE_INFINITY;
    this.#tryAtMs = Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    if (this.state === 'closed') return;
    if (now() >= this.#deadAtMs) {
      const text = `${rungName(this.rung)} does not answer`;
      this.#failed({ type: 'io-fault', code: 'ETIMEDOUT', text });
    } else if (now() >= this.#tryAtMs) {
      void this.#try();
    }
    this.#alarm.set(Math.min(this.#deadAtMs, this.#tryAtMs));
  }

  #set(state: CoreState): void {
    this.state = state;
    this.sinceMs = now();
  }
}
