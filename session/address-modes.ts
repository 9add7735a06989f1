/**
 * Where public addresses come from (tep-wire 5), by configuration of TEP-S:
 *
 * - `reflexive` (the text of TR 33.830 8.6): the tunnel's client address as TEP-S sees it. Tunnels
 *   behind one NAT share it.
 * - `pool`: addresses of prefixes routed to TEP-S's own packet port. Each tunnel gets an address of
 *   its own; when none is left, tunnels share in turn.
 * - `relay`: own addresses of the host, with a real socket for each port. Dealt out like a pool.
 *
 * A tunnel keeps its address, one of each family, until `release`: all its media stand on one
 * address. A released pool address is dealt out again as late as possible, so that late packets of
 * the last call do not reach the next user. Of an IPv4 prefix the first and the last address are
 * left out (network and broadcast, to whoever routes it so), of an IPv6 prefix the first
 * (subnet-router anycast, RFC 4291 2.6.1), unless the prefix is too small for that (/31, /127).
 *
 * Memory: by tunnels alive and the most that ever were at a time, not by the size of the prefixes:
 * about 100 octets each.
 */
import type { Endpoint, Family } from '../wire/address.ts';
import { octetsOf, setU8, u8 } from '../wire/bytes.ts';
import { type Prefix, prefixContains } from '../wire/prefix.ts';
import type { PortRange } from './port-allocator.ts';

export type AddressMode = 'reflexive' | 'pool' | 'relay';

export type AddressOptions =
  | { readonly mode: 'reflexive' }
  /** For `relay` the prefixes are single addresses (or blocks all of which are the host's own). */
  | { readonly mode: 'pool' | 'relay'; readonly prefixes: readonly Prefix[] };

/**
 * Foreign and routed addresses have no sockets of this host on them: all ports but the registered
 * services' end of the range. Own addresses do: the dynamic range, as RFC 8656 7.2 has it for TURN.
 */
export const DEFAULT_PORTS: Readonly<Record<AddressMode, PortRange>> = {
  reflexive: { first: 16_384, last: 65_535 },
  pool: { first: 16_384, last: 65_535 },
  relay: { first: 49_152, last: 65_535 },
};

/** Of a larger prefix only the first so many addresses are used: 32 host bits. */
const MAX_HOST_BITS = 32;

export class PublicAddresses {
  readonly mode: AddressMode;
  readonly #prefixes: readonly Prefix[];
  readonly #deals: Readonly<Record<Family, Deal>>;

  constructor(options: AddressOptions) {
    this.mode = options.mode;
    const prefixes = options.mode === 'reflexive' ? [] : options.prefixes;
    this.#prefixes = prefixes;
    this.#deals = {
      4: new Deal(prefixes.filter((prefix) => prefix.family === 4)),
      6: new Deal(prefixes.filter((prefix) => prefix.family === 6)),
    };
  }

  /**
   * The address on which this tunnel gets its ports; the same one each time it asks. `outer` is the
   * client's address of the time when the tunnel was opened. Undefined: no address of this family
   * (440).
   */
  addressFor(tunnel: number, family: Family, outer: Endpoint): Uint8Array | undefined {
    if (this.mode !== 'reflexive') return this.#deals[family].addressFor(tunnel);
    return outer.family === family ? outer.address : undefined;
  }

  /** Whether the address of `length` octets at `at` is of the prefixes. Never in reflexive mode. */
  contains(b: Uint8Array, at: number, length: number): boolean {
    for (const prefix of this.#prefixes) if (prefixContains(prefix, b, at, length)) return true;
    return false;
  }

  /** The tunnel is over and its ports are released. */
  release(tunnel: number): void {
    this.#deals[4].release(tunnel);
    this.#deals[6].release(tunnel);
  }
}

/** Addresses of one family, numbered through all prefixes, dealt to tunnels. */
class Deal {
  readonly #blocks: readonly Block[];
  readonly #total: number;
  readonly #ofTunnel = new Map<number, number>();
  /** How many tunnels have an address, for those that any has. */
  readonly #tunnelsOn = new Map<number, number>();
  /** Addresses never dealt out begin here. */
  #fresh = 0;
  /** Addresses given back, in that order (a Set keeps it). */
  readonly #rested = new Set<number>();
  #nextShared = 0;

  constructor(prefixes: readonly Prefix[]) {
    this.#blocks = prefixes.map(blockOf);
    this.#total = this.#blocks.reduce((sum, block) => sum + block.count, 0);
  }

  addressFor(tunnel: number): Uint8Array | undefined {
    if (this.#total === 0) return undefined;
    const number = this.#ofTunnel.get(tunnel) ?? this.#deal(tunnel);
    return this.#address(number);
  }

  release(tunnel: number): void {
    const number = this.#ofTunnel.get(tunnel);
    if (number === undefined) return;
    this.#ofTunnel.delete(tunnel);
    const left = (this.#tunnelsOn.get(number) ?? 1) - 1;
    if (left > 0) {
      this.#tunnelsOn.set(number, left);
    } else {
      this.#tunnelsOn.delete(number);
      this.#rested.add(number);
    }
  }

  #deal(tunnel: number): number {
    const number = this.#unused() ?? this.#shared();
    this.#ofTunnel.set(tunnel, number);
    this.#tunnelsOn.set(number, (this.#tunnelsOn.get(number) ?? 0) + 1);
    return number;
  }

  #unused(): number | undefined {
    if (this.#fresh < this.#total) return this.#fresh++;
    for (const longestRested of this.#rested) {
      this.#rested.delete(longestRested);
      return longestRested;
    }
    return undefined;
  }

  #shared(): number {
    const number = this.#nextShared;
    this.#nextShared = (number + 1) % this.#total;
    return number;
  }

  #address(number: number): Uint8Array | undefined {
    let rest = number;
    for (const block of this.#blocks) {
      if (rest < block.count) return addressAt(block, rest);
      rest -= block.count;
    }
    return undefined;
  }
}

interface Block {
  readonly base: Uint8Array;
  readonly skip: number;
  readonly count: number;
}

function blockOf(prefix: Prefix): Block {
  const hostBits = prefix.address.length * 8 - prefix.length;
  const size = 2 ** Math.min(hostBits, MAX_HOST_BITS);
  if (hostBits < 2) return { base: prefix.address, skip: 0, count: size };
  return { base: prefix.address, skip: 1, count: size - (prefix.family === 4 ? 2 : 1) };
}

function addressAt(block: Block, number: number): Uint8Array {
  const address = octetsOf(block.base, 0, block.base.length);
  let carry = number + block.skip;
  for (let i = address.length - 1; carry > 0 && i >= 0; i--) {
    carry += u8(address, i);
    setU8(address, i, carry & 0xff);
    carry = Math.floor(carry / 256);
  }
  return address;
}
