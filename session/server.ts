/**
 * TEP-S, sans-IO (tep-wire 3 to 7; TR 33.830 8.6): lets tunnels in, gives them public ports, and
 * carries packets between them and the core.
 *
 * Who may do what:
 * - a connection that is not authenticated may send STUN, `unauthenticatedOctets` of it, for 15 s or as
 *   long as the agent says; it costs no more than its buffers, for nonces are stateless;
 * - a token is good only for the user that opened the tunnel. Unknown and foreign tokens get the same
 *   403, so that answers do not tell which exist;
 * - every request that changes something is authenticated by itself, on an authenticated connection
 *   too; when its nonce has become stale the client repeats it once (438).
 *
 * Memory of a tunnel: 1.5 KiB, about 1 KiB for each public port (quota) once media flow, one media queue of at
 * most 2.3 MiB (media/), and for each of at most 8 connections one reassembly buffer and one send queue
 * (connection.ts): at most 64 KiB + 2 × 79 KiB each while traffic jams, about 10 KiB at rest.
 */
import { CHANNELS } from '../framing/framing.ts';
import type { Endpoint } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { answerDatagram } from '../wire/stun/binding.ts';
import { find, has } from '../wire/stun/message.ts';
import type { CarrierState } from './carrier.ts';
import { Connections } from './connections.ts';
import { countedHost } from './counted-host.ts';
import { Counters } from './counters.ts';
import type { ServerEnd, TunnelStatus } from './ends.ts';
import { LIMITS, type ServerLimits } from './limits.ts';
import { MediaSender } from './media/media-sender.ts';
import { mapped, statsAttribute, TOKEN_LEN } from './messages.ts';
import { MAX_STRIPES, type ServerOptions, SOFTWARE } from './options.ts';
import type { PacketSink, ServerOutput, TunnelEndWhy } from './outputs.ts';
import { placeOfToken, placeOfUser } from './placement.ts';
import { ServerBinder } from './server-binder.ts';
import { ServerBindings } from './server-bindings.ts';
import { ServerConnection } from './server-connection.ts';
import { ServerData } from './server-data.ts';
import { type Asked, ServerRequests } from './server-requests.ts';
import { type Tunnel, Tunnels } from './server-tunnels.ts';

export class TunnelServer implements ServerEnd {
  readonly counters = new Counters();
  readonly #options: ServerOptions;
  readonly #software: string;
  readonly #limits: { -readonly [Name in 'unauthenticatedOctets' | 'lifetimeMs']: number };
  readonly #connections: Connections<ServerConnection, ServerOutput>;
  readonly #requests: ServerRequests;
  readonly #tunnels: Tunnels;
  readonly #bindings: ServerBindings;
  readonly #binder: ServerBinder;
  readonly #data: ServerData;
  #isDraining = false;

  constructor(options: ServerOptions, sink: PacketSink) {
    const { auth, policy, random, software = SOFTWARE } = options;
    const { counters } = this;
    const { unauthenticatedOctets = LIMITS.unauthenticatedOctets } = options;
    const { lifetimeMs = LIMITS.lifetimeMs } = options;
    this.#options = options;
    this.#software = software;
    this.#limits = { unauthenticatedOctets, lifetimeMs };
    const connections = new Connections<ServerConnection, ServerOutput>({
      counters,
      random,
      gone: (c, _from, _sinceMs, now) => this.#gone(c, now),
      fill: (c, now) => c.tunnel?.media.fill(c, now),
      learnt: (c, now) => c.tunnel?.media.learnt(c, now),
    });
    const tell = (output: ServerOutput) => connections.tell(output);
    const asked = (what: Asked, user: string | undefined, now: number) =>
      this.#asked(what, user, now);
    const limits = this.#limits;
    const requests = new ServerRequests({ connections, counters, auth, software, limits, asked });
    const quota = { ...LIMITS.quota, ...options.quota };
    const bindings = new ServerBindings({ ...options, quota });
    const { placement, media } = options;
    this.#tunnels = new Tunnels({
      ...{ counters, random, limits, placement, tell },
      mediaSender: (ready, own) =>
        new MediaSender({ connections, ready, counters: own, sums: counters }, media),
    });
    this.#binder = new ServerBinder({ bindings, requests, counters, tell });
    this.#data = new ServerData({ bindings, counters, policy, sink });
    this.#connections = connections;
    this.#requests = requests;
    this.#bindings = bindings;
  }

  tunnels(): TunnelStatus[] {
    return Array.from(this.#tunnels.all(), statusOf);
  }

  accepted(conn: number, peer: Endpoint, now: number, openDueMs?: number): void {
    if (this.#connections.find(conn)) throw new RangeError(`connection ${conn} is there already`);
    this.#connections.add(new ServerConnection(conn, peer, this.#options, now, openDueMs));
  }

  limit({ quota, unauthenticatedOctets, lifetimeMs }: Partial<ServerLimits>): void {
    this.#bindings.limit({ ...LIMITS.quota, ...quota });
    this.#limits.unauthenticatedOctets = unauthenticatedOctets ?? LIMITS.unauthenticatedOctets;
    this.#limits.lifetimeMs = lifetimeMs ?? LIMITS.lifetimeMs;
  }

  disconnected(conn: number, now: number): void {
    this.#connections.disconnected(conn, now);
  }

  input(conn: number, b: Uint8Array, from: number, to: number, now: number): void {
    const c = this.#connections.find(conn);
    if (c === undefined) {
      this.counters.note(FAULTS.ILLEGAL_EVENT);
      return;
    }
    if (!this.#connections.append(c, b, from, to, now)) return;
    const frames = c.frames;
    while (c.isRead && frames.next()) {
      const { bytes, start, end } = frames;
      if (frames.channel === CHANNELS.IP) this.#record(c, bytes, start, end, now);
      else if (c.isOpen) this.#requests.control(c, bytes, start, end, now);
    }
    if (frames.fault !== 0) this.#connections.end(c, 'shut', frames.fault, now);
  }

  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.#data.down(b, at, end, now);
    if (fault !== 0) this.counters.drop(fault);
    return fault;
  }

  datagram(b: Uint8Array, at: number, end: number, peer: Endpoint): Uint8Array | undefined {
    return answerDatagram(b, at, end, peer, this.#software);
  }

  listening(id: number, now: number): void {
    this.#binder.listens.listening(id, now);
  }

  listenFailed(id: number, now: number): void {
    this.#binder.listens.failed(id, now);
  }

  drain(): void {
    this.#isDraining = true;
  }

  stop(now: number): void {
    for (const tunnel of this.#tunnels.all()) {
      this.#tunnels.move(tunnel, 'close', now);
      this.#over(tunnel, 'stopped', now);
    }
    this.#connections.endAll(() => true, now);
  }

  timeout(now: number): void {
    this.#connections.timeout(now);
    this.#data.timeout(now);
    for (let t = this.#tunnels.due(now); t !== undefined; t = this.#tunnels.due(now)) {
      this.#tunnels.move(t, 'expire', now);
      this.#over(t, 'expired', now);
    }
  }

  nextTimeout(): number {
    return Math.min(
      this.#connections.nextTimeout(),
      this.#tunnels.nextTimeout(),
      this.#data.nextTimeout(),
    );
  }

  poll(): ServerOutput | undefined {
    return this.#connections.poll();
  }

  writable(): number {
    return this.#connections.writable();
  }

  pending(conn: number, now: number): Uint8Array {
    return this.#connections.pending(conn, now);
  }

  wrote(conn: number, n: number, now: number): void {
    this.#connections.wrote(conn, n, now);
  }

  carrier(conn: number, state: CarrierState, now: number): void {
    this.#connections.carrier(conn, state, now);
  }

  /** The framing lets records through only on a connection that is part of a tunnel. */
  #record(c: ServerConnection, b: Uint8Array, at: number, end: number, now: number): void {
    const { tunnel } = c;
    if (tunnel === undefined) return;
    const fault = this.#data.up(tunnel, b, at, end, now);
    if (fault === 0) return;
    this.counters.drop(fault);
    tunnel.counters.drop(fault);
  }

  /** A request that was let in. */
  #asked(asked: Asked, authenticated: string | undefined, now: number): void {
    const { c, message } = asked;
    const user = authenticated ?? '';
    const { tunnel } = c;
    if (has(message, 'TEP-TUNNEL')) this.#admit(asked, user, authenticated === undefined, now);
    else if (tunnel === undefined) this.#requests.refuse(437, asked, now);
    else if (tunnel.user !== user) this.#requests.refuse(441, asked, now);
    else if (has(message, 'TEP-CLOSE')) this.#closed(asked, tunnel, now);
    else if (has(message, 'TEP-BINDING')) this.#binder.asked(asked, tunnel, now);
    else this.#requests.succeed(asked, [mapped(c.peer), statsAttribute(tunnel.counters)], now);
  }

  // Tunnels

  /** Opening, joining, resuming; again on an admitted connection: the same answer. */
  #admit(asked: Asked, user: string, anonymous: boolean, now: number): void {
    const { c, message } = asked;
    const token = find(message, 'TEP-TUNNEL') ?? NO_TOKEN;
    if (c.tunnel !== undefined) {
      const same = token.length === 0 || equal(token, 0, c.tunnel.token, 0, TOKEN_LEN);
      if (same && c.tunnel.user === user) this.#welcome(asked, c.tunnel, now);
      else this.#requests.refuse(400, asked, now);
    } else if (this.#isElsewhere(c, token, anonymous ? countedHost(c.peer.address) : user, now)) {
      // Whoever has it answers.
    } else if (token.length === 0) {
      this.#openTunnel(asked, user, anonymous, now);
    } else {
      this.#join(asked, token, user, now);
    }
  }

  /** Whether another process has the tunnel, or has to open it; then the connection is handed over. */
  #isElsewhere(c: ServerConnection, token: Uint8Array, user: string, now: number): boolean {
    const { placement } = this.#options;
    if (placement === undefined) return false;
    const { index, count, handOver } = placement;
    const to = token.length > 0 ? placeOfToken(token, count) : placeOfUser(user, count);
    if (to === index) return false;
    const octets = c.frames.unused();
    this.#connections.move(c, 'refuse', now);
    handOver(c.conn, to, octets);
    return true;
  }

  #openTunnel(asked: Asked, user: string, anonymous: boolean, now: number): void {
    const { c } = asked;
    if (this.#isDraining) {
      this.#requests.refuse(500, asked, now);
      return;
    }
    const counted = anonymous ? countedHost(c.peer.address) : user;
    const id = this.#tunnels.nextId();
    if (this.#bindings.openTunnel(id, counted) !== 0) {
      this.counters.note(FAULTS.QUOTA_TUNNELS);
      this.#requests.refuse(486, asked, now);
      return;
    }
    const tunnel = this.#tunnels.add(user, c.peer, this.#bindings.ratesOf(id), now);
    this.#connections.tell({
      type: 'tunnel-opened',
      tunnel: tunnel.id,
      user,
      peer: c.peer,
      conn: c.conn,
    });
    this.#enter(asked, tunnel, 0, now);
  }

  #join(asked: Asked, token: Uint8Array, user: string, now: number): void {
    const { c, message } = asked;
    const stripe = find(message, 'TEP-STRIPE') ?? 0;
    if (stripe >= MAX_STRIPES) {
      this.#requests.refuse(400, asked, now);
      return;
    }
    const tunnel = this.#tunnels.find(token);
    if (tunnel === undefined || tunnel.user !== user) {
      this.#requests.refuse(403, asked, now);
      return;
    }
    // The client has lost the connection that was this stripe; we had not noticed yet.
    const before = tunnel.ready.find((other) => other.stripe === stripe);
    this.#connections.tell({
      type: 'tunnel-joined',
      tunnel: tunnel.id,
      peer: c.peer,
      conn: c.conn,
      stripe,
    });
    this.#enter(asked, tunnel, stripe, now);
    if (before !== undefined) this.#connections.retire(before, now);
  }

  #enter(asked: Asked, tunnel: Tunnel, stripe: number, now: number): void {
    const { c } = asked;
    c.tunnel = tunnel;
    c.stripe = stripe;
    this.#connections.move(c, 'admit', now);
    tunnel.ready.push(c);
    if (tunnel.state !== 'up') this.#tunnels.move(tunnel, 'admit', now);
    this.#welcome(asked, tunnel, now);
  }

  #welcome(asked: Asked, tunnel: Tunnel, now: number): void {
    this.#requests.succeed(
      asked,
      [
        mapped(asked.c.peer),
        { type: 'TEP-TUNNEL', value: tunnel.token },
        { type: 'LIFETIME', value: Math.floor(this.#limits.lifetimeMs / 1000) },
        { type: 'SOFTWARE', value: this.#software },
      ],
      now,
    );
  }

  #closed(asked: Asked, tunnel: Tunnel, now: number): void {
    this.#requests.succeed(asked, [{ type: 'TEP-CLOSE', value: true }], now);
    this.#tunnels.move(tunnel, 'close', now);
    this.#over(tunnel, 'asked', now);
  }

  /** Gives everything of the tunnel back. */
  #over(tunnel: Tunnel, why: TunnelEndWhy, now: number): void {
    if (tunnel.state === 'closing') this.#tunnels.move(tunnel, 'end', now);
    this.#binder.releaseAll(tunnel);
    this.#bindings.closeTunnel(tunnel);
    this.#data.forget(tunnel);
    this.#tunnels.remove(tunnel);
    this.#connections.tell({ type: 'tunnel-closed', tunnel: tunnel.id, why });
    for (const c of [...tunnel.ready]) this.#connections.end(c, 'shut', 0, now);
  }

  /** Called by `Connections` when a connection is of no use any more, whoever ended it. */
  #gone(c: ServerConnection, now: number): void {
    const { tunnel } = c;
    const at = tunnel?.ready.indexOf(c) ?? -1;
    if (tunnel === undefined || at < 0) return;
    tunnel.ready.splice(at, 1);
    if (tunnel.ready.length === 0 && tunnel.state === 'up') {
      this.#tunnels.move(tunnel, 'carriers-lost', now);
    }
  }
}

const NO_TOKEN = new Uint8Array(0);

function statusOf(tunnel: Tunnel): TunnelStatus {
  const { id, user, state, outer, counters, openedMs, ready, slots } = tunnel;
  const { waiting } = tunnel.media;
  const links = ready.map(({ conn, peer, queue }) => ({ conn, peer, queuedOctets: queue.length }));
  const ports = Array.from(slots, ({ number: binding, address, protocol, media }) => {
    return { binding, address, protocol, sending: media.status() };
  });
  const lengths = { connections: links.length, bindings: ports.length };
  return { id, user, state, outer, counters, openedMs, ...lengths, links, ports, waiting };
}
