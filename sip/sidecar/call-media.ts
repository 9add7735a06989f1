/**
 * The media of one call, between phone and core: which m= lines take the tunnel, and how the descriptions
 * that say so look on the other side (tep-wire 8; M-03, M-04, M-06, M-17).
 *
 *                  offer                            answer
 *   phone → core   public addresses, "I can"        public addresses, "use it"
 *   core → phone   mark out, stand-ins in           mark out, stand-ins in
 *
 * An m= line takes the tunnel when the call is to (UDP does not pass), when an offer of the core asks for
 * it, or when it did before. One that cannot get what it needs goes on without, as it was written; in the
 * descriptions of a call none of whose media are native no private address is left.
 */
import type { Mapped } from '../../sdp/addresses.ts';
import { apply } from '../../sdp/apply.ts';
import { type Address, NO_PORT } from '../../sdp/fields.ts';
import { hide } from '../../sdp/hide.ts';
import { advertise, type Mark, mayHaveMarks, strip, tepMarks } from '../../sdp/marks.ts';
import type { Endpoint } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import type { Side } from '../negotiation.ts';
import { bindNeeds, type MediaLine, mediaLinesOf, type Need, standInNeeds } from './media-needs.ts';

export type Kind = 'offer' | 'answer';

export interface MediaPolicy {
  /** Whether media of new calls go through the tunnel without being asked to. */
  readonly tunnels: boolean;
  /** Whether the core may ask for it. */
  readonly obeysMarks: boolean;
  /** Whether the phone is told sockets of ours in place of the core's addresses. */
  readonly standIns: boolean;
}

/** The phone's address of a flow, and the core's: what belongs together. */
export interface Ends {
  readonly ue: Endpoint;
  readonly core: Endpoint;
}

/** A description as it came, and as it was passed on. */
interface Said {
  readonly from: Side;
  readonly kind: Kind;
  readonly sdp: Uint8Array;
  readonly octets: Uint8Array;
}

type Granted = (key: string) => readonly Mapped[] | undefined;

/** We listen nowhere (tep-wire 8). */
const OWN_MARK: Mark = { port: NO_PORT, transport: 'TCP' };
/** Descriptions that are remembered as they were passed on, for their retransmissions. */
const MAX_SAID = 8;

export class CallMedia {
  /** The last description of the phone was told as it was, in part: an address was not to be had. */
  lacksTunnel = false;
  readonly #policy: MediaPolicy;
  /** By m= line: whether it takes the tunnel. */
  #lines: boolean[] = [];
  #phone: readonly MediaLine[] = [];
  #core: readonly MediaLine[] = [];
  /** The public address that the core has been shown last. */
  #shown: Address | undefined;
  /** The core has seen the phone's own address: to hide it now would be another o= (RFC 3264 clause 8). */
  #hasShownOwn = false;
  /** Newest last. */
  #said: readonly Said[] = [];

  constructor(policy: MediaPolicy) {
    this.#policy = policy;
  }

  /** Otherwise its descriptions need not be read. */
  get mayTunnel(): boolean {
    return this.#policy.tunnels || this.#policy.obeysMarks;
  }

  /** Whether any m= line takes the tunnel. */
  get usesTunnel(): boolean {
    return this.#lines.includes(true);
  }

  /** The description as it was passed on before: a retransmission says the same. */
  said(from: Side, kind: Kind, sdp: Uint8Array): Uint8Array | undefined {
    const before = this.#said.find((one) => {
      return one.from === from && one.kind === kind && isSame(one.sdp, sdp);
    });
    return before?.octets;
  }

  /** What was granted is not the same any more. */
  forgetSaid(): void {
    this.#said = [];
  }

  /** What has to be there before `rewrite`. */
  needs(from: Side, kind: Kind, sdp: Uint8Array): Need[] {
    const media = mediaLinesOf(sdp);
    if (from === 'phone') this.#phone = media;
    else this.#core = media;
    if (kind === 'offer') this.#decide(from, sdp, media);
    return this.#live(media).flatMap((line) => this.#needsOf(from, line));
  }

  /** The description of the last `needs` as the other side is to see it, owned by the caller. */
  rewrite(from: Side, kind: Kind, sdp: Uint8Array, granted: Granted): Uint8Array {
    const octets =
      from === 'phone' ? this.#toCore(kind, sdp, granted) : this.#toPhone(kind, sdp, granted);
    this.#said = [...this.#said.slice(1 - MAX_SAID), { from, kind, sdp, octets }];
    return octets;
  }

  /** Flows of which both addresses are known. */
  ends(): Ends[] {
    return this.#live(this.#phone).flatMap((line) => {
      const core = this.#core[line.media];
      return [pair(line.rtp, core?.rtp), pair(line.rtcp, core?.rtcp)].flat();
    });
  }

  /** Keys of all that these descriptions may need. */
  static keysOf(from: Side, sdp: Uint8Array): string[] {
    const needs = from === 'phone' ? bindNeeds : standInNeeds;
    return mediaLinesOf(sdp).flatMap((line) => needs(line).map(({ key }) => key));
  }

  #decide(from: Side, sdp: Uint8Array, media: readonly MediaLine[]): void {
    const { tunnels, obeysMarks } = this.#policy;
    const marks = from === 'core' ? tepMarks(sdp) : [];
    const asked = 'type' in marks ? [] : marks.map(({ marked }) => obeysMarks && marked);
    this.#lines = media.map((_, i) => tunnels || asked[i] === true || this.#lines[i] === true);
  }

  #live(media: readonly MediaLine[]): MediaLine[] {
    return media.filter((line) => this.#lines[line.media] === true);
  }

  #needsOf(from: Side, line: MediaLine): Need[] {
    if (from === 'phone') return bindNeeds(line);
    return this.#policy.standIns ? standInNeeds(line) : [];
  }

  #toCore(kind: Kind, sdp: Uint8Array, granted: Granted): Uint8Array {
    const wanted = this.#live(this.#phone).filter((line) => bindNeeds(line).length > 0);
    const whole = wanted.filter((line) => isWhole(bindNeeds(line), granted));
    this.lacksTunnel = whole.length < wanted.length;
    const numbers = new Set(whole.map(({ media }) => media));
    // One that names no address for now, as in a hold by 0.0.0.0, stays what it was.
    const without = wanted.map(({ media }) => media).filter((media) => !numbers.has(media));
    if (kind === 'offer') for (const media of without) this.#lines[media] = false;
    const mapping = whole.flatMap((line) => grantsOf(bindNeeds(line), granted));
    this.#shown = mapping[0]?.public ?? this.#shown;
    // Native media need the phone's own addresses: gateways know by them that a NAT is on the way.
    this.#hasShownOwn ||= this.#phone.some((line) => {
      return bindNeeds(line).length > 0 && !numbers.has(line.media);
    });
    const told = mapping.length === 0 ? sdp : this.#withPublic(kind, sdp, mapping, numbers);
    const hides = !this.#hasShownOwn && (this.#policy.tunnels || this.#shown !== undefined);
    return hides ? hidden(told, this.#shown) : told;
  }

  #withPublic(kind: Kind, sdp: Uint8Array, mapping: Mapped[], numbers: ReadonlySet<number>) {
    const applied = apply(sdp, mapping, { kind });
    if (applied.type === 'sdp-problem') return sdp;
    const marks = this.#lines.map((_, i) => (numbers.has(i) ? OWN_MARK : undefined));
    const marked = advertise(applied.octets, marks);
    return 'type' in marked ? applied.octets : marked;
  }

  #toPhone(kind: Kind, sdp: Uint8Array, granted: Granted): Uint8Array {
    const stripped = withoutMarks(sdp);
    if (!this.#policy.standIns) return stripped;
    const needs = this.#live(this.#core).flatMap(standInNeeds);
    const mapping = grantsOf(needs, granted);
    if (mapping.length === 0) return stripped;
    // A core with a private address is none whose network the phone must not see.
    const applied = apply(stripped, mapping, { kind, privateCandidates: 'keep' });
    return applied.type === 'sdp-problem' ? stripped : applied.octets;
  }
}

/** What no media use shows nothing of the phone's network (M-17). */
export function hidden(sdp: Uint8Array, shown: Address | undefined): Uint8Array {
  const octets = hide(sdp, shown);
  return 'type' in octets ? sdp : octets;
}

export function withoutMarks(sdp: Uint8Array): Uint8Array {
  const stripped = mayHaveMarks(sdp) ? strip(sdp) : sdp;
  return 'type' in stripped ? sdp : stripped;
}

function isWhole(needs: readonly Need[], granted: Granted): boolean {
  return needs.every(({ key }) => granted(key) !== undefined);
}

function grantsOf(needs: readonly Need[], granted: Granted): Mapped[] {
  return needs.flatMap(({ key }) => granted(key) ?? []);
}

function pair(ue: Endpoint | undefined, core: Endpoint | undefined): Ends[] {
  return ue === undefined || core === undefined ? [] : [{ ue, core }];
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equal(a, 0, b, 0, a.length);
}
