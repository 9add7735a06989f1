/**
 * Public ports: which is free, and who has it (tep-wire 5). Each (address, port, protocol) has exactly
 * one owner; two UEs behind one NAT share the address, so ports are what tells them apart (C-22).
 *
 * - The wanted port is granted when it is free and inside the range: what lies outside the operator
 *   keeps for other things (packet filters, other servers of the host).
 * - Otherwise the choice is random, so that nobody off the path can guess where media will arrive
 *   (RFC 6056 2), and of the same parity as the wanted one (RFC 4787 REQ-4) while there is such a one.
 * - After a few random tries every port is looked at in turn: the last free one is found.
 * - A pair is an even port with its odd neighbour, for RTP with RTCP (RFC 3550 11).
 *
 * Memory: two endpoint tables (see there): 48 to 96 octets a port in use, and as much for each
 * (address, protocol) in use; `maxPorts` bounds both.
 */

import { MAX_PORT } from '../wire/address.ts';
import { u32 } from '../wire/bytes.ts';
import { EndpointTable } from './endpoint-table.ts';

/** With nine ports of ten in use, random tries fail once in five times; then the walk is short. */
const RANDOM_TRIES = 16;

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PortAllocatorOptions {
  readonly range: PortRange;
  /** Ports of the range never granted, such as the listener's own where it shares the address. */
  readonly excluded?: readonly number[];
  /** Most ports in use at a time, over all addresses. */
  readonly maxPorts: number;
  /** 8 secret random octets for the tables. */
  readonly seed: Uint8Array;
  /** Unpredictable octets. */
  readonly random: (length: number) => Uint8Array;
}

export interface PortWish {
  /** 0: any. */
  readonly port: number;
  /** Also the odd port above it. */
  readonly pair: boolean;
}

/** An arithmetic sequence of candidates. */
interface Lane {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export class PortAllocator {
  /** (address, port, protocol) → owner. For `find` on the data path; only this class writes to it. */
  readonly owners: EndpointTable;
  readonly #range: PortRange;
  readonly #excluded: ReadonlySet<number>;
  readonly #grantable: number;
  readonly #random: (length: number) => Uint8Array;
  /** (address, 0, protocol) → ports in use, so that a full address is refused without a walk. */
  readonly #inUse: EndpointTable;

  constructor({ range, excluded = [], maxPorts, seed, random }: PortAllocatorOptions) {
    const { first, last } = range;
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last > MAX_PORT) {
      throw new RangeError(`port range ${first}-${last} is not inside 1-${MAX_PORT}`);
    }
    if (first > last) throw new RangeError(`port range ${first}-${last} is empty`);
    this.#range = range;
    this.#excluded = new Set(excluded.filter((port) => port >= first && port <= last));
    this.#grantable = last - first + 1 - this.#excluded.size;
    this.#random = random;
    this.owners = new EndpointTable({ seed, maxEntries: maxPorts });
    this.#inUse = new EndpointTable({ seed, maxEntries: maxPorts });
  }

  /**
   * The port now owned by `owner`, or 0 when none is to be had (508). Of a pair it is the even one;
   * the odd one is owned by `oddOwner`.
   */
  take(
    address: Uint8Array,
    protocol: number,
    wish: PortWish,
    owner: number,
    oddOwner: number = owner,
  ): number {
    const wanted = wish.pair ? 2 : 1;
    const inUse = Math.max(0, this.#inUse.find(address, 0, address.length, 0, protocol));
    if (inUse + wanted > this.#grantable) return 0;
    if (this.owners.size + wanted > this.owners.maxEntries) return 0;
    const port = this.#choose(address, protocol, wish);
    if (port === 0) return 0;
    this.owners.set(address, 0, address.length, port, protocol, owner);
    if (wish.pair) this.owners.set(address, 0, address.length, port + 1, protocol, oddOwner);
    this.#inUse.set(address, 0, address.length, 0, protocol, inUse + wanted);
    return port;
  }

  /** One port; each of a pair is released by itself. Whether it was in use. */
  release(address: Uint8Array, port: number, protocol: number): boolean {
    if (!this.owners.delete(address, 0, address.length, port, protocol)) return false;
    const left = this.#inUse.find(address, 0, address.length, 0, protocol) - 1;
    if (left === 0) this.#inUse.delete(address, 0, address.length, 0, protocol);
    else this.#inUse.set(address, 0, address.length, 0, protocol, left);
    return true;
  }

  #choose(address: Uint8Array, protocol: number, wish: PortWish): number {
    const { port, pair } = wish;
    const parityRight = !pair || port % 2 === 0;
    if (port !== 0 && parityRight && this.#free(address, protocol, port, pair)) return port;
    if (pair) return this.#pick(address, protocol, this.#lane(0, 2, 1), true);
    if (port === 0)
      return this.#pick(address, protocol, this.#lane(this.#range.first, 1, 0), false);
    const same = this.#pick(address, protocol, this.#lane(port, 2, 0), false);
    return same || this.#pick(address, protocol, this.#lane(port + 1, 2, 0), false);
  }

  /** The candidates from the range's first port of `like`'s parity, `room` ports above each. */
  #lane(like: number, step: number, room: number): Lane {
    const first = this.#range.first + ((like - this.#range.first) & (step - 1));
    const count = Math.floor((this.#range.last - room - first) / step) + 1;
    return { first, step, count };
  }

  #pick(address: Uint8Array, protocol: number, lane: Lane, pair: boolean): number {
    if (lane.count <= 0) return 0;
    const dice = this.#random(RANDOM_TRIES * 4);
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const port = lane.first + (u32(dice, i * 4) % lane.count) * lane.step;
      if (this.#free(address, protocol, port, pair)) return port;
    }
    const start = u32(dice, 0) % lane.count;
    for (let i = 0; i < lane.count; i++) {
      const port = lane.first + ((start + i) % lane.count) * lane.step;
      if (this.#free(address, protocol, port, pair)) return port;
    }
    return 0;
  }

  #free(address: Uint8Array, protocol: number, port: number, pair: boolean): boolean {
    if (pair && !this.#free(address, protocol, port + 1, false)) return false;
    if (port < this.#range.first || port > this.#range.last) return false;
    if (this.#excluded.has(port)) return false;
    return this.owners.find(address, 0, address.length, port, protocol) === -1;
  }
}
