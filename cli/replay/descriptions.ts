/**
 * The session descriptions of a capture, and the media endpoints that they tell. The same description
 * comes many times (retransmissions, both sides of a proxy); it is kept once. Bounded: MAX_DESCRIPTIONS
 * of at most 64 KiB each.
 */
import { Buffer } from 'node:buffer';
import { type MediaAddress, mediaAddresses } from '../../sdp/media.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';

const MAX_DESCRIPTIONS = 1_024;

export interface Description {
  readonly octets: Uint8Array;
  readonly media: readonly MediaAddress[];
}

export class Descriptions {
  /** Descriptions that were not kept, for lack of room. */
  beyondLimit = 0;
  readonly #byText = new Map<string, Description>();
  /** `17 192.0.2.1:4000` of every endpoint told. */
  readonly #told = new Set<string>();

  /** Takes a description as it was on the wire; what cannot be read tells nothing. */
  learn(octets: Uint8Array): void {
    const text = Buffer.from(octets).toString('latin1');
    if (this.#byText.has(text)) return;
    if (this.#byText.size === MAX_DESCRIPTIONS) {
      this.beyondLimit += 1;
      return;
    }
    const media = mediaAddresses(octets);
    if ('code' in media) return;
    this.#byText.set(text, { octets, media });
    for (const one of media) for (const key of endpointsOf(one)) this.#told.add(key);
  }

  get all(): readonly Description[] {
    return [...this.#byText.values()];
  }

  get none(): boolean {
    return this.#told.size === 0;
  }

  tells(endpoint: Endpoint, protocol: 6 | 17): boolean {
    return this.#told.has(endpointKey(endpoint, protocol));
  }
}

export function endpointKey(endpoint: Endpoint, protocol: 6 | 17): string {
  return `${protocol} ${formatEndpoint(endpoint)}`;
}

function endpointsOf({ rtp, rtcp, transport }: MediaAddress): string[] {
  const protocol = transport === 'tcp' ? 6 : 17;
  return [rtp, rtcp].filter((one) => one !== undefined).map((one) => endpointKey(one, protocol));
}
