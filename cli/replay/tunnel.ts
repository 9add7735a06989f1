/**
 * Both ends of a real tunnel in one process: client core and server core of `session/`, joined by
 * octets that are cut at places chosen at random. Authenticated with a password (RFC 8489 long-term),
 * public addresses from a pool of one per family.
 *
 * There is no network: a connection that is asked for is there at once, and what one end has to send
 * the other end gets, all but a rest of the last piece now and then, so that records arrive in parts.
 */

import { TunnelClient } from '../../session/client.ts';
import type { ClientOutput, FlowProtocol, ServerOutput } from '../../session/outputs.ts';
import { TunnelServer } from '../../session/server.ts';
import type { AddressPolicy } from '../../session/server-data.ts';
import type { TunnelEnd } from '../../session/tunnel-end.ts';
import type { Endpoint } from '../../wire/address.ts';
import type { Fault } from '../../wire/faults.ts';
import type { Prefix } from '../../wire/prefix.ts';
import { userTable } from '../../wire/stun/users.ts';
import type { Seeded } from './seeded.ts';

const REALM = 'replay';
const CREDENTIALS = { name: 'replay', password: 'replay' };
const NONCE_SECRET_LEN = 32;
const NONCE_LIFETIME_MS = 3_600_000;
/** At most a few records in one piece, as in a TCP segment. */
const MAX_PIECE_LEN = 4_096;
/** One time in so many the end of what is there is left for later. */
const LEAVE_REST = 4;
const MAX_BINDINGS = 32_768;
const PORTS = { first: 1_024, last: 65_535 };

export interface TunnelOptions {
  readonly random: Seeded;
  /** One address for each family. */
  readonly publicAddresses: readonly Uint8Array[];
  readonly policy: AddressPolicy;
  readonly stunAt: readonly Endpoint[];
  /** Where TEP-C's connection comes from. */
  readonly outer: Endpoint;
}

/** What comes out, valid during the call. */
export interface TunnelSink {
  /** A packet for the core. */
  core(b: Uint8Array, start: number, end: number): void;
  /** A packet for the UE. */
  ue(b: Uint8Array, start: number, end: number): void;
  connectionOpened(): void;
  /** Octets on the connection. */
  octets(byClient: boolean, b: Uint8Array, from: number, to: number): void;
  connectionClosed(): void;
}

export interface Bound {
  readonly ue: Endpoint;
  readonly protocol: FlowProtocol;
  readonly address: Endpoint;
  readonly pair: boolean;
}

export class Tunnel {
  readonly client: TunnelClient;
  readonly server: TunnelServer;
  readonly bound: Bound[] = [];
  /** Why the tunnel or a binding could not be had; undefined while all is well. */
  problem: string | undefined;
  readonly #random: Seeded;
  readonly #sink: TunnelSink;
  readonly #outer: Endpoint;
  readonly #up: Way;
  readonly #down: Way;
  readonly #piece = new Uint8Array(MAX_PIECE_LEN);

  constructor(options: TunnelOptions, sink: TunnelSink) {
    const { random } = options;
    this.#random = random;
    this.#sink = sink;
    this.#outer = options.outer;
    const octets = (length: number) => random.octets(length);
    this.client = new TunnelClient(
      {
        random: octets,
        auth: { mechanism: 'long-term', credentials: CREDENTIALS },
        stunAt: options.stunAt,
        maxBindings: MAX_BINDINGS,
      },
      { packet: (b, start, end) => sink.ue(b, start, end) },
    );
    this.server = new TunnelServer(
      {
        random: octets,
        auth: {
          mechanism: 'long-term',
          realm: REALM,
          users: userTable([CREDENTIALS], REALM),
          nonceSecret: octets(NONCE_SECRET_LEN),
          nonceLifetimeMs: NONCE_LIFETIME_MS,
          keyHashes: ['sha256', 'md5'],
          anonymity: false,
        },
        policy: options.policy,
        addresses: { mode: 'pool', prefixes: options.publicAddresses.map(singlePrefix) },
        ports: PORTS,
        maxPorts: 2 * MAX_BINDINGS,
        quota: {
          tunnelsPerUser: 1,
          bindingsPerTunnel: 2 * MAX_BINDINGS,
          bindingsPerUser: 2 * MAX_BINDINGS,
        },
      },
      { packet: (b, start, end) => sink.core(b, start, end) },
    );
    this.#up = { from: this.client, to: this.server, rest: -1 };
    this.#down = { from: this.server, to: this.client, rest: -1 };
  }

  /** Whether octets are under way that were left for later. */
  get hasRest(): boolean {
    return this.#up.rest >= 0 || this.#down.rest >= 0;
  }

  /** The same port is wanted outside. A pair also binds the port above. */
  bind(ue: Endpoint, protocol: FlowProtocol, pair: boolean, now: number): void {
    this.client.bind(ue, { protocol, port: ue.port, pair }, now);
    this.settle(now);
  }

  /** A packet of the UE, rewritten in place: 0, or why it was dropped. */
  uplink(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.client.packet(b, at, end, now);
    this.#carry(now, true);
    return fault;
  }

  /** A packet of the core to a public address, rewritten in place: 0, or why it was dropped. */
  downlink(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.server.packet(b, at, end, now);
    this.#carry(now, true);
    return fault;
  }

  /** Lets the time pass up to `now`, each timer at its own moment. */
  pass(now: number): void {
    for (;;) {
      const due = Math.min(this.client.nextTimeout(), this.server.nextTimeout());
      if (due > now) return;
      this.client.timeout(due);
      this.server.timeout(due);
      this.settle(due);
    }
  }

  /** Everything that is under way arrives. */
  settle(now: number): void {
    this.#obey(now);
    while (this.#carry(now, false)) this.#obey(now);
  }

  close(now: number): void {
    this.settle(now);
    this.client.close(now);
    this.settle(now);
  }

  /** Whether anything moved. */
  #carry(now: number, mayLeaveRest: boolean): boolean {
    const up = this.#carryFrom(this.#up, now, mayLeaveRest);
    const down = this.#carryFrom(this.#down, now, mayLeaveRest);
    return up || down;
  }

  /** `writable` names a connection once for what it has: a rest that was left is remembered here. */
  #carryFrom(way: Way, now: number, mayLeaveRest: boolean): boolean {
    let moved = false;
    let conn = way.rest >= 0 ? way.rest : way.from.writable();
    way.rest = -1;
    for (; conn >= 0; conn = way.from.writable()) {
      for (;;) {
        const waiting = way.from.pending(conn, now);
        if (waiting.length === 0) break;
        const length = this.#pieceOf(Math.min(waiting.length, MAX_PIECE_LEN));
        if (mayLeaveRest && length < waiting.length && this.#random.below(LEAVE_REST) === 0) {
          way.rest = conn;
          return moved;
        }
        this.#hand(way, conn, waiting, length, now);
        moved = true;
      }
    }
    return moved;
  }

  /** As it comes, or cut anywhere. */
  #pieceOf(length: number): number {
    return this.#random.below(2) === 0 ? length : 1 + this.#random.below(length);
  }

  /** The receiver may change the octets, so it gets a copy. */
  #hand(way: Way, conn: number, waiting: Uint8Array, length: number, now: number): void {
    const piece = this.#piece;
    piece.set(waiting.length === length ? waiting : waiting.subarray(0, length));
    way.from.wrote(conn, length, now);
    this.#sink.octets(way === this.#up, piece, 0, length);
    way.to.input(conn, piece, 0, length, now);
  }

  #obey(now: number): void {
    for (;;) {
      const ofClient = this.client.poll();
      const ofServer = this.server.poll();
      if (ofClient === undefined && ofServer === undefined) return;
      if (ofClient !== undefined) this.#obeyClient(ofClient, now);
      if (ofServer !== undefined) this.#obeyServer(ofServer, now);
    }
  }

  #obeyClient(output: ClientOutput, now: number): void {
    switch (output.type) {
      case 'connect':
        this.#sink.connectionOpened();
        this.client.connected(output.conn, now);
        this.server.accepted(output.conn, this.#outer, now);
        break;
      case 'close':
        this.#end(this.#up, output.conn, now);
        break;
      case 'bound':
        this.bound.push(output);
        break;
      case 'bind-failed':
        this.problem ??= `no public address: ${output.code} ${output.reason}`;
        break;
      case 'closed':
        if (output.why !== 'asked') this.problem ??= `the tunnel ended: ${output.reason}`;
        break;
      default:
    }
  }

  #obeyServer(output: ServerOutput, now: number): void {
    if (output.type === 'close') this.#end(this.#down, output.conn, now);
  }

  /** One end ends the connection: what it has queued still arrives. */
  #end(way: Way, conn: number, now: number): void {
    this.#carryFrom(way, now, false);
    this.#sink.connectionClosed();
    way.from.disconnected(conn, now);
    way.to.disconnected(conn, now);
  }
}

/** One direction of the connection. */
interface Way {
  readonly from: TunnelEnd<unknown>;
  readonly to: TunnelEnd<unknown>;
  /** The connection on which a rest is left to carry; -1: none. */
  rest: number;
}

function singlePrefix(address: Uint8Array): Prefix {
  return { family: address.length === 4 ? 4 : 6, address, length: address.length * 8 };
}
