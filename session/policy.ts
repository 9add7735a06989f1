/**
 * Where a tunnel's packets may go (tep-wire 6; G-22, M-10). Nowhere, unless
 *
 * - a configured rule (prefix, ports, protocol) contains the destination, or
 * - a call learnt from the media gateway's control protocol has opened a way between exactly this
 *   endpoint and the public address at the other end of the packet (pinholes.ts).
 *
 * A destination is judged by what it really reaches: an IPv6 address that stands for an IPv4 one
 * (mapped, translated, compatible, 6to4, Teredo, ISATAP, NAT64) is judged as that IPv4 address and by
 * IPv4 rules only; an IPv6 rule that contains its text does not help it. One whose meaning only some
 * NAT64 knows (RFC 8215) is refused.
 *
 * What is the server's own (its listening ports at each of its addresses) is refused before any rule is
 * looked at: a UE must not reach TEP-S from the inside of a tunnel.
 *
 * Loopback, link-local, multicast, broadcast, unspecified and reserved addresses are let through only
 * by a rule that lies wholly inside such a block: `127.0.0.1` or `127.0.0.0/8` is somebody's decision,
 * `0.0.0.0/0` is not one. Pinholes name a host, so loopback and link-local are good there (the
 * gateway may be on this host, M-16), the others never: an SDP on hold says `0.0.0.0`.
 *
 * So are public addresses that other processes of the server have given to calls: `foreign`, as they tell.
 *
 * Memory: the rules and 8 KiB, the pinholes, and an endpoint table for `MAX_FOREIGN` foreign ones.
 */
import { type Endpoint, MAX_PORT } from '../wire/address.ts';
import { octetsOf, setU8, u8 } from '../wire/bytes.ts';
import { isDisguise, isSpecial, KINDS, type Kind, reach } from '../wire/disguise.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { type Prefix, prefixContains } from '../wire/prefix.ts';
import { EndpointTable } from './endpoint-table.ts';
import { type Pinhole, Pinholes } from './pinholes.ts';
import type { PortRange } from './port-allocator.ts';

/** Each packet may be compared with every rule. */
export const MAX_RULES = 1024;
/** As many as all workers may have at once; more are not kept apart. */
const MAX_FOREIGN = 262_144;

export interface PolicyRule {
  readonly prefix: Prefix;
  readonly ports: PortRange;
  /** IP protocol number, 17 or 6; both when absent. */
  readonly protocol?: number;
}

export interface PolicyOptions {
  readonly rules: readonly PolicyRule[];
  /** Where nothing may go, whatever the rules say. */
  readonly own?: readonly PolicyRule[];
  /** Most at a time, counted once for each call that opens them. */
  readonly maxPinholes: number;
  /** 8 secret random octets for their table. */
  readonly seed: Uint8Array;
}

interface ReadyRule extends PolicyRule {
  /** The kind of special address that this rule is about; ORDINARY when it is about none. */
  readonly kind: Kind;
}

export class Policy {
  #rules: readonly ReadyRule[];
  #own: readonly PolicyRule[] = [];
  /** A bit for each port: whether anything of `#own` has it, so that packets to all others cost one look. */
  readonly #ownPorts = new Uint8Array((MAX_PORT + 1) / 8);
  readonly #pinholes: Pinholes;
  readonly #foreign: EndpointTable;
  /** The IPv4 address behind a disguise, while one is judged. */
  readonly #real = new Uint8Array(4);

  constructor({ rules, own = [], maxPinholes, seed }: PolicyOptions) {
    this.#rules = readyRules(rules);
    this.setOwn(own);
    this.#pinholes = new Pinholes(maxPinholes, seed);
    this.#foreign = new EndpointTable({ seed, maxEntries: MAX_FOREIGN });
  }

  /** Other rules from now on; pinholes stay. */
  setRules(rules: readonly PolicyRule[]): void {
    this.#rules = readyRules(rules);
  }

  /** Other places from now on where nothing may go. */
  setOwn(own: readonly PolicyRule[]): void {
    this.#own = own.map(readyRule);
    this.#ownPorts.fill(0);
    for (const { ports } of own) {
      for (let port = ports.first; port <= ports.last; port++) this.#noteOwnPort(port);
    }
  }

  #noteOwnPort(port: number): void {
    setU8(this.#ownPorts, port >> 3, u8(this.#ownPorts, port >> 3) | (1 << (port & 7)));
  }

  /** Another process has given this public address to a call, or (`isBound` false) has it back. */
  setForeign({ address, port }: Endpoint, protocol: number, isBound: boolean): void {
    const { length } = address;
    if (isBound) this.#foreign.set(address, 0, length, port, protocol, 1);
    else this.#foreign.delete(address, 0, length, port, protocol);
  }

  /** Ways open at the moment, counted once for each call that opened them. */
  get pinholeCount(): number {
    return this.#pinholes.count;
  }

  /**
   * Packets may go these ways from now on, instead of those that this call had; how many are refused,
   * because no media can go there or there are too many.
   */
  setPinholes(call: string, pinholes: readonly Pinhole[]): number {
    return this.#pinholes.replace(call, pinholes);
  }

  /**
   * Whether packets may pass between the core's address of `length` octets at `remoteAt` and the public
   * address, as long, at `localAt`.
   */
  judge(
    b: Uint8Array,
    remoteAt: number,
    length: number,
    remotePort: number,
    protocol: number,
    localAt: number,
    localPort: number,
  ): 0 | Fault {
    const real = this.#real;
    const kind = reach(b, remoteAt, length, real);
    if (!isDisguise(kind)) {
      if (this.#isOwn(b, remoteAt, length, remotePort, protocol)) return FAULTS.DESTINATION_OWN;
      const allowed =
        this.#allows(kind, b, remoteAt, length, remotePort, protocol) ||
        this.#pinholes.allows(
          b,
          remoteAt,
          length,
          remotePort,
          protocol,
          b,
          localAt,
          length,
          localPort,
        );
      return allowed ? 0 : FAULTS.DESTINATION_FORBIDDEN;
    }
    if (kind === KINDS.NAT64_LOCAL) return FAULTS.DESTINATION_DISGUISED;
    if (this.#isOwn(real, 0, 4, remotePort, protocol)) return FAULTS.DESTINATION_OWN;
    const allowed =
      this.#allows(reach(real, 0, 4, real), real, 0, 4, remotePort, protocol) ||
      this.#pinholes.allows(real, 0, 4, remotePort, protocol, b, localAt, length, localPort);
    return allowed ? 0 : FAULTS.DESTINATION_DISGUISED;
  }

  #isOwn(b: Uint8Array, at: number, length: number, port: number, protocol: number): boolean {
    if (this.#foreign.size > 0 && this.#foreign.find(b, at, length, port, protocol) >= 0)
      return true;
    if ((u8(this.#ownPorts, port >> 3) & (1 << (port & 7))) === 0) return false;
    for (const own of this.#own) {
      if (port < own.ports.first || port > own.ports.last) continue;
      if (own.protocol !== undefined && own.protocol !== protocol) continue;
      if (prefixContains(own.prefix, b, at, length)) return true;
    }
    return false;
  }

  #allows(
    kind: Kind,
    b: Uint8Array,
    at: number,
    length: number,
    port: number,
    protocol: number,
  ): boolean {
    for (const rule of this.#rules) {
      if (port < rule.ports.first || port > rule.ports.last) continue;
      if (rule.protocol !== undefined && rule.protocol !== protocol) continue;
      if (isSpecial(kind) && rule.kind !== kind) continue;
      if (prefixContains(rule.prefix, b, at, length)) return true;
    }
    return false;
  }
}

function readyRules(rules: readonly PolicyRule[]): ReadyRule[] {
  if (rules.length > MAX_RULES) throw new RangeError(`${rules.length} rules, over ${MAX_RULES}`);
  return rules.map(readyRule);
}

function readyRule(rule: PolicyRule): ReadyRule {
  const { first, last } = rule.ports;
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last > MAX_PORT) {
    throw new RangeError(`ports ${first}-${last} are not inside 0-${MAX_PORT}`);
  }
  if (first > last) throw new RangeError(`ports ${first}-${last} are none`);
  return { ...rule, kind: kindOf(rule.prefix) };
}

/** A prefix lies inside a special block when its first and its last address do. */
function kindOf({ address, length }: Prefix): Kind {
  const real = new Uint8Array(4);
  const last = octetsOf(address, 0, address.length);
  for (let bit = length; bit < address.length * 8; bit++) {
    setU8(last, bit >> 3, u8(last, bit >> 3) | (0x80 >> (bit & 7)));
  }
  const kind = reach(address, 0, address.length, real);
  return isSpecial(kind) && reach(last, 0, last.length, real) === kind ? kind : KINDS.ORDINARY;
}
