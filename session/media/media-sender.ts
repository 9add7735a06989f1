/**
 * The way of packets out of one end of a tunnel: straight to a connection while nothing waits and one can
 * take them, else through the queue. A packet that waits is copied once more and goes when a
 * connection has taken what it had before; until then it can be dropped or overtaken (media-queue.ts).
 * Where the tunnel has lost its last connection it waits for the next one, as long as its class may.
 *
 * Memory: one media queue.
 */
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';
import type { PacketView } from '../../wire/packet.ts';
import * as rtp from '../../wire/rtp.ts';
import type { Connection } from '../connection.ts';
import type { Connections } from '../connections.ts';
import type { Counters } from '../counters.ts';
import type { Timed } from '../deadlines.ts';
import { carrierFor, isAvoided } from '../stripe-choice.ts';
import { DEADLINES_MS, type Deadlines, MEDIA_CLASSES, type MediaClass } from './classes.ts';
import { LANE_DROPS, type Lane } from './lane.ts';
import type { MediaFlow } from './media-flow.ts';
import { MediaQueue } from './media-queue.ts';
import { PathBudget } from './path-budget.ts';
import { ToldPath } from './told-path.ts';

/** As long as speech may wait of 1,000 calls of G.711, or 4 s of video at 4 Mbit/s. */
const QUEUE_LEN = 2_097_152;
/** How often it is looked whether what waits can go: a connection becomes stuck without a word. */
const LOOK_MS = 20;
/** Until the peer has answered once. */
const FIRST_STEP = 4_096;
const NO_FRAME = -1;
const SOURCE_MASK = 0x1f_ffff;
const TIMESTAMPS = 2 ** 32;
const NEVER = Number.POSITIVE_INFINITY;

export interface MediaOptions {
  /** Octets that may wait in all, cells of 256 counted. Default 2,097,152. */
  readonly queueOctets?: number;
  /** How long a packet of each class may wait. */
  readonly deadlinesMs?: Deadlines;
}

/** Packets that wait, and octets of the cells that they take. */
export interface Waiting {
  readonly packets: number;
  readonly octets: number;
}

export interface MediaSenderParts<C extends Connection> {
  readonly connections: Pick<Connections<C, unknown>, 'sendRecord' | 'filled'>;
  /** The connections that media may take. */
  readonly ready: readonly C[];
  /** These count what is sent and what is dropped after it was taken in; at TEP-S those of all, too. */
  readonly counters: Counters;
  readonly sums?: Counters;
}

export class MediaSender<C extends Connection> implements Timed {
  dueMs = NEVER;
  heapAt = -1;
  readonly #parts: MediaSenderParts<C>;
  readonly #queue: MediaQueue;
  readonly #budget = new PathBudget();
  /** Where the system tells nothing and the peer has answered. */
  #told: ToldPath | undefined;
  #lookedMs = 0;

  constructor(parts: MediaSenderParts<C>, options: MediaOptions = {}) {
    const { queueOctets = QUEUE_LEN, deadlinesMs = DEADLINES_MS } = options;
    this.#parts = parts;
    this.#queue = new MediaQueue({
      limit: queueOctets,
      deadlinesMs,
      late: () => (parts.ready.length > 0 ? LANE_DROPS.AGE : LANE_DROPS.UNREACHED),
      dropped: (fault) => {
        parts.counters.drop(fault);
        parts.sums?.drop(fault);
      },
    });
  }

  get waiting(): Waiting {
    return { octets: this.#queue.octets, packets: this.#queue.packets };
  }

  get isWaiting(): boolean {
    return this.#queue.packets > 0;
  }

  /** When to call `timeout`. */
  nextTimeout(): number {
    const due = this.#queue.dueMs();
    return this.isWaiting ? Math.min(due, this.#lookedMs + LOOK_MS) : due;
  }

  /** One packet of the flow: it is sent or waits, or why neither. */
  send(flow: MediaFlow, b: Uint8Array, view: PacketView, now: number): 0 | Fault {
    const { start, end } = view;
    // IPv6 counts its header besides: the peer would end the connection (tep-wire 2).
    if (end - start > innerIp.maxFrame) return FAULTS.IP_TOO_LONG;
    const lane = flow.laneOf(b, view);
    const isVideo = lane.mediaClass === MEDIA_CLASSES.VIDEO;
    const frame = isVideo ? frameOf(b, view.payload) : NO_FRAME;
    if (lane.isBroken(frame)) return lane.lost(LANE_DROPS.FRAME);
    const { connections, ready } = this.#parts;
    const { mediaClass } = lane;
    const isNext = !this.#queue.hasBefore(mediaClass) && this.#mayGo(mediaClass, end - start);
    const c = isNext ? carrierFor(ready, end - start, now) : undefined;
    if (c === undefined) return this.#wait(lane, b, start, end, frame, now);
    const fault = connections.sendRecord(c, b, start, end, now);
    if (fault !== 0) return fault;
    lane.wentAtOnce += 1;
    if (isVideo) lane.begunFrame = frame;
    this.#sent(end - start);
    return 0;
  }

  /** The connection can be written: what waits goes, as much as it may take. */
  fill(c: C, now: number): void {
    const queue = this.#queue;
    if (queue.packets === 0 || isAvoided(c, this.#parts.ready, now)) return;
    let isFilled = false;
    for (let lane = queue.next(now); lane !== undefined; lane = queue.next(now)) {
      const length = queue.lengthIn(lane);
      if (!c.canTake(length) || !this.#mayGo(lane.mediaClass, length)) break;
      queue.take(lane, c.queue, now);
      this.#sent(length);
      isFilled = true;
    }
    if (isFilled) this.#parts.connections.filled(c, now);
  }

  /** The system has told something of the connection. */
  learnt(c: C, now: number): void {
    this.#told = undefined;
    this.#budget.learnt(c, this.#parts.ready, now);
    this.look(now);
  }

  /** Whether more is to be known before more may go (told-path.ts). */
  get isHeldBack(): boolean {
    return this.#told?.isHeldBack ?? false;
  }

  /** Whether the system tells nothing of the connections. */
  get isBlind(): boolean {
    return this.#parts.ready.every(({ carrier }) => carrier.rttMs === undefined);
  }

  /** After how many octets that connections were given it is to be asked what has arrived. */
  get stepOctets(): number {
    return this.#told?.stepOctets ?? FIRST_STEP;
  }

  /** The peer says that of all octets that connections were given so many have arrived. */
  answered(arrived: number, rttMs: number, now: number): void {
    if (!this.isBlind) return;
    this.#told ??= new ToldPath();
    this.#told.answered(arrived, rttMs, now);
    this.look(now);
  }

  /** Something changed at the connections: each that can take something gets it. */
  look(now: number): void {
    this.#lookedMs = now;
    if (this.#queue.packets === 0) return;
    for (const c of this.#parts.ready) if (!c.carrier.isWriting) this.fill(c, now);
  }

  timeout(now: number): void {
    this.#queue.timeout(now);
    this.look(now);
  }

  /** The tunnel is over. */
  end(): void {
    this.#queue.clear();
  }

  /** What cannot wait goes in any case: it is little. */
  #mayGo(mediaClass: MediaClass, length: number): boolean {
    const { counters } = this.#parts;
    if (this.#told) return this.#told.allows(mediaClass, counters.sentOctets, length);
    return mediaClass <= MEDIA_CLASSES.AUDIO || this.#budget.allows(this.#parts.ready, length);
  }

  #wait(lane: Lane, b: Uint8Array, at: number, end: number, frame: number, now: number): 0 | Fault {
    if (this.#queue.packets === 0) this.#lookedMs = now;
    return this.#queue.offer(lane, b, at, end, frame, now);
  }

  #sent(octets: number): void {
    const { counters, sums } = this.#parts;
    counters.sent(octets);
    sums?.sent(octets);
  }
}

/**
 * Of several sources on one port each has frames of its own, and what is sent again on another one
 * (RFC 4588) carries the timestamp of the frame that it is to mend. 21 bits of the source tell them
 * apart well enough, and leave an exact number.
 */
function frameOf(b: Uint8Array, at: number): number {
  return (rtp.ssrc(b, at) & SOURCE_MASK) * TIMESTAMPS + rtp.timestamp(b, at);
}
