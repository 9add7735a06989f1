/** The two sides of a pair: a tunnel end with what its agent does, and what the test asks of it. */
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { CHANNELS } from '../../framing/framing.ts';
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import { TunnelClient } from '../../session/client.ts';
import type { BindWishes } from '../../session/ends.ts';
import type { ClientOptions, ServerOptions } from '../../session/options.ts';
import type { ClientOutput, PacketSink, ServerOutput } from '../../session/outputs.ts';
import { TunnelServer } from '../../session/server.ts';
import type { TunnelEnd } from '../../session/tunnel-end.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../wire/address.ts';
import type { Cut, Direction, Link, LinkEnd } from './link.ts';
import type { Pair } from './pair.ts';
import { seededRandom } from './random.ts';
import type { Way } from './traffic.ts';

/** Timeouts of one end at one time before the simulation calls it a loop. */
const MAX_TIMEOUTS_AT_ONCE = 1000;

export interface Connection {
  readonly connection: number;
  readonly link: Link;
  readonly client: ClientSide;
  readonly clientConn: number;
  serverConn: number;
  readonly createdMs: number;
  /** When each end lost it; Infinity as long as it has not. */
  readonly goneMs: { client: number; server: number };
}

/** What both sides of a pair do: obey the outputs, write what is pending, keep the timer. */
abstract class Side<Output extends ClientOutput | ServerOutput, End extends TunnelEnd<Output>> {
  abstract readonly end: End;
  readonly pair: Pair;
  /** All outputs that the end ever gave. */
  readonly outputs: Output[] = [];
  /** By the number that the end uses. */
  readonly connections = new Map<number, Connection>();
  /** The connection whose octets the end is looking at, -1 when none. */
  protected reading = -1;
  readonly #side: 'client' | 'server';
  readonly #closing = new Set<number>();
  readonly #taps = new Map<Connection, FrameBuffer>();
  #timerMs = Number.POSITIVE_INFINITY;
  #isPumping = false;
  #isDead = false;

  constructor(pair: Pair, side: 'client' | 'server') {
    this.pair = pair;
    this.#side = side;
  }

  protected abstract obey(output: Output): void;

  of<Type extends Output['type']>(type: Type): Extract<Output, { type: Type }>[] {
    return this.outputs.filter(
      (output): output is Extract<Output, { type: Type }> => output.type === type,
    );
  }

  /** Where packets leave the end of this side. */
  protected sink(way: Way): PacketSink {
    return {
      packet: (b, start, end) => {
        this.pair.traffic.delivered(way, b, start, end, this.reading, this.pair.clock.now);
      },
    };
  }

  /** To be called after every verb of the end. */
  pump(): void {
    if (this.#isPumping || this.#isDead) return;
    this.#isPumping = true;
    for (let more = true; more; ) {
      more = false;
      for (let o = this.end.poll(); o !== undefined; o = this.end.poll()) {
        more = true;
        this.outputs.push(o);
        if (o.type === 'close') this.#close(o.conn, o.flush);
        else this.obey(o);
      }
      for (let conn = this.end.writable(); conn >= 0; conn = this.end.writable()) {
        more = true;
        this.write(conn);
      }
    }
    this.#isPumping = false;
    this.#setTimer();
  }

  /** The process is gone: nothing is done any more. The system closes its connections. */
  protected die(): void {
    this.#isDead = true;
  }

  received(connection: Connection, conn: number, octets: Uint8Array): void {
    if (this.connections.get(conn) !== connection) return;
    this.reading = connection.connection;
    this.end.input(conn, octets, 0, octets.length, this.pair.clock.now);
    this.reading = -1;
    this.pump();
  }

  disconnected(conn: number): void {
    const connection = this.connections.get(conn);
    if (connection !== undefined) {
      this.#gone(connection);
      this.#taps.delete(connection);
    }
    this.connections.delete(conn);
    this.#closing.delete(conn);
    this.end.disconnected(conn, this.pair.clock.now);
    this.pump();
  }

  write(conn: number): void {
    const connection = this.connections.get(conn);
    if (connection === undefined) return;
    const direction = this.#out(connection);
    for (;;) {
      const octets = this.end.pending(conn, this.pair.clock.now);
      if (octets.length === 0) break;
      const taken = direction.write(octets);
      this.#tap(connection, octets.slice(0, taken));
      this.end.wrote(conn, taken, this.pair.clock.now);
      if (taken === 0) return;
    }
    if (this.#closing.has(conn)) this.#finish(connection, conn, true);
  }

  #close(conn: number, flush: boolean): void {
    const connection = this.connections.get(conn);
    if (connection === undefined) {
      this.pair.clock.after(0, () => this.disconnected(conn));
      return;
    }
    if (flush) {
      this.#closing.add(conn);
      this.write(conn);
    } else {
      this.#finish(connection, conn, false);
    }
  }

  /** The other end is told behind the last octet; this one when that one is through, or soon. */
  #finish(connection: Connection, conn: number, isOrderly: boolean): void {
    this.#closing.delete(conn);
    this.#gone(connection);
    this.pair.clock.after(0, () => {
      if (this.connections.get(conn) !== connection) return;
      if (isOrderly) connection.link.endedBy(this.#side);
      else connection.link.closedBy(this.#side);
    });
  }

  #gone({ goneMs }: Connection): void {
    goneMs[this.#side] = Math.min(goneMs[this.#side], this.pair.clock.now);
  }

  #tap(connection: Connection, octets: Uint8Array): void {
    const tap = this.#taps.get(connection) ?? new FrameBuffer(innerIp);
    this.#taps.set(connection, tap);
    tap.append(octets, 0, octets.length);
    while (tap.next()) {
      if (tap.channel !== CHANNELS.IP) continue;
      this.pair.traffic.written(tap.bytes, tap.start, tap.end, connection.connection);
    }
    if (tap.fault !== 0) this.pair.traffic.wrongs.push(`${this.#side} wrote what is no record`);
  }

  #out(connection: Connection): Direction {
    return this.#side === 'client' ? connection.link.up : connection.link.down;
  }

  #setTimer(): void {
    const next = this.end.nextTimeout();
    if (next >= this.#timerMs) return;
    this.#timerMs = next;
    this.pair.clock.at(next, () => {
      if (this.#timerMs !== next) return;
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#timeout();
    });
  }

  #timeout(): void {
    if (this.#isDead) return;
    const { now } = this.pair.clock;
    for (let i = 0; this.end.nextTimeout() <= now; i++) {
      if (i > MAX_TIMEOUTS_AT_ONCE) throw new Error(`${this.#side}: timeouts without end`);
      this.end.timeout(now);
      this.pump();
    }
    this.#setTimer();
  }
}

export class ClientSide extends Side<ClientOutput, TunnelClient> {
  readonly end: TunnelClient;
  readonly index: number;
  /** Changes when the UE moves to another network. */
  outer: string;
  #nextPort = 40_000;

  constructor(pair: Pair, outer: string, options: Omit<ClientOptions, 'random'>) {
    super(pair, 'client');
    this.index = pair.clients.length;
    this.outer = outer;
    const random = seededRandom(pair.random.below(2 ** 31)).octets;
    this.end = new TunnelClient({ ...options, random }, this.sink('downlink'));
  }

  bind(ue: Endpoint, wishes: BindWishes = {}): void {
    this.end.bind(ue, wishes, this.pair.clock.now);
    this.pump();
  }

  release(ue: Endpoint): void {
    this.end.release(ue, 17, this.pair.clock.now);
    this.pump();
  }

  close(): void {
    this.end.close(this.pair.clock.now);
    this.pump();
  }

  /** The public address as last told; the UE address itself before that. */
  publicOf(ue: Endpoint): Endpoint {
    for (const bound of this.of('bound').reverse()) {
      const offset = ue.port - bound.ue.port;
      const isIt = offset === 0 || (bound.pair && offset === 1);
      if (isIt && formatEndpoint({ ...bound.ue, port: ue.port }) === formatEndpoint(ue)) {
        return { ...bound.address, port: bound.address.port + offset };
      }
    }
    return ue;
  }

  /** Connections that both ends have. */
  up(): Connection[] {
    return this.pair.up().filter((c) => c.client === this);
  }

  cutAll(cut: Cut = {}): void {
    for (const connection of this.up()) connection.link.cut(cut);
  }

  kill(): void {
    this.die();
    this.cutAll();
  }

  nextPeer(): Endpoint {
    this.#nextPort += 1;
    return endpoint(`${this.outer}:${this.#nextPort}`);
  }

  connected(conn: number): void {
    this.end.connected(conn, this.pair.clock.now);
    this.pump();
  }

  linkEnd(connection: () => Connection, conn: number): LinkEnd {
    return {
      received: (octets) => this.received(connection(), conn, octets),
      writable: () => {
        this.write(conn);
        this.pump();
      },
      gone: () => {
        if (this.connections.get(conn) === connection()) this.disconnected(conn);
      },
    };
  }

  protected obey(output: ClientOutput): void {
    if (output.type === 'connect') this.pair.connect(this, output.conn);
  }
}

export class ServerSide extends Side<ServerOutput, TunnelServer> {
  readonly end: TunnelServer;
  constructor(pair: Pair, options: ServerOptions) {
    super(pair, 'server');
    this.end = new TunnelServer(options, this.sink('uplink'));
  }

  accept(connection: Connection, peer: Endpoint): void {
    if (this.pair.server !== this) return;
    let conn = 0;
    while (this.connections.has(conn)) conn += 1;
    connection.serverConn = conn;
    this.connections.set(conn, connection);
    this.end.accepted(conn, peer, this.pair.clock.now);
    this.pump();
  }

  linkEnd(connection: () => Connection): LinkEnd {
    return {
      received: (octets) => this.received(connection(), connection().serverConn, octets),
      writable: () => {
        this.write(connection().serverConn);
        this.pump();
      },
      gone: () => {
        const { serverConn } = connection();
        if (this.connections.get(serverConn) === connection()) this.disconnected(serverConn);
      },
    };
  }

  protected obey(output: ServerOutput): void {
    if (output.type !== 'listen') return;
    const { id, address } = output;
    this.pair.clock.after(1, () => {
      const { now } = this.pair.clock;
      if (this.pair.canListen(address)) this.end.listening(id, now);
      else this.end.listenFailed(id, now);
      this.pump();
    });
  }
}

/** Whether both ends still have it. */
export function isUp({ goneMs }: Connection): boolean {
  return Math.min(goneMs.client, goneMs.server) === Number.POSITIVE_INFINITY;
}

export function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(`no endpoint: ${text}`);
  return parsed;
}
