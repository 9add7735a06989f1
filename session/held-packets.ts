/**
 * The first packets of a flow, while its public address is being asked for. They are few and short
 * lived, for late media are worth nothing; but the first ones open a handshake (TCP, DTLS, STUN) that
 * would else lose the second that its sender waits before it tries again.
 *
 * Memory: MAX_PACKETS packets of MAX_OCTETS octets together, whatever the number of flows; the oldest
 * make room.
 */
import { octetsOf } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import type { ClientSlot } from './client-bindings.ts';

/** What an application sends again by itself, it sends after a second (RFC 6298 2, RFC 6347 4.2.4). */
const AGE_MS = 1_000;
/** Of one flow: 160 ms of audio. */
const MAX_OF_FLOW = 8;
const MAX_PACKETS = 64;
const MAX_OCTETS = 131_072;

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
    const ofFlow = this.#all.filter((held) => held.slot === slot);
    if (ofFlow.length >= MAX_OF_FLOW) this.#drop(ofFlow[0], FAULTS.HELD_TOO_MANY);
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
