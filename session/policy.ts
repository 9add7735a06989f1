/**
 * Where a tunnel's packets may go (tep-wire 6; G-22, M-10). Nowhere, unless
 *
 * - a configured rule (prefix, ports, protocol) contains the destination, or
 * - a session learnt from the media gateway's control protocol names exactly this endpoint.
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
 * `0.0.0.0/0` is not one. Learnt endpoints name a host, so loopback and link-local are good there (the
 * gateway may be on this host, M-16), the others never: an SDP on hold says `0.0.0.0`.
 *
 * Memory: the rules and 64 KiB; for learnt endpoints an endpoint table (48 to 96 octets each) and a list per
 * session of about 200 octets each, `maxLearnt` in all.
 */
import type { Endpoint, Family } from '../wire/address.ts';
import { equal, octetsOf, setU8, u8 } from '../wire/bytes.ts';
import { isDisguise, isSpecial, KINDS, type Kind, reach } from '../wire/disguise.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { type Prefix, prefixContains } from '../wire/prefix.ts';
import { EndpointTable } from './endpoint-table.ts';
import type { PortRange } from './port-allocator.ts';

/** Each packet may be compared with every rule. */
export const MAX_RULES = 1024;
const MAX_PORT = 0xffff;

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
  /** Most endpoints learnt at a time, counted once for each session that names them. */
  readonly maxLearnt: number;
  /** 8 secret random octets for the table. */
  readonly seed: Uint8Array;
}

interface Remote {
  readonly endpoint: Endpoint;
  readonly protocol: number;
}

interface ReadyRule extends PolicyRule {
  /** The kind of special address that this rule is about; ORDINARY when it is about none. */
  readonly kind: Kind;
}

export class Policy {
  #rules: readonly ReadyRule[];
  #own: readonly PolicyRule[] = [];
  /** By port: whether anything of `#own` has it, so that packets to all others cost one look. */
  readonly #ownPorts = new Uint8Array(MAX_PORT + 1);
  readonly #maxLearnt: number;
  /** What endpoints really reach → how many sessions name them. */
  readonly #learnt: EndpointTable;
  readonly #sessions = new Map<string, Remote[]>();
  #learntCount = 0;
  /** The IPv4 address behind a disguise, while one is judged. */
  readonly #real = new Uint8Array(4);

  constructor({ rules, own = [], maxLearnt, seed }: PolicyOptions) {
    this.#rules = readyRules(rules);
    this.setOwn(own);
    this.#maxLearnt = maxLearnt;
    this.#learnt = new EndpointTable({ seed, maxEntries: maxLearnt });
  }

  /** Other rules from now on; learnt endpoints stay. */
  setRules(rules: readonly PolicyRule[]): void {
    this.#rules = readyRules(rules);
  }

  /** Other places from now on where nothing may go. */
  setOwn(own: readonly PolicyRule[]): void {
    this.#own = own.map(readyRule);
    this.#ownPorts.fill(0);
    for (const { ports } of own) this.#ownPorts.fill(1, ports.first, ports.last + 1);
  }

  /** Endpoints known at the moment, counted once for each session that names them. */
  get learntCount(): number {
    return this.#learntCount;
  }

  /** Whether a packet may go to the address of `length` octets at `destinationAt`. */
  judge(
    b: Uint8Array,
    destinationAt: number,
    length: number,
    port: number,
    protocol: number,
  ): 0 | Fault {
    const kind = reach(b, destinationAt, length, this.#real);
    if (!isDisguise(kind)) {
      if (this.#isOwn(b, destinationAt, length, port, protocol)) return FAULTS.DESTINATION_OWN;
      const allowed = this.#allows(kind, b, destinationAt, length, port, protocol);
      return allowed ? 0 : FAULTS.DESTINATION_FORBIDDEN;
    }
    if (kind === KINDS.NAT64_LOCAL) return FAULTS.DESTINATION_DISGUISED;
    if (this.#isOwn(this.#real, 0, 4, port, protocol)) return FAULTS.DESTINATION_OWN;
    const realKind = reach(this.#real, 0, 4, this.#real);
    const allowed = this.#allows(realKind, this.#real, 0, 4, port, protocol);
    return allowed ? 0 : FAULTS.DESTINATION_DISGUISED;
  }

  /**
   * From now on packets may go to `remote`, until `forget(session)`. False, and nothing changed: no
   * media address, or too many. The same again changes nothing.
   */
  learn(session: string, remote: Endpoint, protocol: number): boolean {
    const real = reached(remote);
    if (real === undefined) return false;
    const remotes = this.#sessions.get(session) ?? [];
    if (remotes.some((known) => sameRemote(known, real, protocol))) return true;
    if (this.#learntCount >= this.#maxLearnt) return false;
    remotes.push({ endpoint: real, protocol });
    this.#sessions.set(session, remotes);
    this.#learntCount += 1;
    this.#count(real, protocol, 1);
    return true;
  }

  /** One endpoint of a session, as when its SDP changes. Whether it was known. */
  unlearn(session: string, remote: Endpoint, protocol: number): boolean {
    const remotes = this.#sessions.get(session) ?? [];
    const real = reached(remote);
    const index = real ? remotes.findIndex((known) => sameRemote(known, real, protocol)) : -1;
    const [known] = index < 0 ? [] : remotes.splice(index, 1);
    if (known === undefined) return false;
    if (remotes.length === 0) this.#sessions.delete(session);
    this.#learntCount -= 1;
    this.#count(known.endpoint, protocol, -1);
    return true;
  }

  /** The session is over. */
  forget(session: string): void {
    const remotes = this.#sessions.get(session) ?? [];
    this.#sessions.delete(session);
    this.#learntCount -= remotes.length;
    for (const { endpoint, protocol } of remotes) this.#count(endpoint, protocol, -1);
  }

  #count({ address, port }: Endpoint, protocol: number, change: 1 | -1): void {
    const before = Math.max(0, this.#learnt.find(address, 0, address.length, port, protocol));
    if (before + change === 0) this.#learnt.delete(address, 0, address.length, port, protocol);
    else this.#learnt.set(address, 0, address.length, port, protocol, before + change);
  }

  #isOwn(b: Uint8Array, at: number, length: number, port: number, protocol: number): boolean {
    if (u8(this.#ownPorts, port) === 0) return false;
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
    return this.#learnt.find(b, at, length, port, protocol) !== -1;
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

/** The endpoint behind a disguise, a copy; undefined where media can never go. */
function reached(remote: Endpoint): Endpoint | undefined {
  const real = new Uint8Array(4);
  let { address } = remote;
  let family: Family = remote.family;
  let kind = reach(address, 0, address.length, real);
  if (isDisguise(kind)) {
    if (kind === KINDS.NAT64_LOCAL) return undefined;
    kind = reach(real, 0, 4, real);
    address = real;
    family = 4;
  }
  const nameable = !isSpecial(kind) || kind === KINDS.LOOPBACK || kind === KINDS.LINK_LOCAL;
  if (!nameable || remote.port === 0) return undefined;
  return { family, address: octetsOf(address, 0, address.length), port: remote.port };
}

function sameRemote(known: Remote, { address, port }: Endpoint, protocol: number): boolean {
  return (
    known.protocol === protocol &&
    known.endpoint.port === port &&
    known.endpoint.address.length === address.length &&
    equal(known.endpoint.address, 0, address, 0, address.length)
  );
}
