/**
 * Plays an exchange of TEP-C and TEP-S at given times and writes down all that passes: the octets of
 * each connection record by record, and the packets at the application and at the core.
 *
 * `record` has both ends and gives the entries. `replay` has one end; the entries stand for the other,
 * and what the one end does must be what they say.
 */
import { Buffer } from 'node:buffer';
import { TunnelClient } from '../../session/client.ts';
import type { ClientOptions, ServerOptions } from '../../session/options.ts';
import type { ClientOutput, PacketSink, ServerOutput } from '../../session/outputs.ts';
import { TunnelServer } from '../../session/server.ts';
import type { TunnelEnd } from '../../session/tunnel-end.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { seededRandom } from '../sim/random.ts';
import { recordLength } from './tiny-reader.ts';

/** Milliseconds since 1970 at time 0 of every exchange: nonces carry it. */
export const START_MS = 1_780_000_000_000;

const CLIENT_SEED = 1;
const SERVER_SEED = 2;

/** Where octets pass: on a connection, or as packets at the application (`ue`) and at the `core`. */
export type Way = 'C>S' | 'S>C' | 'ue>C' | 'C>ue' | 'core>S' | 'S>core';

export type Entry =
  | { readonly type: 'opens'; readonly at: number; readonly conn: number; readonly peer: string }
  | { readonly type: 'ends'; readonly at: number; readonly conn: number; readonly by: EndedBy }
  | {
      readonly type: 'octets';
      readonly at: number;
      readonly way: Way;
      /** 0 for packets. */
      readonly conn: number;
      readonly octets: Uint8Array;
    };

export type EndedBy = 'C' | 'S' | 'loss';

/** What happens at a time, after the timers of both ends. */
export interface Step {
  readonly at: number;
  readonly client?: (client: TunnelClient, now: number) => void;
  readonly server?: (server: TunnelServer, now: number) => void;
  readonly ue?: Uint8Array;
  readonly core?: Uint8Array;
  readonly lose?: number;
}

export interface Exchange {
  /** Name of its file. */
  readonly name: string;
  /** What it shows, in a few lines. */
  readonly about: readonly string[];
  readonly client: Omit<ClientOptions, 'random'>;
  readonly server: Omit<ServerOptions, 'random'>;
  /** Address of the client's first connection as TEP-S sees it; further ones count the port up. */
  readonly from: string;
  readonly steps: readonly Step[];
  /** What the messages mean, one text for each entry with octets. */
  readonly says: readonly string[];
}

/** Both ends together. */
export function record(exchange: Exchange): Entry[] {
  const entries: Entry[] = [];
  const client = new Side('C', exchange);
  const server = new Side('S', exchange);
  const write = (entry: Entry) => {
    entries.push(entry);
    client.take(entry);
    server.take(entry);
  };
  const one = (side: Side) => {
    const entry = side.next();
    if (entry !== undefined) write(entry);
    return entry !== undefined;
  };
  for (const step of exchange.steps) {
    client.step(step);
    server.step(step);
    for (const entry of stepEntries(step)) write(entry);
    while (one(client) || one(server)) {
      // until nothing moves
    }
  }
  return entries;
}

/** One end alone. Gives what it did that the entries do not say, or did not do that they say. */
export function replay(exchange: Exchange, who: 'C' | 'S', entries: readonly Entry[]): string[] {
  const wrong: string[] = [];
  const side = new Side(who, exchange);
  const rest = [...entries];
  for (const step of exchange.steps) {
    side.step(step);
    while (rest[0]?.at === step.at) {
      const [entry] = rest.splice(0, 1);
      if (entry === undefined) break;
      if (isBy(entry, who)) {
        const does = side.next();
        if (show(does) !== show(entry)) wrong.push(`${show(does)} instead of ${show(entry)}`);
      }
      side.take(entry);
    }
    for (let more = side.next(); more !== undefined; more = side.next()) {
      wrong.push(`${show(more)} besides`);
    }
  }
  return rest.length > 0 ? [...wrong, `${rest.length} entries at no time of a step`] : wrong;
}

function stepEntries({ at, ue, core, lose }: Step): Entry[] {
  const entries: Entry[] = [];
  if (lose !== undefined) entries.push({ type: 'ends', at, conn: lose, by: 'loss' });
  if (ue !== undefined) entries.push({ type: 'octets', at, way: 'ue>C', conn: 0, octets: ue });
  if (core !== undefined)
    entries.push({ type: 'octets', at, way: 'core>S', conn: 0, octets: core });
  return entries;
}

/** Whether the entry is a deed of this end. */
function isBy(entry: Entry, who: 'C' | 'S'): boolean {
  if (entry.type === 'opens') return who === 'C';
  return entry.type === 'ends' ? entry.by === who : entry.way.startsWith(`${who}>`);
}

function show(entry: Entry | undefined): string {
  if (entry === undefined) return 'nothing';
  const { at, conn } = entry;
  if (entry.type === 'opens') return `@${at} connection ${conn} opens ${entry.peer}`;
  if (entry.type === 'ends') return `@${at} connection ${conn} ends by ${entry.by}`;
  return `@${at} connection ${conn} ${entry.way} ${Buffer.from(entry.octets).toString('hex')}`;
}

/** One end with its surroundings: what it does becomes entries, entries become its inputs. */
class Side {
  readonly #who: 'C' | 'S';
  readonly #from: string;
  readonly #client: TunnelClient | undefined;
  readonly #server: TunnelServer | undefined;
  readonly #end: TunnelEnd<ClientOutput | ServerOutput>;
  readonly #done: Entry[] = [];
  /** Connections that are there, and those of them that this end wants ended. */
  readonly #up = new Set<number>();
  readonly #unwanted: number[] = [];
  #at = 0;
  #connections = 0;

  constructor(who: 'C' | 'S', exchange: Exchange) {
    const random = seededRandom(who === 'C' ? CLIENT_SEED : SERVER_SEED);
    const octets = (length: number) => random.octets(length);
    const way = who === 'C' ? 'C>ue' : 'S>core';
    const sink: PacketSink = {
      packet: (b, from, to) => this.#did(way, 0, b.slice(from, to)),
    };
    this.#who = who;
    this.#from = exchange.from;
    if (who === 'C') {
      this.#client = new TunnelClient({ ...exchange.client, random: octets }, sink);
      this.#end = this.#client;
    } else {
      this.#server = new TunnelServer({ ...exchange.server, random: octets }, sink);
      this.#end = this.#server;
    }
  }

  step({ at, client, server }: Step): void {
    this.#at = at;
    this.#end.timeout(this.#now());
    if (this.#client !== undefined) client?.(this.#client, this.#now());
    if (this.#server !== undefined) server?.(this.#server, this.#now());
  }

  /** What this end does next. */
  next(): Entry | undefined {
    if (this.#done.length === 0) this.#collect();
    const entry = this.#done.shift();
    // The other end was faster to end the connection.
    const late = entry?.type === 'ends' && !this.#up.has(entry.conn);
    return late ? this.next() : entry;
  }

  /** What happens: the other end's deeds, and what follows from this one's. */
  take(entry: Entry): void {
    const { conn } = entry;
    if (entry.type === 'opens') this.#opens(conn, entry.peer);
    else if (entry.type === 'ends') {
      if (this.#up.delete(conn)) this.#end.disconnected(conn, this.#now());
    } else if (entry.way === 'ue>C' || entry.way === 'core>S') {
      if (entry.way.endsWith(this.#who)) {
        this.#end.packet(Uint8Array.from(entry.octets), 0, entry.octets.length, this.#now());
      }
    } else if (entry.way.endsWith(`>${this.#who}`)) {
      // A copy: an end changes packets in place.
      this.#end.input(conn, Uint8Array.from(entry.octets), 0, entry.octets.length, this.#now());
    }
  }

  #opens(conn: number, peer: string): void {
    const endpoint = parseEndpoint(peer);
    if (endpoint === undefined) throw new RangeError(peer);
    this.#up.add(conn);
    this.#server?.accepted(conn, endpoint, this.#now());
    this.#client?.connected(conn, this.#now());
  }

  #collect(): void {
    for (let output = this.#end.poll(); output !== undefined; output = this.#end.poll()) {
      if (output.type === 'connect') this.#connects(output.conn);
      if (output.type === 'close') this.#unwanted.push(output.conn);
    }
    for (let conn = this.#end.writable(); conn >= 0; conn = this.#end.writable()) {
      this.#write(conn);
    }
    // What this end wanted to say before it ends a connection has been said.
    for (const conn of this.#unwanted.splice(0)) {
      const by = this.#who;
      if (this.#up.has(conn)) this.#done.push({ type: 'ends', at: this.#at, conn, by });
    }
  }

  #connects(conn: number): void {
    const first = parseEndpoint(this.#from);
    const port = (first?.port ?? 0) + this.#connections;
    const peer = this.#from.replace(/\d+$/, String(port));
    this.#connections += 1;
    this.#done.push({ type: 'opens', at: this.#at, conn, peer });
  }

  #write(conn: number): void {
    for (
      let p = this.#end.pending(conn, this.#now());
      p.length > 0;
      p = this.#end.pending(conn, this.#now())
    ) {
      const octets = p.slice(0, recordLength(p));
      this.#end.wrote(conn, octets.length, this.#now());
      if (this.#up.has(conn)) this.#did(this.#who === 'C' ? 'C>S' : 'S>C', conn, octets);
    }
  }

  #did(way: Way, conn: number, octets: Uint8Array): void {
    this.#done.push({ type: 'octets', at: this.#at, way, conn, octets });
  }

  #now(): number {
    return START_MS + this.#at;
  }
}
