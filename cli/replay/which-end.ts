/**
 * Which end of a media flow is the UE? The capture was taken at the UE, but nothing in it says so.
 * The first of these rules that tells the two ends apart decides:
 *
 * 1. an address was given with --ue: that one; or media addresses with --media: the other one
 * 2. the capturing host sent the packets of one end and never received any from it (Linux cooked)
 * 3. one end has a private address (RFC 1918, RFC 6598, link-local, unique local), the other has not
 * 4. one end is in more media flows of the capture: a UE is in all of its own
 * 5. one end sent REGISTER, or else the first SIP request with a session description
 * 6. the end that sent first in the first flow between the two
 *
 * The answer is given once for each pair of addresses, so RTP and RTCP never disagree.
 */

import { isPrivate } from '../../sdp/private.ts';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import { type Prefix, prefixContains } from '../../wire/prefix.ts';
import type { Flow, Side } from './flows.ts';
import type { MediaRule } from './media-rule.ts';

/** What the SIP of the capture tells of an address. */
export interface Signalling {
  registered: boolean;
  /** Place among the SIP requests with a session description, from 0; Infinity: sent none. */
  firstOffer: number;
}

export interface Given {
  readonly ue: Prefix | undefined;
  readonly media: MediaRule | undefined;
}

/** Of all media flows of one address. */
interface Totals {
  readonly flows: number;
  readonly sent: number;
  readonly received: number;
}

const NOTHING: Totals = { flows: 0, sent: 0, received: 0 };
const SILENT: Signalling = { registered: false, firstOffer: Number.POSITIVE_INFINITY };

function addressKey(endpoint: Endpoint): string {
  return formatAddress(endpoint.address, 0, endpoint.address.length);
}

export class WhichEnd {
  readonly #given: Given;
  readonly #signalling: ReadonlyMap<string, Signalling>;
  readonly #totals = new Map<string, Totals>();
  /** By pair of addresses, the key of the UE's. */
  readonly #decided = new Map<string, string>();

  /** `flows` are all media flows of the capture. */
  constructor(given: Given, signalling: ReadonlyMap<string, Signalling>, flows: readonly Flow[]) {
    this.#given = given;
    this.#signalling = signalling;
    for (const flow of flows) {
      for (const side of [0, 1] as const) this.#add(addressKey(flow.ends[side]), flow, side);
    }
  }

  /** Undefined when what was given says that neither end is the UE, or both are. */
  of(flow: Flow): Side | undefined {
    const { ue, media } = this.#given;
    if (ue !== undefined) return only(flow.ends, (end) => isIn(ue, end));
    if (media !== undefined) return only(flow.ends, (end) => !media.contains(end));
    const [a, b] = flow.ends.map(addressKey);
    const pair = `${a} ${b}`;
    const known = this.#decided.get(pair);
    if (known !== undefined && a !== b) return known === a ? 0 : 1;
    const side = this.#decide(flow);
    this.#decided.set(pair, addressKey(flow.ends[side]));
    return side;
  }

  #decide(flow: Flow): Side {
    const keys = flow.ends.map(addressKey);
    const totals = keys.map((key) => this.#totals.get(key) ?? NOTHING);
    const signalling = keys.map((key) => this.#signalling.get(key) ?? SILENT);
    const byHost = only(totals, ({ sent, received }) => sent > 0 && received === 0);
    const byPrivacy = only(flow.ends, isPrivate);
    const byFlows = greater(totals.map((total) => total.flows));
    const byRegister = only(signalling, ({ registered }) => registered);
    const byOffer = greater(signalling.map(({ firstOffer }) => -firstOffer));
    return byHost ?? byPrivacy ?? byFlows ?? byRegister ?? byOffer ?? flow.firstSender;
  }

  #add(key: string, flow: Flow, side: Side): void {
    const { flows, sent, received } = this.#totals.get(key) ?? NOTHING;
    this.#totals.set(key, {
      flows: flows + 1,
      sent: sent + flow.sent[side],
      received: received + flow.received[side],
    });
  }
}

/** The side for which the test holds, when it holds for one of the two. */
function only<T>(ends: readonly T[], test: (end: T) => boolean): Side | undefined {
  const [a, b] = ends.map(test);
  if (a === b) return undefined;
  return a === true ? 0 : 1;
}

function greater([a = 0, b = 0]: readonly number[]): Side | undefined {
  if (a === b) return undefined;
  return a > b ? 0 : 1;
}

function isIn(prefix: Prefix, { address }: Endpoint): boolean {
  return prefixContains(prefix, address, 0, address.length);
}
