/**
 * TEP-S, sans-IO (tep-wire 3 to 7; TR 33.830 8.6): lets tunnels in, gives them public ports, and
 * carries packets between them and the core.
 *
 * Who may do what:
 * - a connection that is not authenticated may send STUN, MAX_UNAUTHENTICATED_LEN octets of it, for
 *   15 s; it costs no more than its buffers, for nonces are stateless;
 * - a token is good only for the user that opened the tunnel. Unknown and foreign tokens get the same
 *   403, so that answers do not tell which exist;
 * - every request that changes something is authenticated by itself, on an authenticated connection
 *   too; when its nonce has become stale the client repeats it once (438).
 *
 * Memory of a tunnel: 1.5 KiB, 400 octets for each public port (quota), and for each of at most 8
 * connections one reassembly buffer and one send queue (connection.ts): at most 64 KiB + 2 × 271 KiB
 * each with the defaults while traffic jams, about 10 KiB at rest.
 */
import { CHANNELS } from '../framing/framing.ts';
import { type Endpoint, formatAddress } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault, faultAction } from '../wire/faults.ts';
import type { Attribute } from '../wire/stun/attributes.ts';
import { answerBinding, answerBroken } from '../wire/stun/binding.ts';
import {
  decode,
  encode,
  errorResponse,
  find,
  has,
  type Integrity,
  looksLikeStun,
  type StunMessage,
  type StunParts,
} from '../wire/stun/message.ts';
import { BINDING_FLAGS, type ErrorCode, METHODS } from '../wire/stun/registry.ts';
import { authenticate } from '../wire/stun/server-auth.ts';
import { Connections } from './connections.ts';
import { Counters } from './counters.ts';
import type { ServerEnd } from './ends.ts';
import { LIMITS } from './limits.ts';
import { mapped, statsAttribute, success, TOKEN_LEN } from './messages.ts';
import { MAX_STRIPES, type ServerOptions, SOFTWARE } from './options.ts';
import type { PacketSink, ServerOutput, TunnelEndWhy } from './outputs.ts';
import { type Asked, RelayListens } from './relay-listens.ts';
import { type BindRequest, ServerBindings, type ServerSlot } from './server-bindings.ts';
import { ServerConnection } from './server-connection.ts';
import { ServerData } from './server-data.ts';
import { type Tunnel, Tunnels } from './server-tunnels.ts';

/** tep-wire 2. */
const MAX_UNAUTHENTICATED_LEN = 4096;
/** 401 and 438 in a row on one connection, after which it is ended. */
const MAX_CHALLENGES = 5;

export class TunnelServer implements ServerEnd {
  readonly counters = new Counters();
  readonly #options: ServerOptions;
  readonly #software: string;
  readonly #lifetimeMs: number;
  readonly #connections: Connections<ServerConnection, ServerOutput>;
  readonly #tunnels: Tunnels;
  readonly #bindings: ServerBindings;
  readonly #listens: RelayListens;
  readonly #data: ServerData;

  constructor(options: ServerOptions, sink: PacketSink) {
    const { counters } = this;
    const { random } = options;
    this.#options = options;
    this.#software = options.software ?? SOFTWARE;
    this.#lifetimeMs = options.lifetimeMs ?? LIMITS.lifetimeMs;
    this.#connections = new Connections({
      counters,
      random,
      gone: (c, _from, _sinceMs, now) => this.#gone(c, now),
    });
    const tell = (output: ServerOutput) => this.#connections.tell(output);
    this.#tunnels = new Tunnels({ counters, random, lifetimeMs: this.#lifetimeMs, tell });
    this.#bindings = new ServerBindings({
      addresses: options.addresses,
      ports: options.ports,
      excludedPorts: options.excludedPorts,
      maxPorts: options.maxPorts,
      quota: { ...LIMITS.quota, ...options.quota },
      random,
    });
    this.#listens = new RelayListens({
      bindings: this.#bindings,
      tell,
      granted: (slot, asked, now) => this.#granted(slot, asked, now),
      refused: (code, asked, now) => this.#refuse(code, asked, now),
    });
    this.#data = new ServerData({
      bindings: this.#bindings,
      connections: this.#connections,
      counters,
      policy: options.policy,
      sink,
    });
  }

  /** For status pages: what is told changes as the tunnels do. */
  tunnels(): Iterable<Tunnel> {
    return this.#tunnels.all();
  }

  accepted(conn: number, peer: Endpoint, now: number): void {
    if (this.#connections.find(conn)) throw new RangeError(`connection ${conn} is there already`);
    this.#connections.add(new ServerConnection(conn, peer, this.#options, now));
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
    while (c.isOpen && frames.next()) {
      const { bytes, start, end } = frames;
      if (frames.channel === CHANNELS.IP) this.#record(c, bytes, start, end);
      else this.#control(c, bytes, start, end, now);
    }
    if (frames.fault !== 0) this.#connections.end(c, 'shut', frames.fault, now);
  }

  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.#data.down(b, at, end, now);
    if (fault !== 0) this.counters.drop(fault);
    return fault;
  }

  datagram(b: Uint8Array, at: number, end: number, peer: Endpoint): Uint8Array | undefined {
    if (!looksLikeStun(b, at, end)) return undefined;
    const message = decode(b, at, end);
    return typeof message === 'number' ? undefined : answerBinding(message, peer, this.#software);
  }

  listening(id: number, now: number): void {
    this.#listens.listening(id, now);
  }

  listenFailed(id: number, now: number): void {
    this.#listens.failed(id, now);
  }

  stop(now: number): void {
    for (const tunnel of this.#tunnels.all()) {
      this.#tunnels.move(tunnel, 'close', now);
      this.#over(tunnel, 'stopped', now);
    }
    for (const c of this.#connections.all()) this.#connections.end(c, 'shut', 0, now);
  }

  timeout(now: number): void {
    this.#connections.timeout(now);
    for (let t = this.#tunnels.due(now); t !== undefined; t = this.#tunnels.due(now)) {
      this.#tunnels.move(t, 'expire', now);
      this.#over(t, 'expired', now);
    }
  }

  nextTimeout(): number {
    return Math.min(this.#connections.nextTimeout(), this.#tunnels.nextTimeout());
  }

  poll(): ServerOutput | undefined {
    return this.#connections.poll();
  }

  writable(): number {
    return this.#connections.writable();
  }

  pending(conn: number): Uint8Array {
    return this.#connections.pending(conn);
  }

  wrote(conn: number, n: number): void {
    this.#connections.wrote(conn, n);
  }

  /** The framing lets records through only on a connection that is part of a tunnel. */
  #record(c: ServerConnection, b: Uint8Array, at: number, end: number): void {
    const { tunnel } = c;
    if (tunnel === undefined) return;
    const fault = this.#data.up(tunnel, b, at, end);
    if (fault === 0) return;
    this.counters.drop(fault);
    tunnel.counters.drop(fault);
  }

  // Requests

  #control(c: ServerConnection, b: Uint8Array, at: number, end: number, now: number): void {
    if (c.state !== 'ready') {
      c.unauthenticatedLength += end - at;
      if (c.unauthenticatedLength > MAX_UNAUTHENTICATED_LEN) {
        this.#connections.end(c, 'refuse', FAULTS.UNAUTHENTICATED_LIMIT, now);
        return;
      }
    }
    const message = decode(b, at, end);
    if (typeof message === 'number') this.#broken(c, message, b, at, end, now);
    else if (message.class === 'request' && message.method === METHODS.BINDING) {
      this.#request(c, message, b, at, now);
    } else if (message.class !== 'indication') {
      this.counters.note(FAULTS.STUN_UNEXPECTED);
    }
  }

  #broken(
    c: ServerConnection,
    fault: Fault,
    b: Uint8Array,
    at: number,
    end: number,
    now: number,
  ): void {
    if (faultAction(fault) === 'close') {
      this.#connections.end(c, 'shut', fault, now);
      return;
    }
    this.counters.note(fault);
    const answer = faultAction(fault) === 'answer' ? answerBroken(b, at, end) : undefined;
    if (answer !== undefined) this.#connections.sendControl(c, answer, now);
  }

  #request(
    c: ServerConnection,
    message: StunMessage,
    b: Uint8Array,
    at: number,
    now: number,
  ): void {
    if (!isForTunnel(message)) {
      const answer = answerBinding(message, c.peer, this.#software);
      if (answer !== undefined) this.#connections.sendControl(c, answer, now);
      return;
    }
    const result = authenticate(message, b, at, this.#options.auth, c.peer, now);
    if (!result.ok) {
      this.#challenge(c, message, result.answer, result.integrity, now);
      return;
    }
    c.challenges = 0;
    const asked: Asked = { c, message, integrity: result.integrity };
    if (has(message, 'TEP-TUNNEL')) this.#admit(asked, result.user, now);
    else if (c.tunnel === undefined) this.#refuse(437, asked, now);
    else this.#inTunnel(asked, c.tunnel, now);
  }

  #inTunnel(asked: Asked, tunnel: Tunnel, now: number): void {
    const { message } = asked;
    if (has(message, 'TEP-CLOSE')) this.#closed(asked, tunnel, now);
    else if (has(message, 'TEP-BINDING')) this.#binding(asked, tunnel, now);
    else this.#succeed(asked, [mapped(asked.c.peer), statsAttribute(tunnel.counters)], now);
  }

  /** 401, 438, 400 or 420, whatever the authentication says. */
  #challenge(
    c: ServerConnection,
    message: StunMessage,
    answer: StunParts | undefined,
    integrity: Integrity | undefined,
    now: number,
  ): void {
    // The first request of a client comes bare by design (RFC 8489 9.2.3): nothing to be counted.
    if (message.integrityAt + message.integritySha256At > 0) {
      this.counters.note(FAULTS.STUN_INTEGRITY);
    }
    if (answer !== undefined) this.#send(c, answer, integrity, now);
    c.challenges += 1;
    if (c.challenges > MAX_CHALLENGES) {
      this.counters.note(FAULTS.UNAUTHENTICATED_LIMIT);
      this.#connections.end(c, c.state === 'ready' ? 'shut' : 'refuse', 0, now);
    } else if (c.state !== 'ready') {
      this.#connections.move(c, 'challenge', now);
    }
  }

  // Tunnels

  /** Opening, joining, resuming; again on an admitted connection: the same answer. */
  #admit(asked: Asked, authenticated: string | undefined, now: number): void {
    const { c, message } = asked;
    const token = find(message, 'TEP-TUNNEL') ?? NO_TOKEN;
    const user = userOf(authenticated);
    if (c.tunnel !== undefined) {
      const same = token.length === 0 || equal(token, 0, c.tunnel.token, 0, TOKEN_LEN);
      if (same && c.tunnel.user === user) this.#welcome(asked, c.tunnel, now);
      else this.#refuse(400, asked, now);
    } else if (token.length === 0) {
      this.#openTunnel(asked, user, authenticated === undefined, now);
    } else {
      this.#join(asked, token, user, now);
    }
  }

  #openTunnel(asked: Asked, user: string, anonymous: boolean, now: number): void {
    const { c } = asked;
    const { address } = c.peer;
    const counted = anonymous ? formatAddress(address, 0, address.length) : user;
    if (this.#bindings.openTunnel(this.#tunnels.nextId(), counted) !== 0) {
      this.counters.note(FAULTS.QUOTA_TUNNELS);
      this.#refuse(486, asked, now);
      return;
    }
    const tunnel = this.#tunnels.add(user, c.peer);
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
      this.#refuse(400, asked, now);
      return;
    }
    const tunnel = this.#tunnels.find(token);
    if (tunnel === undefined || tunnel.user !== user) {
      this.#refuse(403, asked, now);
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
    if (before !== undefined) this.#connections.end(before, 'shut', 0, now);
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
    this.#succeed(
      asked,
      [
        mapped(asked.c.peer),
        { type: 'TEP-TUNNEL', value: tunnel.token },
        { type: 'LIFETIME', value: Math.floor(this.#lifetimeMs / 1000) },
        { type: 'SOFTWARE', value: this.#software },
      ],
      now,
    );
  }

  #closed(asked: Asked, tunnel: Tunnel, now: number): void {
    this.#succeed(asked, [{ type: 'TEP-CLOSE', value: true }], now);
    this.#tunnels.move(tunnel, 'close', now);
    this.#over(tunnel, 'asked', now);
  }

  /** Gives everything of the tunnel back. */
  #over(tunnel: Tunnel, why: TunnelEndWhy, now: number): void {
    if (tunnel.state === 'closing') this.#tunnels.move(tunnel, 'end', now);
    for (const slot of tunnel.slots) this.#release(slot);
    this.#bindings.closeTunnel(tunnel);
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

  // Bindings

  #binding(asked: Asked, tunnel: Tunnel, now: number): void {
    const { c, message } = asked;
    const wanted = find(message, 'TEP-BINDING');
    if (wanted === undefined) return;
    const wish: BindRequest = {
      transactionId: message.transactionId,
      family: find(message, 'REQUESTED-ADDRESS-FAMILY') ?? c.peer.family,
      port: wanted.port,
      pair: (wanted.flags & BINDING_FLAGS.EVEN_PORT) !== 0,
      protocol: wanted.protocol,
    };
    if ((wanted.flags & BINDING_FLAGS.RELEASE) !== 0) this.#releaseAsked(asked, tunnel, wish, now);
    else this.#bindAsked(asked, tunnel, wish, now);
  }

  #bindAsked(asked: Asked, tunnel: Tunnel, wish: BindRequest, now: number): void {
    const known = this.#bindings.known(tunnel, wish);
    if (known !== undefined) {
      if (!this.#listens.isHeld(known, asked)) this.#answerGrant(known, asked, now);
      return;
    }
    const slot = this.#bindings.grant(tunnel, wish);
    if (typeof slot === 'number') {
      if (slot === 486) this.counters.note(FAULTS.QUOTA_BINDINGS);
      this.#refuse(slot, asked, now);
    } else if (this.#bindings.needSockets) {
      this.#listens.hold(slot, tunnel, wish, asked);
    } else {
      this.#granted(slot, asked, now);
    }
  }

  #granted(slot: ServerSlot, asked: Asked, now: number): void {
    for (const each of slot.twin === undefined ? [slot] : [slot, slot.twin]) {
      const { tunnel, number: binding, address, protocol } = each;
      each.isTold = true;
      this.#connections.tell({ type: 'bound', tunnel: tunnel.id, binding, address, protocol });
    }
    this.#answerGrant(slot, asked, now);
  }

  #answerGrant(slot: ServerSlot, asked: Asked, now: number): void {
    const flags = slot.twin === undefined ? 0 : BINDING_FLAGS.EVEN_PORT;
    const value = { port: slot.address.port, flags, protocol: slot.protocol };
    this.#succeed(asked, [mapped(slot.address), { type: 'TEP-BINDING', value }], now);
  }

  /** What is not bound (any more) is released: the same request gets the same answer. */
  #releaseAsked(asked: Asked, tunnel: Tunnel, wish: BindRequest, now: number): void {
    const slot = this.#bindings.named(tunnel, wish);
    const twin = wish.pair ? slot?.twin : undefined;
    for (const each of [slot, twin]) if (each !== undefined) this.#release(each);
    const pair = wish.pair ? BINDING_FLAGS.EVEN_PORT : 0;
    const flags = BINDING_FLAGS.RELEASE | pair;
    const value = { port: wish.port, flags, protocol: wish.protocol };
    this.#succeed(asked, [{ type: 'TEP-BINDING', value }], now);
  }

  #release(slot: ServerSlot): void {
    const { tunnel, number: binding, address, protocol } = slot;
    this.#listens.end(slot);
    this.#bindings.release(slot);
    if (!slot.isTold) return;
    this.#connections.tell({ type: 'released', tunnel: tunnel.id, binding, address, protocol });
  }

  // Answers

  #succeed(asked: Asked, attributes: readonly Attribute[], now: number): void {
    this.#send(asked.c, success(asked.message, attributes), asked.integrity, now);
  }

  #refuse(code: ErrorCode, asked: Asked, now: number): void {
    this.#send(asked.c, errorResponse(asked.message, code), asked.integrity, now);
  }

  #send(
    c: ServerConnection,
    parts: StunParts,
    integrity: Integrity | undefined,
    now: number,
  ): void {
    this.#connections.sendControl(c, encode(parts, { integrity, fingerprint: true }), now);
  }
}

const NO_TOKEN = new Uint8Array(0);

/** Anything that is not an ordinary STUN request. */
function isForTunnel(message: StunMessage): boolean {
  return (
    has(message, 'TEP-TUNNEL') ||
    has(message, 'TEP-BINDING') ||
    has(message, 'TEP-CLOSE') ||
    has(message, 'TEP-STATS')
  );
}

/**
 * Who owns a tunnel. A time-limited name is `expiry:user`: with a new expiry it is the same user, who
 * must be able to resume and is to be counted once.
 */
function userOf(authenticated: string | undefined): string {
  return authenticated?.replace(/^[0-9]{1,12}:(?=.)/, '') ?? '';
}
