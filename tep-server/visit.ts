/** One connection at the front door (front-door.ts): from the first octet until it is admitted, or ends. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Speech } from '../framing/demux.ts';
import { now } from '../io/clock.ts';
import type { Endpoint } from '../wire/address.ts';
import { type Fault, faultName } from '../wire/faults.ts';
import { type Prefix, prefixContains } from '../wire/prefix.ts';
import type { CrowdLimits, Place } from './crowd.ts';
import { Greeting } from './greeting.ts';
import type { TlsDoor } from './tls-door.ts';

export interface DoorLimits extends CrowdLimits {
  /** Time before a connection has to be authenticated. */
  readonly greetingMs: number;
}

export interface DoorOptions {
  readonly limits: DoorLimits;
  /** Load balancers, whose connections begin with a PROXY header. */
  readonly proxies: readonly Prefix[];
  readonly tls: TlsDoor | undefined;
}

/** What the front door knows of a connection that it lets in. */
export interface Guest {
  readonly stream: Duplex;
  readonly peer: Endpoint;
  /** Its place among the others, to be told when it is authenticated. */
  readonly place: Place;
  /** By when it has to be authenticated. */
  readonly dueMs: number;
  readonly isTls: boolean;
}

/**
 * Why a connection was not let in: what it spoke (framing/demux.ts), a fault of its octets, or
 *
 *   silent                    it said nothing that could be understood, or not in time
 *   tls-failed                its handshake was not finished
 *   connections, connections-per-address   the limit of that name
 */
export type TurnedAway = string;

export interface DoorListener {
  admit(guest: Guest): void;
  turnedAway(peer: Endpoint, reason: TurnedAway): void;
}

interface VisitListener extends DoorListener {
  left(): void;
}

export class Visit {
  readonly socket: Socket;
  readonly #place: Place;
  readonly #options: DoorOptions;
  readonly #listener: VisitListener;
  readonly #dueMs: number;
  readonly #timer: NodeJS.Timeout;
  #peer: Endpoint;
  /** Another process has let it in. */
  #isKnown = false;
  #greeting: Greeting | undefined;
  /** What it is if it ends now; undefined when that has been told. */
  #reason: TurnedAway | undefined = 'silent';

  constructor(
    socket: Socket,
    peer: Endpoint,
    place: Place,
    options: DoorOptions,
    listener: VisitListener,
  ) {
    this.socket = socket;
    this.#peer = peer;
    this.#place = place;
    this.#options = options;
    this.#listener = listener;
    this.#dueMs = now() + options.limits.greetingMs;
    this.#timer = setTimeout(() => this.#close(this.#reason), options.limits.greetingMs);
    socket.once('close', this.#closed);
  }

  begin(): void {
    const { address } = this.#peer;
    const proxied = this.#options.proxies.some((prefix) =>
      prefixContains(prefix, address, 0, address.length),
    );
    if (proxied || this.#named()) this.#greet(this.socket, proxied, false);
  }

  takeOver(proxied: boolean): void {
    this.#isKnown = true;
    this.#greet(this.socket, proxied, false);
  }

  #greet(stream: Duplex, proxied: boolean, isTls: boolean): void {
    const place = { proxied, insideTls: isTls };
    this.#greeting = new Greeting(stream, place, {
      proxied: (source) => this.#proxied(source),
      tls: () => this.#secure(),
      tunnel: () => this.#admit(stream, isTls),
      answered: () => this.#told('http'),
      refused: (speech) => this.#close(reasonOf(speech)),
    });
  }

  /** What a balancer says for itself is no visit of anybody: it is not counted by address. */
  #proxied(source: Endpoint | undefined): boolean {
    if (source === undefined) return true;
    this.#peer = source;
    return this.#isKnown || this.#named();
  }

  #named(): boolean {
    if (this.#place.name(this.#peer)) return true;
    this.#close('connections-per-address');
    return false;
  }

  #secure(): void {
    const { tls } = this.#options;
    if (tls === undefined) {
      this.#close('tls');
      return;
    }
    this.#reason = 'tls-failed';
    tls.accept(this.socket, (stream) => {
      this.#reason = 'silent';
      stream.on('error', () => {});
      this.#greet(stream, false, true);
    });
  }

  #admit(stream: Duplex, isTls: boolean): void {
    clearTimeout(this.#timer);
    this.socket.off('close', this.#closed);
    this.#listener.left();
    const guest = { stream, peer: this.#peer, place: this.#place, dueMs: this.#dueMs, isTls };
    this.#listener.admit(guest);
  }

  #close(reason: TurnedAway | undefined): void {
    if (reason !== undefined) this.#told(reason);
    this.#greeting?.forget();
    this.socket.destroy();
  }

  #told(reason: TurnedAway): void {
    this.#reason = undefined;
    this.#listener.turnedAway(this.#peer, reason);
  }

  readonly #closed = (): void => {
    clearTimeout(this.#timer);
    if (this.#reason !== undefined) this.#told(this.#reason);
    this.#listener.left();
  };
}

function reasonOf(speech: Speech | Fault | 0): TurnedAway {
  if (speech === 0) return 'silent';
  return typeof speech === 'string' ? speech : faultName(speech);
}
