/**
 * The way to the core: found by the ladder, opened again when it breaks. A way that keeps silent is not
 * waited for: the next one is tried beside it, and the first that answers is taken. What the phone asked is
 * asked by that one too where a core may hear it twice; anything else goes by one way, as long as that lasts.
 * What is asked while there is no way waits a moment.
 *
 * Memory: MAX_HELD requests; as many connections at a time as there are rungs, as a rule one.
 */
import type { Alarm, Clock } from '../../io/clock.ts';
import type { IoFault } from '../../io/io-fault.ts';
import type { Message } from '../../sip/message.ts';
import type { CoreTransport } from '../../sip/sidecar/hops.ts';
import { Ladder } from '../../sip/sidecar/ladder.ts';
import type { Asks } from '../../sip/sidecar/outputs.ts';
import { Attempt, type AttemptEvents, type AttemptParts } from './attempt.ts';
import { type Rung, rungName } from './rungs.ts';

export const MAX_HELD = 64;
/** A way that is not there by then, or has not answered a request, gets the next one beside it. */
const HURRY_MS = 1_000;
/** A way that has not answered a request for so long is dead: longer than three repetitions by UDP. */
const SILENT_MS = 4_000;
/** The phone wants something: an attempt is made at once, unless the last one was so short ago. */
const EAGER_MS = 2_000;

/** Of no consequence when they come by two ways; of an INVITE that would be a call (RFC 3261 clause 8.2.2.2). */
const RACING: ReadonlySet<string> = new Set(['REGISTER', 'OPTIONS']);

const NEVER = Number.POSITIVE_INFINITY;

export type CoreState = 'connecting' | 'open' | 'proven' | 'waiting' | 'closed';

export interface CoreEvents {
  message(message: Message): void;
  bad(): void;
  refused(): void;
  /** Requests are sent by this from now on. `isAgain`: there was another way, which worked. */
  opened(rung: Rung, isAgain: boolean): void;
  /** The core has answered by this way, by which requests are sent from now on. */
  proven(rung: Rung): void;
  lost(rung: Rung, fault: IoFault): void;
  again(asks: Asks): void;
  /** No way is to be had. */
  unreachable(held: readonly Asks[]): void;
}

export interface CoreOptions extends AttemptParts {
  readonly rungs: readonly Rung[];
  readonly events: CoreEvents;
  readonly clock: Clock;
}

export class CoreSide {
  state: CoreState = 'connecting';
  sinceMs: number;
  /** In use, or the last one that was tried. */
  rung: Rung;
  readonly #options: CoreOptions;
  readonly #ladder: Ladder<Rung>;
  readonly #clock: Clock;
  readonly #alarm: Pick<Alarm, 'set' | 'clear'>;
  readonly #events: AttemptEvents = {
    opened: (attempt) => this.#use(attempt),
    answers: (attempt) => this.#answers(attempt),
    message: (message) => this.#options.events.message(message),
    bad: () => this.#options.events.bad(),
    refused: () => this.#options.events.refused(),
    failed: (attempt, fault) => this.#failed(attempt, fault),
  };
  /** Oldest first; one alone when it is proven. */
  readonly #attempts = new Set<Attempt>();
  /** By which requests go: the one that is proven, or was opened last. */
  #current: Attempt | undefined;
  /** By which alone go requests that must not race, as long as no way is proven. */
  #lone: Attempt | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;
  /** When a new round begins, after one in vain. */
  #tryAtMs = NEVER;
  /** When the one that worked last is tried again. */
  #returnAtMs = NEVER;
  /** When the next rung is tried beside those under way. */
  #hurryAtMs = NEVER;
  #wasProven = false;
  /** Asked and not answered, as long as the way is not proven. */
  #held: Asks[] = [];

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#alarm = options.clock.alarm(() => this.#ring());
    this.sinceMs = options.clock.now();
    const [first] = options.rungs;
    if (first === undefined) throw new RangeError('no way to the core');
    this.rung = first;
    this.#ladder = new Ladder(options.rungs, Math.random);
    this.#try();
  }

  get transport(): CoreTransport {
    return this.rung.server.transport.toUpperCase() as CoreTransport;
  }

  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  /** Whether it was taken: there is a way. */
  send(octets: Uint8Array, asks: Asks | undefined): boolean {
    const attempt = this.#current;
    if (attempt?.way === undefined) return false;
    attempt.way.send(octets);
    if (asks === undefined || this.#ladder.isProven) return true;
    if (!races(asks)) this.#lone = attempt;
    this.#await(attempt, asks);
    return true;
  }

  /** A request while there is no way. False: too many wait already. */
  hold(asks: Asks): boolean {
    if (this.#clock.now() - this.#triedMs > EAGER_MS && this.state === 'waiting') this.#try();
    return this.#keep(asks);
  }

  keep(seconds: number | undefined): void {
    this.#current?.way?.keep(seconds);
  }

  /** Addresses of this machine are gone, or there are others: what was learnt may not hold any more. */
  networkChanged(gone: readonly string[]): void {
    const local = this.#current?.way?.localAddress;
    if (local !== undefined && !gone.includes(local)) return;
    this.#ladder.reset();
    this.#dropAll();
    this.#try();
  }

  close(): void {
    this.#dropAll();
    this.#alarm.clear();
    this.#set('closed');
  }

  #try(): void {
    const rung = this.#ladder.next();
    if (rung !== undefined) this.#start(rung);
  }

  #start(rung: Rung): void {
    this.#triedMs = this.#clock.now();
    this.#tryAtMs = NEVER;
    if (this.#current === undefined) {
      this.rung = rung;
      this.#set('connecting');
    }
    this.#attempts.add(new Attempt(rung, this.#options, this.#events));
    this.#hurryAtMs = NEVER;
    this.#hurry();
  }

  /** What was asked is asked by this one, too, or what may be; the rest stays with the one that has it. */
  #use(attempt: Attempt): void {
    const lone = this.#lone;
    this.#take(attempt, this.#wasProven);
    const held = this.#held;
    this.#held = held.filter((asks) => lone !== undefined && !races(asks));
    for (const asks of held) if (!this.#held.includes(asks)) this.#options.events.again(asks);
    if (lone !== undefined && this.#lone === lone) this.#take(lone, false);
  }

  #take(attempt: Attempt, isAgain: boolean): void {
    this.#current = attempt;
    this.rung = attempt.rung;
    this.#set('open');
    this.#options.events.opened(attempt.rung, isAgain);
  }

  #await(attempt: Attempt, asks: Asks): void {
    this.#keep(asks);
    if (!this.#ladder.hasOthers || attempt.deadAtMs !== NEVER) return;
    attempt.deadAtMs = this.#clock.now() + SILENT_MS;
    this.#alarm.set(attempt.deadAtMs);
    this.#hurry();
  }

  #hurry(): void {
    this.#hurryAtMs = Math.min(this.#hurryAtMs, this.#clock.now() + HURRY_MS);
    this.#alarm.set(this.#hurryAtMs);
  }

  #keep(asks: Asks): boolean {
    const { text } = asks.request;
    if (this.#held.some(({ request }) => request.text === text)) return true;
    if (this.#held.length >= MAX_HELD) return false;
    this.#held.push(asks);
    return true;
  }

  #answers(attempt: Attempt): void {
    if (this.#ladder.isProven) return;
    this.#ladder.proven(attempt.rung);
    for (const other of this.#attempts) if (other !== attempt) this.#drop(other);
    attempt.deadAtMs = NEVER;
    this.#hurryAtMs = NEVER;
    this.#held = [];
    this.#lone = undefined;
    this.#current = attempt;
    this.rung = attempt.rung;
    this.#set('proven');
    this.#wasProven = true;
    this.#options.events.proven(attempt.rung);
  }

  #failed(attempt: Attempt, fault: IoFault): void {
    const { events } = this.#options;
    this.#drop(attempt);
    events.lost(attempt.rung, fault);
    const after = this.#ladder.failed(attempt.rung);
    if (this.#current === attempt) this.#fallBack();
    if (after.type === 'next') this.#try();
    if (after.type !== 'pause') {
      this.#returnIn(after.returnMs);
      return;
    }
    const held = this.#held;
    this.#held = [];
    events.unreachable(held);
    this.#set('waiting');
    this.#tryAtMs = this.#clock.now() + after.ms;
    this.#alarm.set(this.#tryAtMs);
  }

  #returnIn(ms: number | undefined): void {
    if (ms === undefined) return;
    this.#returnAtMs = this.#clock.now() + ms;
    this.#alarm.set(this.#returnAtMs);
  }

  #return(): void {
    this.#returnAtMs = NEVER;
    const rung = this.#ladder.back();
    if (rung !== undefined) this.#start(rung);
  }

  /** To another one that is open, if there is one. */
  #fallBack(): void {
    this.#current = undefined;
    const open = [...this.#attempts].findLast(({ way }) => way !== undefined);
    if (open === undefined) this.#set('connecting');
    else this.#use(open);
  }

  #drop(attempt: Attempt): void {
    attempt.close();
    this.#attempts.delete(attempt);
    if (this.#lone === attempt) this.#lone = undefined;
  }

  #dropAll(): void {
    for (const attempt of this.#attempts) this.#drop(attempt);
    this.#current = undefined;
    this.#hurryAtMs = NEVER;
    this.#tryAtMs = NEVER;
    this.#returnAtMs = NEVER;
  }

  #ring(): void {
    if (this.state === 'closed') return;
    const at = this.#clock.now();
    for (const attempt of [...this.#attempts]) {
      if (at < attempt.deadAtMs) continue;
      const text = `${rungName(attempt.rung)} does not answer`;
      this.#failed(attempt, { type: 'io-fault', code: 'ETIMEDOUT', text });
    }
    if (at >= this.#tryAtMs) this.#try();
    if (at >= this.#returnAtMs) this.#return();
    if (at >= this.#hurryAtMs) this.#besideThose();
    const wakes = [this.#nextDeathMs(), this.#tryAtMs, this.#returnAtMs, this.#hurryAtMs];
    this.#alarm.set(Math.min(...wakes));
  }

  /** Only when something is waited for: a way that is open and not asked anything is not late. */
  #besideThose(): void {
    this.#hurryAtMs = NEVER;
    const isOpening = [...this.#attempts].some(({ way }) => way === undefined);
    if (isOpening || this.#held.length > 0) this.#try();
  }

  #nextDeathMs(): number {
    return Math.min(NEVER, ...[...this.#attempts].map(({ deadAtMs }) => deadAtMs));
  }

  #set(state: CoreState): void {
    this.state = state;
    this.sinceMs = this.#clock.now();
  }
}

function races({ request }: Asks): boolean {
  return RACING.has(request.method);
}
