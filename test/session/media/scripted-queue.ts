/** A media queue with lanes by name, and packets that carry a number: for tables and properties. */
import { DEADLINES_MS, type MediaClass } from '../../../session/media/classes.ts';
import { LANE_DROPS, Lane } from '../../../session/media/lane.ts';
import { MediaQueue } from '../../../session/media/media-queue.ts';
import { SendQueue } from '../../../session/send-queue.ts';
import { setU32, u32 } from '../../../wire/bytes.ts';
import { type Fault, faultName } from '../../../wire/faults.ts';

export interface Taken {
  readonly number: number;
  readonly lane: Lane;
  readonly atMs: number;
}

const POISON = 0xa5;
const MARGIN = 16;

export class ScriptedQueue {
  readonly queue: MediaQueue;
  readonly lanes = new Map<string, Lane>();
  readonly taken: Taken[] = [];
  /** Drops of packets that had been taken in, by name of the fault. */
  readonly dropped: string[] = [];
  now = 1_000;
  #sent = 0;

  constructor(limit = 1_048_576) {
    this.queue = new MediaQueue({
      limit,
      deadlinesMs: DEADLINES_MS,
      late: () => LANE_DROPS.AGE,
      dropped: (fault) => this.dropped.push(faultName(fault)),
    });
  }

  lane(name: string, mediaClass: MediaClass): Lane {
    const lane = this.lanes.get(name) ?? new Lane(mediaClass);
    this.lanes.set(name, lane);
    return lane;
  }

  /** The number of the packet, or the name of the fault. */
  offer(lane: Lane, length = 200, frame = -1): number | string {
    const number = this.#sent++;
    const b = new Uint8Array(length + 2 * MARGIN).fill(POISON);
    b.fill(number, MARGIN, MARGIN + length);
    setU32(b, MARGIN, number);
    const fault = this.queue.offer(lane, b, MARGIN, MARGIN + length, frame, this.now);
    return fault === 0 ? number : faultName(fault as Fault);
  }

  /** Takes one packet; its number, -1 when there is none. */
  take(): number {
    const lane = this.queue.next(this.now);
    if (lane === undefined) return -1;
    const length = this.queue.lengthIn(lane);
    const into = new SendQueue(65_536);
    this.queue.take(lane, into, this.now);
    const octets = into.pending();
    const number = u32(octets, 0);
    const isWhole =
      octets.length === length && octets.subarray(4).every((o) => o === (number & 255));
    if (!isWhole) throw new Error(`packet ${number} came out changed`);
    this.taken.push({ number, lane, atMs: this.now });
    return number;
  }

  takeAll(): number[] {
    const all: number[] = [];
    for (let n = this.take(); n >= 0; n = this.take()) all.push(n);
    return all;
  }
}
