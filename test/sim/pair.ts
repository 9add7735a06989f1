/**
 * TEP-C's and a TEP-S joined by simulated connections, with an application at each client and a media
 * gateway behind the server: what the agents do, without a world. Time moves only by `clock`.
 *
 * Connections are numbered through the whole run (`connection`), whatever numbers the ends use.
 */
import type { ClientOptions, ServerOptions } from '../../session/options.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FakeClock } from './clock.ts';
import { Link, type LinkOptions } from './link.ts';
import { type SeededRandom, seededRandom } from './random.ts';
import { ClientSide, type Connection, isUp, ServerSide } from './sides.ts';
import { type Rtp, type Sent, Traffic } from './traffic.ts';

export interface PairOptions {
  readonly seed: number;
  readonly link?: LinkOptions;
  readonly server: Omit<ServerOptions, 'random'>;
}

export interface ClientSetup {
  /** The address that TEP-S sees, without a port: each connection has another one. */
  readonly outer: string;
  readonly options: Omit<ClientOptions, 'random'>;
}

export class Pair {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly traffic: Traffic;
  readonly clients: ClientSide[] = [];
  /** All connections that ever were, by number. */
  readonly connections: Connection[] = [];
  server: ServerSide;
  /** Those before a restart, too. */
  readonly servers: ServerSide[] = [];
  /** What a `connect` meets: a server, somebody who says no, or nothing at all. */
  reach: 'server' | 'refused' | 'silent' = 'server';
  /** The answer to `listen` (relay mode). */
  canListen: (address: Endpoint) => boolean = () => true;
  readonly link: LinkOptions;
  readonly #serverOptions: Omit<ServerOptions, 'random'>;

  constructor({ seed, link = {}, server }: PairOptions) {
    this.random = seededRandom(seed);
    this.traffic = new Traffic(this.random);
    this.link = link;
    this.#serverOptions = server;
    this.server = this.#newServer();
  }

  client({ outer, options }: ClientSetup): ClientSide {
    const side = new ClientSide(this, outer, options);
    this.clients.push(side);
    return side;
  }

  /** Connections that neither end has lost. */
  up(): Connection[] {
    return this.connections.filter(isUp);
  }

  /** TEP-S dies and comes back with no memory. */
  restartServer(): void {
    for (const connection of this.up()) connection.link.cut();
    this.server = this.#newServer();
  }

  /** The gateway sends a packet to a public address of `client`. */
  downlink(client: ClientSide, ue: Endpoint, from: Endpoint, length = 40): Sent {
    const to = client.publicOf(ue);
    const now = this.clock.now;
    const expected = { source: from, destination: ue };
    const { server } = this;
    const sent = this.traffic.send(
      'downlink',
      client.index,
      from,
      to,
      expected,
      length,
      now,
      (b, at, end) => server.end.packet(b, at, end, now),
    );
    server.pump();
    return sent;
  }

  /** The application at `ue` sends a packet to the gateway. */
  uplink(client: ClientSide, ue: Endpoint, to: Endpoint, length = 40, rtp?: Rtp): Sent {
    const now = this.clock.now;
    const expected = { source: client.publicOf(ue), destination: to };
    const sent = this.traffic.send(
      'uplink',
      client.index,
      ue,
      to,
      expected,
      length,
      now,
      (b, at, end) => client.end.packet(b, at, end, now),
      rtp,
    );
    client.pump();
    return sent;
  }

  /** A new connection that `client` asked for. */
  connect(client: ClientSide, clientConn: number): void {
    if (this.reach === 'silent') return;
    const { delayMs = 20 } = this.link;
    if (this.reach === 'refused') {
      this.clock.after(2 * delayMs, () => client.disconnected(clientConn));
      return;
    }
    const connection = this.#newConnection(client, clientConn);
    const { server } = this;
    this.clock.after(delayMs, () => server.accept(connection, client.nextPeer()));
    this.clock.after(2 * delayMs, () => {
      if (client.connections.get(clientConn) === connection) client.connected(clientConn);
    });
  }

  #newConnection(client: ClientSide, clientConn: number): Connection {
    const { server } = this;
    const connection: Connection = {
      connection: this.connections.length,
      link: new Link(this.clock, this.random, this.link, {
        client: client.linkEnd(() => connection, clientConn),
        server: server.linkEnd(() => connection),
      }),
      client,
      clientConn,
      serverConn: -1,
      createdMs: this.clock.now,
      goneMs: { client: Number.POSITIVE_INFINITY, server: Number.POSITIVE_INFINITY },
    };
    this.connections.push(connection);
    client.connections.set(clientConn, connection);
    return connection;
  }

  #newServer(): ServerSide {
    const server = new ServerSide(this, { ...this.#serverOptions, random: this.random.octets });
    this.servers.push(server);
    return server;
  }
}
