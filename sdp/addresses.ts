/** From local to public addresses: one answer per address for the whole description (M-15). */
import { type Endpoint, MAX_PORT } from '../wire/address.ts';
import { type Address, endpoint, isUnspecified, NO_PORT } from './fields.ts';
import { isPrivate } from './private.ts';
import type { Transport } from './read.ts';

export interface Mapped {
  readonly local: Endpoint;
  readonly public: Endpoint;
  /** Both when absent. */
  readonly transport?: Transport;
}

/** The public address of a local one; undefined where there is none. Asked once per address. */
export type Mapping =
  | ((local: Endpoint, transport: Transport) => Endpoint | undefined)
  | readonly Mapped[];

export class Addresses {
  readonly #ask: (local: Endpoint, transport: Transport) => Endpoint | undefined;
  readonly #known = new Map<string, Endpoint | undefined>();
  /** Public address by local address, the first of those found. */
  readonly #hosts = new Map<string, Address>();
  readonly #publics = new Set<string>();
  #first: Address | undefined;

  constructor(mapping: Mapping) {
    if (typeof mapping === 'function') {
      this.#ask = mapping;
    } else {
      this.#ask = fromList(mapping);
      for (const { public: to } of mapping) this.#publics.add(`${to.port} ${hostKey(to)}`);
    }
  }

  /** Whether this is one of the public addresses: an application may know its own by STUN. */
  isPublic(e: Endpoint): boolean {
    return this.#publics.has(`${e.port} ${hostKey(e)}`);
  }

  endpoint(local: Endpoint | undefined, transport: Transport): Endpoint | undefined {
    if (local === undefined || local.port === 0 || isUnspecified(local)) return undefined;
    const key = keyOf(local, transport);
    if (this.#known.has(key)) return this.#known.get(key);
    const found = this.#ask(local, transport);
    if (found !== undefined) {
      checkEndpoint(found);
      this.#publics.add(`${found.port} ${hostKey(found)}`);
      this.#first ??= found;
      if (!this.#hosts.has(hostKey(local))) this.#hosts.set(hostKey(local), found);
    }
    this.#known.set(key, found);
    return found;
  }

  /** The discard port stays what it is, with the public address of the host (RFC 6544 clause 4.5). */
  endpointOrHost(local: Endpoint | undefined, transport: Transport): Endpoint | undefined {
    if (local?.port !== NO_PORT) return this.endpoint(local, transport);
    const host = this.endpoint(local, transport) ?? this.host(local);
    return host === undefined ? undefined : endpoint(host, NO_PORT);
  }

  /**
   * `port/count` is count pairs of ports from the first on (RFC 8866 clause 5.14). It can only be told
   * in public addresses when those follow each other in the same way.
   */
  span(local: Endpoint | undefined, count: number, transport: Transport): Endpoint | undefined {
    const first = this.endpointOrHost(local, transport);
    if (first === undefined || local === undefined) return undefined;
    if (count > MAX_COUNT) return undefined;
    for (let i = 1; i < count; i++) {
      const to = this.endpoint({ ...local, port: local.port + 2 * i }, transport);
      if (to === undefined || !same(to, { ...first, port: first.port + 2 * i })) return undefined;
    }
    return first;
  }

  /** For an address without a port of its own: that of the same host. */
  host(local: Address | undefined): Address | undefined {
    return local === undefined ? undefined : this.#hosts.get(hostKey(local));
  }

  /** The same, and for any other private address the first public one (M-17). */
  hostOrAny(local: Address | undefined): Address | undefined {
    if (local === undefined || isUnspecified(local)) return undefined;
    return this.host(local) ?? (isPrivate(local) ? this.#first : undefined);
  }
}

/** Above this `port/count` is not mapped: each pair asks the mapping. */
const MAX_COUNT = 64;

export function same(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && sameHost(a, b);
}

export function sameHost(a: Address, b: Address): boolean {
  return hostKey(a) === hostKey(b);
}

function fromList(list: readonly Mapped[]): Exclude<Mapping, readonly Mapped[]> {
  const found = new Map<string, Endpoint>();
  for (const { local, public: to, transport } of list) {
    if (transport !== 'tcp') found.set(keyOf(local, 'udp'), to);
    if (transport !== 'udp') found.set(keyOf(local, 'tcp'), to);
  }
  return (local, transport) => found.get(keyOf(local, transport));
}

function keyOf(e: Endpoint, transport: Transport): string {
  return `${transport} ${e.port} ${hostKey(e)}`;
}

function hostKey(a: Address): string {
  return a.address.join('.');
}

function checkEndpoint({ family, address, port }: Endpoint): void {
  if (address.length !== (family === 4 ? 4 : 16)) throw new RangeError('public address length');
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) throw new RangeError('public port');
}
