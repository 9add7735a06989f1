/**
 * What the UE's session descriptions tell once the public addresses were put in (sdp/apply.ts), for
 * comparison with what is seen at the core (M-06, M-12: the 5-tuple equals the SDP addresses).
 */
import { apply } from '../../sdp/apply.ts';
import { type MediaAddress, mediaAddresses } from '../../sdp/media.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { type Description, endpointKey } from './descriptions.ts';

export class ToldAddresses {
  /** Everything that was told instead of a UE socket, in any description. */
  readonly #told = new Map<string, Set<string>>();

  constructor(descriptions: readonly Description[], bound: ReadonlyMap<string, Endpoint>) {
    for (const { octets, media } of descriptions) {
      const applied = apply(octets, (local, transport) =>
        bound.get(endpointKey(local, transport === 'tcp' ? 6 : 17)),
      );
      if (applied.type !== 'applied') continue;
      const after = mediaAddresses(applied.octets);
      if (!('code' in after)) this.#compare(media, after, bound);
    }
  }

  /** Whether some description tells something else in place of this UE socket. */
  isOther(ue: Endpoint, protocol: 6 | 17, address: Endpoint): boolean {
    const told = this.#told.get(endpointKey(ue, protocol));
    if (told === undefined) return false;
    return told.size > 1 || !told.has(formatEndpoint(address));
  }

  #compare(
    before: readonly MediaAddress[],
    after: readonly MediaAddress[],
    bound: ReadonlyMap<string, Endpoint>,
  ): void {
    for (const [i, { rtp, rtcp, transport }] of before.entries()) {
      const protocol = transport === 'tcp' ? 6 : 17;
      for (const [was, is] of [
        [rtp, after[i]?.rtp],
        [rtcp, after[i]?.rtcp],
      ] as const) {
        const key = was === undefined ? '' : endpointKey(was, protocol);
        if (!bound.has(key)) continue;
        const told = this.#told.get(key) ?? new Set();
        told.add(is === undefined ? 'nothing' : formatEndpoint(is));
        this.#told.set(key, told);
      }
    }
  }
}
