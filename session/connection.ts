/**
 * One connection of a tunnel, the same at both ends: records in, octets out, liveness. What goes on
 * above it (opening, bindings) is in client.ts and server.ts.
 *
 * Memory: the reassembly buffer (2 KiB once a record has crossed chunks, up to 65,535 octets while a
 * long one arrives) and the send queue (send-queue.ts).
 */
import { FrameBuffer } from '../framing/frame-buffer.ts';
import { innerIp } from '../framing/inner-ip/inner-ip.ts';
import { Carrier, MOST_ALLOWANCE } from './carrier.ts';
import type { Timed } from './deadlines.ts';
import { Keepalive } from './keepalive.ts';
import { SendQueue } from './send-queue.ts';
import type { ConnectionState } from './table.ts';
import type { LivenessOptions } from './tunnel-end.ts';

/** How long a connection has to be authenticated once its carrier is there. */
const OPEN_MS = 15_000;

export interface ConnectionOptions {
  readonly liveness?: LivenessOptions;
}

export class Connection implements Timed {
  readonly conn: number;
  readonly frames = new FrameBuffer(innerIp);
  readonly queue = new SendQueue(MOST_ALLOWANCE);
  readonly carrier = new Carrier();
  readonly keepalive: Keepalive;
  /** By when it has to be authenticated. */
  openDueMs: number;
  /** When the present state was entered. */
  sinceMs: number;
  state: ConnectionState;
  dueMs = Number.POSITIVE_INFINITY;
  heapAt = -1;
  /** Whether it stands in the list of connections that have something to send. */
  isListed = false;
  /** Ended with a fault: nothing that is still queued may be written. */
  isCut = false;
  /** Another one has its place: no record goes to it, but those that are under way are read. */
  isRetired = false;

  constructor(conn: number, state: ConnectionState, options: ConnectionOptions, now: number) {
    this.conn = conn;
    this.state = state;
    this.openDueMs = now + OPEN_MS;
    this.sinceMs = now;
    this.keepalive = new Keepalive(options.liveness, now);
    this.frames.controlOnly = true;
  }

  /** Only `Connections.move` may call it: the state machine is there. */
  enter(state: ConnectionState, now: number): void {
    this.state = state;
    this.sinceMs = now;
    if (state === 'opening') this.openDueMs = now + OPEN_MS;
    // tep-wire 2: nothing but STUN before the tunnel is authenticated.
    this.frames.controlOnly = state !== 'ready' && !this.isRetired;
  }

  /** When an answer that is waited for is overdue. */
  answerDueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Whether a record of so many octets may be queued; one of any length where nothing is. */
  canTake(length: number): boolean {
    if (this.carrier.isWriting || this.carrier.isSilent) return false;
    const waiting = this.queue.length;
    return waiting === 0 || waiting + length <= this.carrier.allowance;
  }

  /** Whether octets of it are to be read. */
  get isRead(): boolean {
    return this.isOpen || (this.isRetired && this.state === 'draining');
  }

  /** Whether it is, or may become, part of a tunnel. */
  get isOpen(): boolean {
    return this.state === 'opening' || this.state === 'challenged' || this.state === 'ready';
  }
}
