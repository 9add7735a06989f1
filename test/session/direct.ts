/**
 * TEP-C and TEP-S joined without a network: each octet that one end wants to send is in the other end
 * before the call returns. For tests of one exchange; delay, loss and cuts are in test/sim.
 */

import type { AddressOptions } from '../../session/address-modes.ts';
import { TunnelClient } from '../../session/client.ts';
import type { ClientOptions, ServerOptions } from '../../session/options.ts';
import type { ClientOutput, ServerOutput } from '../../session/outputs.ts';
import { Policy } from '../../session/policy.ts';
import { TunnelServer } from '../../session/server.ts';
import type { TunnelEnd } from '../../session/tunnel-end.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';
import type { AuthPolicy } from '../../wire/stun/server-auth.ts';
import { userTable } from '../../wire/stun/users.ts';
import { seededRandom } from '../sim/random.ts';

export const REALM = 'ims.example.org';
/** Some day in 2026. */
export const START_MS = 1_780_000_000_000;

export const ALICE = { name: 'alice', password: 'open sesame' };
export const BOB = { name: 'bob', password: 'let me in' };

export function endpoint(text: string): Endpoint {
  const found = parseEndpoint(text);
  if (found === undefined) throw new RangeError(`no endpoint: ${text}`);
  return found;
}

export function longTerm(): AuthPolicy {
  return {
    mechanism: 'long-term',
    realm: REALM,
    users: userTable([ALICE, BOB], REALM),
    nonceSecret: new Uint8Array(32).fill(7),
    nonceLifetimeMs: 600_000,
    keyHashes: ['sha256', 'md5'],
    anonymity: true,
  };
}

/** The core's media network, both families. */
export function corePolicy(): Policy {
  const ports = { first: 1024, last: 65_535 };
  const rules = ['198.51.100.0/24', '2001:db8:c::/48'].map((text) => ({
    prefix: prefix(text),
    ports,
  }));
  return new Policy({ rules, maxPinholes: 64, seed: new Uint8Array(8).fill(3) });
}

export function pool(...texts: readonly string[]): AddressOptions {
  return { mode: 'pool', prefixes: texts.map(prefix) };
}

export function relay(...texts: readonly string[]): AddressOptions {
  return { mode: 'relay', prefixes: texts.map(prefix) };
}

function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  if (found === undefined) throw new RangeError(`no prefix: ${text}`);
  return found;
}

export interface Packet {
  readonly octets: Uint8Array;
  readonly binding: number;
}

export interface DirectOptions {
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
  /** Where the client's connections come from; the port counts up. */
  readonly from?: string;
  readonly seed?: number;
  /** Octets that `input` gets at a time; all at once when absent. */
  readonly pieceLength?: number;
}

export class Direct {
  now = START_MS;
  readonly client: TunnelClient;
  readonly server: TunnelServer;
  /** What came out at the application and at the core. */
  readonly toUe: Packet[] = [];
  readonly toCore: Packet[] = [];
  /** Every output of either end, oldest first. */
  readonly clientSaid: ClientOutput[] = [];
  readonly serverSaid: ServerOutput[] = [];
  /** Connections that are up, by number (the same at both ends). */
  readonly up = new Set<number>();
  /** While true `connect` is not answered. */
  isUnreachable = false;
  /** Answers `listen` of relay mode; absent: the test does it. */
  onListen: ((id: number, address: Endpoint) => void) | undefined;
  readonly #from: Endpoint;
  readonly #pieceLength: number;
  #connections = 0;

  constructor(options: DirectOptions = {}) {
    const random = seededRandom(options.seed ?? 1);
    const octets = (n: number) => random.octets(n);
    this.#pieceLength = options.pieceLength ?? Number.POSITIVE_INFINITY;
    this.#from = endpoint(options.from ?? '192.0.2.7:40000');
    this.client = new TunnelClient(
      { auth: { mechanism: 'long-term', credentials: ALICE }, random: octets, ...options.client },
      { packet: (b, from, to, binding) => this.toUe.push({ octets: b.slice(from, to), binding }) },
    );
    this.server = new TunnelServer(
      {
        auth: longTerm(),
        policy: corePolicy(),
        addresses: pool('203.0.113.0/24', '2001:db8:a::/64'),
        random: octets,
        ...options.server,
      },
      {
        packet: (b, from, to, binding) => this.toCore.push({ octets: b.slice(from, to), binding }),
      },
    );
  }

  /** Lets everything happen that can happen without time passing. */
  run(): void {
    while (this.#obeyClient() || this.#obeyServer() || this.#carry()) {
      // until nothing moves
    }
  }

  /** Time passes; both ends are called when they want to be. */
  wait(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      this.run();
      const next = Math.min(this.client.nextTimeout(), this.server.nextTimeout());
      if (next > until) break;
      this.now = Math.max(this.now, next);
      this.client.timeout(this.now);
      this.server.timeout(this.now);
    }
    this.now = until;
    this.run();
  }

  /** The carrier breaks; both ends notice. */
  cut(conn: number): void {
    if (!this.up.delete(conn)) return;
    this.client.disconnected(conn, this.now);
    this.server.disconnected(conn, this.now);
  }

  cutAll(): void {
    for (const conn of [...this.up]) this.cut(conn);
  }

  bind(ue: string, wishes: Parameters<TunnelClient['bind']>[1] = {}): void {
    this.client.bind(endpoint(ue), wishes, this.now);
    this.run();
  }

  /** The public address that a UE address was told last. */
  publicOf(ue: string, protocol = 17): Endpoint | undefined {
    const { address, port } = endpoint(ue);
    for (const said of this.clientSaid.toReversed()) {
      if (said.type !== 'bound' || said.protocol !== protocol || said.ue.port !== port) continue;
      if (said.ue.address.every((octet, i) => octet === address[i])) return said.address;
    }
    return undefined;
  }

  /** What `from` has to send on one connection now, and nothing else. */
  carryFrom(from: TunnelEnd<unknown>, conn: number): void {
    const octets = from.pending(conn, this.now).slice();
    from.wrote(conn, octets.length, this.now);
    const to = from === this.client ? this.server : this.client;
    to.input(conn, octets, 0, octets.length, this.now);
  }

  said<T extends ClientOutput['type']>(type: T): Extract<ClientOutput, { type: T }>[] {
    return this.clientSaid.filter((o): o is Extract<ClientOutput, { type: T }> => o.type === type);
  }

  serverTold<T extends ServerOutput['type']>(type: T): Extract<ServerOutput, { type: T }>[] {
    return this.serverSaid.filter((o): o is Extract<ServerOutput, { type: T }> => o.type === type);
  }

  #obeyClient(): boolean {
    const output = this.client.poll();
    if (output === undefined) return false;
    this.clientSaid.push(output);
    if (output.type === 'connect') this.#connect(output.conn);
    if (output.type === 'close') this.#close(output, this.client);
    return true;
  }

  #obeyServer(): boolean {
    const output = this.server.poll();
    if (output === undefined) return false;
    this.serverSaid.push(output);
    if (output.type === 'close') this.#close(output, this.server);
    if (output.type === 'listen') this.onListen?.(output.id, output.address);
    return true;
  }

  #connect(conn: number): void {
    if (this.isUnreachable) {
      this.client.disconnected(conn, this.now);
      return;
    }
    this.up.add(conn);
    const peer = { ...this.#from, port: this.#from.port + this.#connections };
    this.#connections += 1;
    this.server.accepted(conn, peer, this.now);
    this.client.connected(conn, this.now);
  }

  #close({ conn, flush }: { conn: number; flush: boolean }, end: TunnelEnd<unknown>): void {
    if (!this.up.has(conn)) {
      end.disconnected(conn, this.now);
      return;
    }
    if (flush) this.#carry();
    this.cut(conn);
  }

  #carry(): boolean {
    const up = this.#move(this.client, this.server);
    return this.#move(this.server, this.client) || up;
  }

  #move(from: TunnelEnd<unknown>, to: TunnelEnd<unknown>): boolean {
    let moved = false;
    for (let conn = from.writable(); conn >= 0; conn = from.writable()) {
      for (let p = from.pending(conn, this.now); p.length > 0; p = from.pending(conn, this.now)) {
        const octets = p.slice();
        from.wrote(conn, octets.length, this.now);
        for (let at = 0; at < octets.length && this.up.has(conn); ) {
          const end = Math.min(octets.length, at + this.#pieceLength);
          to.input(conn, octets, at, end, this.now);
          at = end;
          moved = true;
        }
      }
    }
    return moved;
  }
}

/** A UDP packet with `length` octets of payload. */
export function udpPacket(source: Endpoint, destination: Endpoint, length = 160): Uint8Array {
  const payload = Uint8Array.from({ length }, (_, i) => i);
  const out = new Uint8Array(length + 48);
  return out.slice(0, writeUdpPacket(out, 0, source, destination, payload, 0, length));
}
