/**
 * What comes before a tunnel on a connection (tep-wire 1): who is there, is there room for him, and what
 * does he want (greeting.ts); once more inside TLS. The session learns of a connection only when STUN,
 * or what may be a record, begins. Everybody else is answered or closed, and counted by reason.
 *
 * A connection has one deadline for all that comes before it is authenticated: PROXY header, CONNECT,
 * TLS handshake and, in the session, the challenge.
 *
 * Connections from load balancers must begin with a PROXY header: its specification wants that a
 * receiver never guesses whether one is there. The address in it is the peer for all that follows.
 */
import type { Socket } from 'node:net';
import type { Endpoint } from '../wire/address.ts';
import { Crowd } from './crowd.ts';
import { type DoorListener, type DoorOptions, type TurnedAway, Visit } from './visit.ts';

/** Until a PROXY header tells more. */
const NOBODY: Endpoint = { family: 4, address: new Uint8Array(4), port: 0 };

export class FrontDoor {
  readonly crowd: Crowd;
  /** How many were not let in, by reason. */
  readonly turnedAway = new Map<TurnedAway, number>();
  readonly #listener: DoorListener;
  readonly #visits = new Set<Visit>();
  #options: DoorOptions;

  constructor(options: DoorOptions, listener: DoorListener) {
    this.#options = options;
    this.#listener = listener;
    this.crowd = new Crowd(options.limits);
  }

  /** For connections that come from now on. */
  renew(options: DoorOptions): void {
    this.#options = options;
    this.crowd.limit(options.limits);
  }

  /** A connection from `peer`, as the system says; its socket has not been read. */
  enter(socket: Socket, peer: Endpoint): void {
    this.#visit(socket, peer)?.begin();
  }

  /**
   * A connection that another process has let in already. `peer`: who is at the other end; undefined
   * where a PROXY header tells it. It has a deadline all the same, and counts among all.
   */
  takeOver(socket: Socket, peer: Endpoint | undefined): void {
    this.#visit(socket, peer ?? NOBODY)?.takeOver(peer === undefined);
  }

  /** Closes every connection that has not been admitted, those that were turned away too. */
  close(): void {
    for (const visit of this.#visits) visit.socket.destroy();
  }

  #visit(socket: Socket, peer: Endpoint): Visit | undefined {
    // A reset shows as an error and then a close.
    socket.on('error', () => {});
    const place = this.crowd.enter();
    if (place === undefined) {
      socket.destroy();
      this.#count(peer, 'connections');
      return undefined;
    }
    socket.once('close', () => this.crowd.leave(place));
    const visit = new Visit(socket, peer, place, this.#options, {
      admit: (guest) => this.#listener.admit(guest),
      turnedAway: (who, reason) => this.#count(who, reason),
      left: () => this.#visits.delete(visit),
    });
    this.#visits.add(visit);
    return visit;
  }

  #count(peer: Endpoint, reason: TurnedAway): void {
    this.turnedAway.set(reason, (this.turnedAway.get(reason) ?? 0) + 1);
    this.#listener.turnedAway(peer, reason);
  }
}
