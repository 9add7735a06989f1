/**
 * The first packets of a flow, while its public address is being asked for. Late media are worth nothing,
 * so none waits long; but the first ones open a handshake (TCP, DTLS, STUN) that would else lose the
 * second that its sender waits before it tries again, or are a key frame, without which the video after
 * it shows nothing. So a flow keeps what it said first, until that is too old.
 *
 * Memory: MAX_PACKETS packets of MAX_OCTETS octets together, whatever the number of flows; the oldest
 * make room.
 */
import { octetsOf } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import type { ClientSlot } from './client-bindings.ts';

/** What an application sends again by itself, it sends after a second (RFC 6298 2, RFC 6347 4.2.4). */
const AGE_MS = 1_000;
/**
 * Of one flow: a key frame of 720p at 2 Mbit/s, some ten times a usual frame, in packets of an Ethernet
 * link; or all that a codec for speech says within AGE_MS.
 */
const MAX_OF_FLOW = { packets: 64, octets: 65_536 } as const;
/** Four flows that begin with as much at once. */
const MAX_PACKETS = 256;
const MAX_OCTETS = 262_144;

interface Held {
  readonly slot: ClientSlot;
  readonly octets: Uint8Array;
  readonly sinceMs: number;
}

export class HeldPackets {
  readonly #dropped: (fault: Fault) => void;
  /** Oldest first. */
  #all: Held[] = [];
  #octets = 0;

  constructor(dropped: (fault: Fault) => void) {
    this.#dropped = dropped;
  }

  /** When the oldest becomes too old; Infinity when there is none. */
  dueMs(): number {
    const [oldest] = this.#all;
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.sinceMs + AGE_MS;
  }

  /** Copies the packet at [at, end). */
  hold(slot: ClientSlot, b: Uint8Array, at: number, end: number, now: number): void {
    if (!this.#hasRoom(slot, end - at)) {
      this.#dropped(FAULTS.HELD_TOO_MANY);
      return;
    }
    this.#all.push({ slot, octets: octetsOf(b, at, end), sinceMs: now });
    this.#octets += end - at;
    while (this.#all.length > MAX_PACKETS || this.#octets > MAX_OCTETS) {
      this.#drop(this.#all[0], FAULTS.HELD_TOO_MANY);
    }
  }

  /** Takes out those of one flow, oldest first. */
  take(slot: ClientSlot): Uint8Array[] {
    const taken = this.#all.filter((held) => held.slot === slot);
    for (const held of taken) this.#remove(held);
    return taken.map((held) => held.octets);
  }

  /** Takes out all, oldest first. */
  takeAll(): Uint8Array[] {
    const taken = this.#all.map((held) => held.octets);
    this.#all = [];
    this.#octets = 0;
    return taken;
  }

  timeout(now: number): void {
    while (now >= this.dueMs()) this.#drop(this.#all[0], FAULTS.HELD_TOO_LONG);
  }

  #hasRoom(slot: ClientSlot, length: number): boolean {
    let packets = 1;
    let octets = length;
    for (const held of this.#all) {
      if (held.slot !== slot) continue;
      packets += 1;
      octets += held.octets.length;
    }
    return packets <= MAX_OF_FLOW.packets && octets <= MAX_OF_FLOW.octets;
  }

  #drop(held: Held | undefined, fault: Fault): void {
    if (held === undefined) return;
    this.#remove(held);
    this.#dropped(fault);
  }

  #remove(held: Held): void {
    this.#all = this.#all.filter((other) => other !== held);
    this.#octets -= held.octets.length;
  }
}
