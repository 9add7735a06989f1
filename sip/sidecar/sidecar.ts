/**
 * The proxy beside a phone (TR 33.830 8.3, 8.6; standards R-01, M-03, M-06, M-17): messages in, messages and
 * wishes out.
 *
 *   phone ⇄ sidecar ⇄ one flow to the core
 *
 * The network sees a UE that sends from this flow: one Via, a name in it that is no address (as RFC 7118 does
 * it), no Record-Route of ours. The phone sees an outbound proxy that stays in its dialogs. No transaction
 * has a timer here: the phone repeats what gets lost. Time is an argument, in milliseconds; outputs wait
 * until `poll` has given them all.
 */
import type { Mapped } from '../../sdp/addresses.ts';
import { type Description, descriptionsIn, octetsIn, replaceDescription } from '../body.ts';
import { refusal } from '../check.ts';
import type { Edit } from '../edit.ts';
import { callIdOf, cseqOf, tagOf } from '../identity.ts';
import { flowTimer } from '../keep.ts';
import { type Message, type Request, readDatagram } from '../message.ts';
import type { Role, Side } from '../negotiation.ts';
import { type Binding, Registrations } from '../registrations.ts';
import { CallBook } from './call-book.ts';
import { CallMedia, hidden, type Kind, type MediaPolicy, withoutMarks } from './call-media.ts';
import { shortenExpiry } from './expiry.ts';
import { Holdings } from './holdings.ts';
import { type CoreTransport, Hops, type HopsOptions, type Passing, type Stopped } from './hops.ts';
import type { Asks, SidecarOutput, SipDrop } from './outputs.ts';
import type { Peer } from './phones.ts';
import { Silence } from './silence.ts';
import { WaitingCalls } from './waiting.ts';

export interface SidecarOptions extends HopsOptions {
  /** Asked when a call begins. */
  readonly policy: () => MediaPolicy;
  /** When media came last from what the phone has bound, by the key of the need. */
  readonly sentMs: () => ReadonlyMap<string, number>;
  /** Longest time that a phone is told to be registered. */
  readonly mostRegisteredMs: number;
}

type Arrival =
  | { readonly from: 'phone'; readonly message: Message; readonly peer: Peer }
  | { readonly from: 'core'; readonly message: Message };

/** A message whose description waits to be rewritten. */
interface Job {
  readonly arrival: Arrival;
  readonly passing: Passing;
  readonly media: CallMedia;
  readonly kind: Kind;
  readonly description: Description;
  readonly sdp: Uint8Array;
}

const MS_PER_S = 1_000;
/** How often is looked for phones that are gone, while there are calls. */
export const LOOK_MS = 30_000;

export class Sidecar {
  readonly drops = new Map<SipDrop, number>();
  readonly #options: SidecarOptions;
  readonly #hops: Hops;
  readonly #holdings = new Holdings();
  readonly #book: CallBook;
  readonly #registrations = new Registrations();
  readonly #silence = new Silence();
  readonly #waiting = new WaitingCalls<Job, Arrival>();
  readonly #outputs: SidecarOutput[] = [];
  #isDraining = false;
  /** Infinity while there are no calls. */
  #lookAtMs = Number.POSITIVE_INFINITY;

  constructor(options: SidecarOptions) {
    this.#options = options;
    this.#hops = new Hops(options);
    this.#book = new CallBook(this.#holdings, options.policy);
  }

  get calls(): { readonly all: number; readonly tunnelled: number; readonly waiting: number } {
    const { count, tunnelled } = this.#book;
    return { all: count, tunnelled, waiting: this.#waiting.count };
  }

  registrations(now: number): readonly Binding[] {
    return this.#registrations.bindings(now);
  }

  setCore(transport: CoreTransport): void {
    this.#hops.setCore(transport);
  }

  forgetPhone(conn: number): void {
    this.#hops.forgetPhone(conn);
    this.#silence.forget(conn);
  }

  /** Whether a phone in a call, or one that is registered, is reached by this connection. */
  needsPhone(conn: number, now: number): boolean {
    return this.#silence.isRegistered(conn, now) || this.#book.needs(conn);
  }

  /** From now on no call begins; those that there are go on. */
  drain(): void {
    this.#isDraining = true;
  }

  fromPhone(message: Message, peer: Peer, now: number): void {
    this.#silence.heard(peer, now);
    this.#arrived({ from: 'phone', message, peer }, now);
  }

  fromCore(message: Message, now: number): void {
    this.#arrived({ from: 'core', message }, now);
  }

  /** There is no way to the core: whoever asks is told so. */
  undeliverable({ request, peer }: Asks, now: number): void {
    this.#silence.heard(peer, now);
    const refused = this.#hops.refuse(request, peer, refusal(503, 'Service Unavailable'));
    this.#stop(refused, now, 'no-core');
  }

  /** What was needed is there, or is not to be had. Again when it is another now. */
  settled(key: string, mapped: readonly Mapped[] | undefined, now: number): void {
    if (this.#holdings.settle(key, mapped)) {
      for (const media of this.#holdings.holdersOf(key)) {
        if (media instanceof CallMedia) media.forgetSaid();
      }
    }
    for (const callId of this.#waiting.settled(key)) this.#resume(callId, now);
  }

  timeout(now: number): void {
    for (const callId of this.#waiting.late(now)) this.#resume(callId, now);
    this.#book.negotiations.timeout(now);
    if (now >= this.#lookAtMs) this.#look(now);
    this.#settleCalls(now);
    for (const need of this.#holdings.expired(now)) this.#outputs.push({ type: 'unneeded', need });
  }

  nextTimeout(): number {
    const { negotiations } = this.#book;
    return Math.min(
      this.#waiting.nextTimeout(),
      negotiations.nextTimeout(),
      this.#holdings.nextTimeout(),
      this.#lookAtMs,
    );
  }

  poll(): SidecarOutput | undefined {
    return this.#outputs.shift();
  }

  count(reason: SipDrop, n = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + n);
  }

  #arrived(arrival: Arrival, now: number): void {
    const callId = callIdOf(arrival.message);
    const waiting = this.#waiting.of(callId);
    if (waiting === undefined) {
      this.#pass(arrival, now);
    } else if ([waiting.job.arrival, ...waiting.behind].some((one) => isSame(one, arrival))) {
      this.count('retransmission');
    } else if (!this.#waiting.follow(callId, arrival)) {
      this.count('too-many-waiting');
    }
  }

  #pass(arrival: Arrival, now: number): void {
    const { message } = arrival;
    if (this.#isDraining && begins(message) && !this.#book.knows(callIdOf(message))) {
      this.#refuseNew(arrival, message, now);
      return;
    }
    const passing =
      arrival.from === 'phone'
        ? this.#hops.fromPhone(message, arrival.peer)
        : this.#hops.fromCore(message);
    if (passing.type === 'stopped') {
      this.#stop(passing, now);
      return;
    }
    this.#registered(passing, now);
    const job = this.#jobOf(arrival, passing, now);
    if (arrival.from === 'phone') {
      this.#book.heard(requesterOf('phone', message), message, arrival.peer, now);
    }
    if (job === undefined) this.#send(passing);
    else this.#prepare(job, now);
    this.#settleCalls(now);
  }

  #stop({ drop, answer }: Stopped, now: number, reason: SipDrop = drop): void {
    this.count(reason);
    if (answer === undefined) return;
    this.#outputs.push(answer);
    // An answer of our own ends what it answers, as one of the other side would; but a phone that is gone
    // for now may come back to its dialogs.
    const said = readDatagram(answer.octets, 0, answer.octets.length);
    if (typeof said === 'number' || (drop === 'no-phone' && !isToBye(said))) return;
    this.#negotiate(answer.type === 'to-phone' ? 'core' : 'phone', said, undefined, now);
    this.#settleCalls(now);
  }

  #refuseNew(arrival: Arrival, request: Request, now: number): void {
    const answer = refusal(503, 'Service Unavailable');
    const stopped =
      arrival.from === 'phone'
        ? this.#hops.refuse(request, arrival.peer, answer)
        : this.#hops.refuseCore(request, answer, 'draining');
    this.#stop(stopped, now, 'draining');
  }

  /** Undefined: its description, if it has one, opens and settles nothing. */
  #jobOf(arrival: Arrival, passing: Passing, now: number): Job | undefined {
    const { from, message } = passing;
    const all = descriptionsIn(message) ?? [];
    const described = all.find(({ disposition }) => disposition === 'session');
    const sdp = described === undefined ? undefined : octetsIn(message, described);
    const role = this.#negotiate(from, message, sdp, now);
    const settles = role !== 'none' && role !== 'stray';
    const requester = requesterOf(from, message);
    const media = settles ? this.#book.media(requester, message, now) : undefined;
    const others = all.filter((one) => one !== described);
    this.#setAside(passing, others, media?.usesTunnel === true);
    if (described === undefined || sdp === undefined) return undefined;
    if (media === undefined || !media.mayTunnel) {
      show(passing.edit, described, sdp, this.#alone(from, message, sdp));
      return undefined;
    }
    this.#lookAtMs = Math.min(this.#lookAtMs, now + LOOK_MS);
    const kind = role === 'offer' ? 'offer' : 'answer';
    return { arrival, passing, media, kind, description: described, sdp };
  }

  /** Media beside those of the session, as early ones (RFC 3959), never take the tunnel; nor do they show more. */
  #setAside({ from, message, edit }: Passing, others: Description[], isTunnelled: boolean): void {
    const hides = from === 'phone' && (isTunnelled || this.#options.policy().tunnels);
    for (const other of others) {
      const sdp = octetsIn(message, other);
      const shown = from === 'core' ? withoutMarks(sdp) : hides ? hidden(sdp, undefined) : sdp;
      show(edit, other, sdp, shown);
    }
  }

  /** A description that opens and settles nothing. */
  #alone(from: Side, message: Message, sdp: Uint8Array): Uint8Array {
    if (from === 'core') return withoutMarks(sdp);
    const hides = this.#options.policy().tunnels && saysWhatItCan(message);
    return hides ? hidden(sdp, undefined) : sdp;
  }

  #negotiate(from: Side, message: Message, sdp: Uint8Array | undefined, now: number): Role {
    const { negotiations } = this.#book;
    if (message.type === 'request') return negotiations.request(from, message, sdp, now);
    return negotiations.response(from, message, sdp, now);
  }

  /** Asks for what is missing; what has been said before is said again as it was. */
  #prepare(job: Job, now: number): void {
    const { media, kind, sdp, passing } = job;
    const said = media.said(passing.from, kind, sdp);
    if (said !== undefined) {
      this.#finish(job, said);
      return;
    }
    const needs = media.needs(passing.from, kind, sdp);
    for (const need of needs) {
      const wanted = this.#holdings.hold(need, media);
      if (wanted !== undefined) this.#outputs.push({ type: 'need', need: wanted });
    }
    const missing = needs.map(({ key }) => key).filter((key) => this.#holdings.isAwaited(key));
    const callId = callIdOf(passing.message);
    const waits = missing.length > 0 && this.#waiting.wait(callId, job, new Set(missing), now);
    if (!waits) this.#complete(job);
  }

  #complete(job: Job): void {
    const { media, kind, sdp, passing } = job;
    const { from, message } = passing;
    const octets = media.rewrite(from, kind, sdp, (key) => this.#holdings.mapped(key));
    for (const ends of media.ends()) this.#outputs.push({ type: 'ends', ends });
    const lacks = from === 'phone' && media.lacksTunnel;
    if (lacks) this.#outputs.push({ type: 'without-tunnel', callId: callIdOf(message) });
    this.#finish(job, octets);
  }

  #finish({ passing, description, sdp }: Job, octets: Uint8Array): void {
    show(passing.edit, description, sdp, octets);
    this.#send(passing);
  }

  #send({ edit, output }: Passing): void {
    this.#outputs.push(output(edit.octets()));
  }

  /** What waited goes, with what it has got, and those behind it up to the next that has to wait. */
  #resume(callId: string, now: number): void {
    const waiting = this.#waiting.take(callId);
    if (waiting === undefined) return;
    this.#complete(waiting.job);
    for (const arrival of waiting.behind) this.#arrived(arrival, now);
    this.#settleCalls(now);
  }

  #settleCalls(now: number): void {
    for (const callId of this.#book.settle(now)) {
      this.#outputs.push({ type: 'call-ended', callId });
    }
  }

  #look(now: number): void {
    for (const callId of this.#book.abandon(this.#silence, this.#options.sentMs(), now)) {
      this.#outputs.push({ type: 'abandoned', callId });
    }
    this.#lookAtMs = this.#book.count === 0 ? Number.POSITIVE_INFINITY : now + LOOK_MS;
  }

  #registered({ message, edit, transaction, keep }: Passing, now: number): void {
    const register = transaction?.register;
    if (register === undefined || message.type !== 'response') return;
    const change = this.#registrations.response(register, message, now);
    if (change === undefined) return;
    const { mostRegisteredMs } = this.#options;
    shortenExpiry(edit, message, Math.round(mostRegisteredMs / MS_PER_S));
    const { type, aor, seconds } = change;
    const { peer } = transaction ?? {};
    if (peer !== undefined) this.#silence.registered(peer, seconds, now);
    this.#outputs.push({ type, aor, seconds, peer });
    this.#outputs.push({ type: 'keep', seconds: flowTimer(message) ?? keep });
  }
}

/** Puts `shown` where `sdp` stands; as a rule it is the same. */
function show(edit: Edit, description: Description, sdp: Uint8Array, shown: Uint8Array): void {
  if (shown !== sdp) replaceDescription(edit, description, shown);
}

function isSame(a: Arrival, b: Arrival): boolean {
  return a.from === b.from && a.message.text === b.message.text;
}

function begins(message: Message): message is Request {
  return message.type === 'request' && message.method === 'INVITE' && tagOf(message, 'to') === '';
}

/** OPTIONS, answers to it and refusals: nobody sends media to what they name (RFC 3264 clause 9). */
function saysWhatItCan(message: Message): boolean {
  if (message.type === 'response' && message.status >= 300) return true;
  return cseqOf(message)?.method === 'OPTIONS';
}

function isToBye(response: Message): boolean {
  return cseqOf(response)?.method === 'BYE';
}

/** Who sent the request that this is, or that this answers. */
function requesterOf(from: Side, message: Message): Side {
  if (message.type === 'request') return from;
  return from === 'phone' ? 'core' : 'phone';
}
