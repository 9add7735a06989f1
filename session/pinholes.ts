/**
 * The ways that calls have opened through TEP-S (M-10, M-15): public address of a UE ↔ address of the
 * media gateway, as the descriptions of a call say. They stand under the name of their call, are
 * replaced together when its descriptions change, and end with it.
 *
 * A gateway's address finds its entry in one look; the addresses that may speak with it, as a rule one,
 * are compared one by one. Two calls that say the same share an entry and both hold it open.
 *
 * Memory: about 500 octets each, `maxPinholes` in all; one that two calls opened counts twice.
 */
import { type Endpoint, type Family, formatEndpoint } from '../wire/address.ts';
import { equal, octetsOf } from '../wire/bytes.ts';
import { isDisguise, isSpecial, KINDS, reach } from '../wire/disguise.ts';
import { EndpointTable } from './endpoint-table.ts';

export interface Pinhole {
  /** Public address of the UE, as in its SDP. */
  readonly local: Endpoint;
  /** Where the media gateway sends from and receives. */
  readonly remote: Endpoint;
  /** IP protocol number, 17 or 6. */
  readonly protocol: number;
}

/** The local address is one's own copy; how many calls hold it open. */
interface Local {
  readonly address: Uint8Array;
  readonly port: number;
  calls: number;
}

export class Pinholes {
  readonly #maxPinholes: number;
  /** What remotes really reach → number of their locals. */
  readonly #remotes: EndpointTable;
  readonly #locals: Local[][] = [];
  readonly #freeNumbers: number[] = [];
  readonly #calls = new Map<string, readonly Pinhole[]>();
  #count = 0;

  /** `seed`: 8 secret random octets for the table. */
  constructor(maxPinholes: number, seed: Uint8Array) {
    this.#maxPinholes = maxPinholes;
    this.#remotes = new EndpointTable({ seed, maxEntries: maxPinholes });
  }

  /** Open at the moment, counted once for each call that names them. */
  get count(): number {
    return this.#count;
  }

  /** Those of one call from now on, instead of what it had; how many of them were refused. */
  replace(call: string, pinholes: readonly Pinhole[]): number {
    const before = this.#calls.get(call) ?? [];
    const after = distinct(pinholes.flatMap((one) => reached(one) ?? []));
    const room = this.#maxPinholes - this.#count + before.length;
    const kept = after.slice(0, room);
    for (const one of before) this.#close(one);
    for (const one of kept) this.#open(one);
    this.#count += kept.length - before.length;
    if (kept.length === 0) this.#calls.delete(call);
    else this.#calls.set(call, kept);
    return pinholes.length - kept.length;
  }

  /** Whether the local address of `localLength` octets may speak with this remote. */
  allows(
    b: Uint8Array,
    remoteAt: number,
    remoteLength: number,
    remotePort: number,
    protocol: number,
    packet: Uint8Array,
    localAt: number,
    localLength: number,
    localPort: number,
  ): boolean {
    const number = this.#remotes.find(b, remoteAt, remoteLength, remotePort, protocol);
    const locals = number === -1 ? undefined : this.#locals[number];
    if (locals === undefined) return false;
    for (const local of locals) {
      if (local.port !== localPort || local.address.length !== localLength) continue;
      if (equal(local.address, 0, packet, localAt, localLength)) return true;
    }
    return false;
  }

  #open({ local, remote, protocol }: Pinhole): void {
    const locals = this.#localsOf(remote, protocol);
    const known = locals.find((one) => isLocal(one, local));
    if (known !== undefined) known.calls += 1;
    else locals.push({ address: local.address, port: local.port, calls: 1 });
  }

  #localsOf({ address, port }: Endpoint, protocol: number): Local[] {
    const known = this.#remotes.find(address, 0, address.length, port, protocol);
    if (known !== -1) return this.#locals[known] ?? [];
    const number = this.#freeNumbers.pop() ?? this.#locals.length;
    this.#remotes.set(address, 0, address.length, port, protocol, number);
    const locals: Local[] = [];
    this.#locals[number] = locals;
    return locals;
  }

  #close({ local, remote: { address, port }, protocol }: Pinhole): void {
    const number = this.#remotes.find(address, 0, address.length, port, protocol);
    const locals = this.#locals[number] ?? [];
    const index = locals.findIndex((one) => isLocal(one, local));
    const known = locals[index];
    if (known === undefined) return;
    known.calls -= 1;
    if (known.calls > 0) return;
    locals.splice(index, 1);
    if (locals.length > 0) return;
    this.#remotes.delete(address, 0, address.length, port, protocol);
    this.#freeNumbers.push(number);
  }
}

function isLocal({ address, port }: Local, local: Endpoint): boolean {
  return port === local.port && sameOctets(address, local.address);
}

/** With copies of the octets, the remote as what it really reaches; undefined where media can never go. */
function reached({ local, remote, protocol }: Pinhole): Pinhole | undefined {
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
  return {
    local: { ...local, address: octetsOf(local.address, 0, local.address.length) },
    remote: { family, address: octetsOf(address, 0, address.length), port: remote.port },
    protocol,
  };
}

function distinct(pinholes: readonly Pinhole[]): Pinhole[] {
  const byText = pinholes.map((one) => [pinholeText(one), one] as const);
  return [...new Map(byText).values()];
}

/** `198.51.100.7:49152 203.0.113.9:30000 17` */
export function pinholeText({ local, remote, protocol }: Pinhole): string {
  return `${formatEndpoint(local)} ${formatEndpoint(remote)} ${protocol}`;
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equal(a, 0, b, 0, a.length);
}
