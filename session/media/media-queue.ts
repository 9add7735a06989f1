/**
 * The packets of one tunnel that no connection can take yet (TR 33.830 4.9, G-25). They wait here and not
 * in the system, for here they can still be chosen among and dropped:
 *
 * - the most important class first (classes.ts), and within a class the flows in turns, octets counted
 *   (deficit round robin, Shreedhar and Varghese 1995), so that no flow takes the room of another;
 * - what has waited as long as its class may is dropped, oldest first: nothing leaves too late;
 * - when it is full, the oldest of the longest lane of the least important class makes room;
 * - once a piece of a video frame is dropped, the rest of that frame is: it could not be decoded;
 * - a video frame begins to go in the first half of its time or not at all, so that it can go whole.
 *
 * Memory: `limit` octets of cells (cells.ts), given back when nothing has waited for KEEP_MS.
 */
import type { Fault } from '../../wire/faults.ts';
import type { SendQueue } from '../send-queue.ts';
import { Cells } from './cells.ts';
import type { Deadlines, MediaClass } from './classes.ts';
import { LANE_DROPS, type Lane, type LaneDrop } from './lane.ts';

/** Octets of one turn: a packet as long as most links carry. */
const QUANTUM = 1_500;
/** Of its deadline, within which a video frame has to begin. */
const TO_BEGIN = 0.5;
const CLASSES = 5;
const KEEP_MS = 10_000;
const NONE = -1;
const NEVER = Number.POSITIVE_INFINITY;

export interface MediaQueueOptions {
  readonly limit: number;
  readonly deadlinesMs: Deadlines;
  /** As what it is counted that a packet has become too old now. */
  late(): LaneDrop;
  /** A packet that had been taken in is dropped; its lane has counted it. */
  dropped(fault: Fault): void;
}

export class MediaQueue {
  readonly #options: MediaQueueOptions;
  readonly #cells: Cells;
  /** By class the last lane of its round, whose neighbour is the one in turn. */
  readonly #rounds: (Lane | undefined)[] = new Array(CLASSES);
  /** Packets that wait, by class and in all. */
  readonly #waiting = new Int32Array(CLASSES);
  #packets = 0;
  /** No packet becomes too old before. */
  #dueMs = NEVER;
  /** When the last packet came to wait. */
  #cameMs = 0;

  constructor(options: MediaQueueOptions) {
    this.#options = options;
    this.#cells = new Cells(options.limit);
  }

  get packets(): number {
    return this.#packets;
  }

  /** Whether something waits that goes before a newcomer of this class. */
  hasBefore(mediaClass: MediaClass): boolean {
    if (this.#packets === 0) return false;
    for (let c = 0; c <= mediaClass; c++) if (this.#waiting[c] !== 0) return true;
    return false;
  }

  /** Octets in use, whole cells. */
  get octets(): number {
    return this.#cells.octets;
  }

  /** Octets of memory that it takes. */
  get capacity(): number {
    return this.#cells.capacity;
  }

  /** When to call `timeout`; Infinity when nothing waits and no memory is held. */
  dueMs(): number {
    if (this.#packets > 0) return this.#dueMs;
    return this.capacity > 0 ? this.#cameMs + KEEP_MS : NEVER;
  }

  /**
   * Copies the packet at [at, end); or why it is dropped, which its lane has counted. `frame`: what the
   * pieces of one frame of video have in common, -1 of everything else.
   */
  offer(lane: Lane, b: Uint8Array, at: number, end: number, frame: number, now: number): 0 | Fault {
    if (!this.#makeRoom(lane.mediaClass, end - at)) {
      lane.brokenFrame = frame;
      return lane.lost(LANE_DROPS.FULL);
    }
    // Room may have been made at the cost of this frame.
    if (lane.isBroken(frame)) return lane.lost(LANE_DROPS.FRAME);
    const packet = this.#cells.put(b, at, end, frame, now);
    if (lane.isEmpty) lane.first = packet;
    else this.#cells.setBehind(lane.last, packet);
    lane.last = packet;
    lane.octets += end - at;
    this.#count(lane.mediaClass, 1);
    this.#enter(lane);
    this.#cameMs = now;
    this.#dueMs = Math.min(this.#dueMs, now + this.#mayWaitMs(lane, frame));
    return 0;
  }

  /** The lane whose packet is to go next; undefined when nothing waits that is not too old. */
  next(now: number): Lane | undefined {
    for (let c = 0; this.#packets > 0 && c < CLASSES; c++) {
      const lane = this.#waiting[c] === 0 ? undefined : this.#inTurn(c as MediaClass, now);
      if (lane !== undefined) return lane;
    }
    return undefined;
  }

  /** Length of the packet that `next` has chosen. */
  lengthIn(lane: Lane): number {
    return this.#cells.length(lane.first);
  }

  /** The packet that `next` has chosen goes into `queue`, which has room for it. */
  take(lane: Lane, queue: SendQueue, now: number): void {
    const packet = lane.first;
    this.#cells.pour(packet, queue);
    lane.credit -= this.#cells.length(packet);
    lane.went(now - this.#cells.sinceMs(packet));
    lane.begunFrame = this.#cells.frame(packet);
    this.#removeFirst(lane);
    if (lane.isEmpty) lane.credit = 0;
  }

  /** Drops what has become too old, and gives memory back that has not been needed. */
  timeout(now: number): void {
    if (now < this.dueMs()) return;
    if (this.#packets === 0) this.#rest();
    let due = NEVER;
    for (let c = 0; c < CLASSES; c++) due = Math.min(due, this.#dropOldOf(c as MediaClass, now));
    this.#dueMs = due;
  }

  /** The tunnel is over: what waits for its connections does not go. */
  clear(): void {
    for (let c = 0; c < CLASSES; c++) {
      for (const lane of this.#lanesOf(c as MediaClass)) {
        while (!lane.isEmpty) this.#drop(lane, LANE_DROPS.ENDED);
      }
    }
    this.#rest();
  }

  /** Nothing waits: nothing is kept, of flows that have ended in the meantime neither. */
  #rest(): void {
    for (let c = 0; c < CLASSES; c++) {
      for (const lane of this.#lanesOf(c as MediaClass)) lane.next = undefined;
      this.#rounds[c] = undefined;
    }
    this.#cells.giveBack();
  }

  // Rounds

  /** In their turns. */
  #lanesOf(c: MediaClass): Lane[] {
    const lanes: Lane[] = [];
    const last = this.#rounds[c];
    for (let lane = last?.next; lane !== undefined; lane = lane === last ? undefined : lane.next) {
      lanes.push(lane);
    }
    return lanes;
  }

  #enter(lane: Lane): void {
    if (lane.next !== undefined) return;
    const last = this.#rounds[lane.mediaClass];
    lane.next = last?.next ?? lane;
    if (last !== undefined) last.next = lane;
    this.#rounds[lane.mediaClass] = lane;
    lane.credit = 0;
  }

  /** A lane that is empty leaves the round when its turn comes. */
  #inTurn(c: MediaClass, now: number): Lane | undefined {
    for (let last = this.#rounds[c]; last !== undefined; last = this.#rounds[c]) {
      const lane = last.next ?? last;
      this.#dropOld(lane, now);
      if (lane.isEmpty) this.#leave(last, lane);
      else if (lane.credit >= this.#cells.length(lane.first)) return lane;
      else {
        lane.credit += QUANTUM;
        this.#rounds[c] = lane;
      }
    }
    return undefined;
  }

  #leave(last: Lane, lane: Lane): void {
    this.#rounds[lane.mediaClass] = last === lane ? undefined : last;
    last.next = lane.next;
    lane.next = undefined;
    lane.credit = 0;
  }

  // Drops

  /** Gives the time when the next packet of the class becomes too old. */
  #dropOldOf(c: MediaClass, now: number): number {
    let due = NEVER;
    const last = this.#rounds[c];
    for (let lane = last?.next; lane !== undefined; lane = lane === last ? undefined : lane.next) {
      this.#dropOld(lane, now);
      if (lane.isEmpty) continue;
      due = Math.min(due, this.#cells.sinceMs(lane.first) + this.#firstMayWaitMs(lane));
    }
    return due;
  }

  #dropOld(lane: Lane, now: number): void {
    while (!lane.isEmpty) {
      if (now - this.#cells.sinceMs(lane.first) >= this.#firstMayWaitMs(lane)) {
        this.#dropFirst(lane, this.#options.late());
      } else if (lane.isBroken(this.#cells.frame(lane.first))) {
        // Pieces of another source's frame had come between.
        this.#drop(lane, LANE_DROPS.FRAME);
      } else return;
    }
  }

  #firstMayWaitMs(lane: Lane): number {
    return this.#mayWaitMs(lane, this.#cells.frame(lane.first));
  }

  /** A frame that has not begun to go needs part of the time to go whole. */
  #mayWaitMs({ mediaClass, begunFrame }: Lane, frame: number): number {
    const deadlineMs = this.#options.deadlinesMs[mediaClass];
    return frame === NONE || frame === begunFrame ? deadlineMs : deadlineMs * TO_BEGIN;
  }

  #makeRoom(newcomer: MediaClass, length: number): boolean {
    if (!this.#cells.couldFit(length)) return false;
    while (!this.#cells.fits(length)) {
      const victim = this.#leastImportant();
      if (victim < newcomer) return false;
      this.#dropFirst(this.#longest(victim), LANE_DROPS.FULL);
    }
    return true;
  }

  #leastImportant(): MediaClass {
    let c = CLASSES - 1;
    while (c > 0 && this.#waiting[c] === 0) c -= 1;
    return c as MediaClass;
  }

  /** Of a class of which something waits. */
  #longest(c: MediaClass): Lane {
    const last = this.#rounds[c];
    if (last === undefined) throw new RangeError(`nothing of class ${c} waits`);
    let longest = last;
    for (let lane = last.next; lane !== undefined && lane !== last; lane = lane.next) {
      if (lane.octets > longest.octets) longest = lane;
    }
    return longest;
  }

  #dropFirst(lane: Lane, reason: LaneDrop): void {
    const frame = this.#cells.frame(lane.first);
    this.#drop(lane, reason);
    lane.brokenFrame = frame;
    while (frame !== NONE && !lane.isEmpty && this.#cells.frame(lane.first) === frame) {
      this.#drop(lane, LANE_DROPS.FRAME);
    }
  }

  #drop(lane: Lane, reason: LaneDrop): void {
    this.#removeFirst(lane);
    this.#options.dropped(lane.lost(reason));
  }

  #removeFirst(lane: Lane): void {
    const packet = lane.first;
    lane.first = this.#cells.behind(packet);
    if (lane.first === NONE) lane.last = NONE;
    lane.octets -= this.#cells.length(packet);
    this.#cells.remove(packet);
    this.#count(lane.mediaClass, -1);
  }

  #count(c: MediaClass, more: number): void {
    this.#waiting[c] = (this.#waiting[c] ?? 0) + more;
    this.#packets += more;
  }
}
