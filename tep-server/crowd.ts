/**
 * How many connections there may be: in all, and from one address before they are authenticated (G-22).
 * Of IPv6 an address is its /64 (session/counted-host.ts). Authenticated ones are not counted by address:
 * hundreds of phones can be behind one NAT, each with credentials.
 *
 * Memory: one small entry for each connection and for each address with an unauthenticated one.
 */
import { countedHost } from '../session/counted-host.ts';
import type { Endpoint } from '../wire/address.ts';

export interface CrowdLimits {
  readonly connections: number;
  /** Not authenticated ones from one address. */
  readonly connectionsPerAddress: number;
}

/** One connection among the others. */
export class Place {
  readonly #crowd: Crowd;
  #address = '';

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  /** Who is at the other end. False: there are too many of that address. */
  name(peer: Endpoint): boolean {
    const address = countedHost(peer.address);
    if (!this.#crowd.add(address)) return false;
    this.#address = address;
    return true;
  }

  /** From now on it is counted among all only. */
  authenticated(): void {
    if (this.#address !== '') this.#crowd.remove(this.#address);
    this.#address = '';
  }
}

export class Crowd {
  #limits: CrowdLimits;
  readonly #places = new Set<Place>();
  readonly #byAddress = new Map<string, number>();
  #unauthenticated = 0;

  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#places.size;
  }

  get unauthenticated(): number {
    return this.#unauthenticated;
  }

  /** Other limits from now on; who is there stays. */
  limit(limits: CrowdLimits): void {
    this.#limits = limits;
  }

  /** A place for a new connection; undefined when there is none. */
  enter(): Place | undefined {
    if (this.#places.size >= this.#limits.connections) return undefined;
    const place = new Place(this);
    this.#places.add(place);
    return place;
  }

  leave(place: Place): void {
    place.authenticated();
    this.#places.delete(place);
  }

  /** Only a place may call it. */
  add(address: string): boolean {
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#limits.connectionsPerAddress) return false;
    this.#byAddress.set(address, count + 1);
    this.#unauthenticated += 1;
    return true;
  }

  /** Only a place may call it. */
  remove(address: string): void {
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    this.#unauthenticated -= 1;
  }
}
