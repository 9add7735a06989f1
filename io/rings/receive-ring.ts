/**
 * Walks a receiving ring of AF_PACKET, version TPACKET_V2 (packet(7),
 * Documentation/networking/packet_mmap): slots of equal length, filled by the kernel in turn, given back
 * by us. A slot begins with `struct tpacket2_hdr` and `struct sockaddr_ll`:
 *
 *    0        4       8          12      14      …  32       34
 *    | status | len   | snaplen  | mac   | net   |  | family | protocol |   … frame at `mac`, IP at `net`
 *
 * The status word belongs to one side at a time. Slots are taken and given back some at once, with a fence between
 * looking at their status and all else: an `Atomics` call for each word is a call of a function that V8 does not
 * inline, 0.2 µs a packet.
 *
 * What the kernel has written is in the cache of another processor. Lines of memory that are asked for in a short loop
 * come side by side; those for which the work on a packet waits come one after the other.
 */
import { u16 } from '../../wire/bytes.ts';
import type { PacketReceiver, PortCounts } from '../packet-port.ts';

export const SLOT_LEN = 2_048;
/** More than a tenth of a second of 50,000 packets. */
export const SLOT_COUNT = 8_192;
export const RING_LEN = SLOT_LEN * SLOT_COUNT;

/** Slots that are taken together: what is fetched of them fits into the first cache. */
const AT_ONCE = 32;

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
/** The slot holds the beginning; the whole frame waits at the socket. */
const TP_STATUS_COPY = 2;

/** In words of 32, words of 16, and octets. */
const STATUS = 0;
const LEN = 1;
const SNAPLEN = 2;
const MAC = 6;
const NET = 7;
const OFF_PROTOCOL = 34;
/** A line of the cache, in words of 32; so many hold the header of a slot and a packet of speech. */
const LINE = 16;
const LINES = 5;

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;

/** Receives the next frame that waits at the socket into the buffer; its length, below 0 for none. */
export type CopyReceiver = (into: Uint8Array) => number;

/** An Ethernet header and the longest packet that the interface takes. */
const MAX_FRAME_LEN = 14 + 65_535;

export class ReceiveRing {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #slots: number;
  readonly #counts: PortCounts;
  readonly #receiveCopy: CopyReceiver;
  readonly #long = new Uint8Array(MAX_FRAME_LEN);
  /** The next slot that the kernel fills. */
  #next = 0;
  #isOpen = true;

  /** `memory` is a whole number of slots, and aligned. */
  constructor(memory: Uint8Array, receiveCopy: CopyReceiver, counts: PortCounts) {
    const { buffer, byteOffset, length } = memory;
    this.#bytes = memory;
    this.#words = new Int32Array(buffer, byteOffset, length / 4);
    this.#halves = new Uint16Array(buffer, byteOffset, length / 2);
    this.#slots = length / SLOT_LEN;
    this.#receiveCopy = receiveCopy;
    this.#counts = counts;
  }

  /** Hands out up to `most` packets; gives how many slots it emptied. */
  drain(receive: PacketReceiver, most: number): number {
    for (let emptied = 0; ; ) {
      const asked = Math.min(AT_ONCE, this.#slots, most - emptied);
      const taken = this.#drainSome(receive, asked);
      emptied += taken;
      if (taken < asked || asked === 0) return emptied;
    }
  }

  #drainSome(receive: PacketReceiver, most: number): number {
    const ready = this.#ready(most);
    if (ready === 0) return 0;
    fence(this.#fetch(ready));
    const first = this.#next;
    let taken = 0;
    // The receiver may close the port, and with it the memory.
    for (; taken < ready && this.#isOpen; taken++) {
      this.#take(this.#next * SLOT_LEN, receive);
      this.#next = this.#after(this.#next);
    }
    fence(taken);
    this.#giveBack(first, taken);
    return taken;
  }

  /** The memory is not touched any more. */
  close(): void {
    this.#isOpen = false;
  }

  /** How many slots the kernel has filled, of the next `most`. */
  #ready(most: number): number {
    if (!this.#isOpen) return 0;
    let slot = this.#next;
    let n = 0;
    for (; n < most; n++) {
      const status = this.#words[((slot * SLOT_LEN) >> 2) + STATUS] ?? 0;
      if ((status & TP_STATUS_USER) === 0) break;
      slot = this.#after(slot);
    }
    return n;
  }

  /** Has what is in these slots come into the cache. The sum says nothing; without it V8 would leave out the reading. */
  #fetch(count: number): number {
    let slot = this.#next;
    let sum = 0;
    for (let n = 0; n < count; n++) {
      const word = (slot * SLOT_LEN) >> 2;
      for (let line = 1; line < LINES; line++) sum ^= this.#words[word + line * LINE] ?? 0;
      slot = this.#after(slot);
    }
    return sum;
  }

  #giveBack(first: number, count: number): void {
    let slot = first;
    for (let n = 0; n < count && this.#isOpen; n++) {
      this.#words[((slot * SLOT_LEN) >> 2) + STATUS] = TP_STATUS_KERNEL;
      slot = this.#after(slot);
    }
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1;
  }

  #take(at: number, receive: PacketReceiver): void {
    const status = this.#words[(at >> 2) + STATUS] ?? 0;
    const mac = this.#halves[(at >> 1) + MAC] ?? 0;
    const header = (this.#halves[(at >> 1) + NET] ?? 0) - mac;
    const length = this.#words[(at >> 2) + LEN] ?? 0;
    const protocol = u16(this.#bytes, at + OFF_PROTOCOL);
    if ((status & TP_STATUS_COPY) !== 0) {
      this.#takeLong(header, protocol, receive);
    } else if (this.#words[(at >> 2) + SNAPLEN] !== length) {
      // Longer than the slot, and no room at the socket.
      this.#counts.drop('ring-overrun');
    } else {
      this.#hand(this.#bytes, at + mac + header, at + mac + length, protocol, receive);
    }
  }

  #takeLong(header: number, protocol: number, receive: PacketReceiver): void {
    const length = this.#receiveCopy(this.#long);
    if (length < header) this.#counts.drop('ring-overrun');
    else this.#hand(this.#long, header, length, protocol, receive);
  }

  #hand(b: Uint8Array, at: number, end: number, protocol: number, receive: PacketReceiver): void {
    if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) {
      this.#counts.drop('not-ip');
      return;
    }
    receive(b, at, end);
  }
}

const FENCE = new Int32Array(1);

/**
 * No access to memory moves across, in the compiler or the processor. Both calls are sequentially consistent: on x86 the
 * store is a locked exchange, a full barrier. On arm64 it is a store-release, behind which no earlier access can
 * come, and the load a load-acquire, before which no later one can; and those two keep their order. What is stored does
 * not matter.
 */
function fence(word: number): void {
  Atomics.store(FENCE, 0, word);
  Atomics.load(FENCE, 0);
}
