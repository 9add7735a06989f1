/**
 * Packets that wait to be sent, in a sending ring of AF_XDP (xdp-socket.ts): the kernel walks it in one call for
 * many packets, where `sendmmsg` makes the work of a call of each. What a chunk does not hold goes by `sendmmsg`.
 *
 *   chunk        | Ethernet header, 14 | packet … |
 *   descriptor   → chunk, 64 bits | length, 32 | options, 32
 *
 * A descriptor has the chunk of its own number for ever, so all that is written of it is the length. Both belong to
 * the kernel from `flush` until it has moved `consumer` on; it moves only in our calls.
 */
import { copyInto, type Room, u8 } from '../../wire/bytes.ts';
import type { IoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import type { PortCounts, PortDrop } from '../packet-port.ts';
import { ETHERNET_LEN, reasonOf, type SendBatch } from './send-batch.ts';
import { CHUNK_COUNT, CHUNK_LEN, type XdpSocket } from './xdp-socket.ts';

const MAX_PACKET_LEN = CHUNK_LEN - ETHERNET_LEN;
const OFF_PROTOCOL = 12;
/** In words of 32 bits. */
const DESCRIPTOR_WORDS = 4;
const LENGTH = 2;
/** What every kernel takes in one call at least. */
const TAKEN_AT_ONCE = 16;
/** To send a whole ring, when the interface refuses every packet. */
const MAX_CALLS = CHUNK_COUNT + CHUNK_COUNT / TAKEN_AT_ONCE;

/** Upper and lower octet of the protocol in Ethernet, by the version of IP. */
const PROTOCOLS: Readonly<Record<number, readonly [number, number]>> = {
  4: [0x08, 0x00],
  6: [0x86, 0xdd],
};

export class SendRing {
  readonly #calls: Libc;
  readonly #socket: XdpSocket;
  readonly #counts: PortCounts;
  /** For what this ring cannot take. */
  readonly #batch: SendBatch;
  readonly #chunks: Room;
  /** The chunk of the next packet. */
  #next = 0;
  /** Packets that the kernel has not taken: since the last `flush`, or ever. */
  #waiting = 0;
  /** Of those, what the last `flush` left. */
  #left = 0;
  /** By the kernel since the ring was made, in 32 bits as it counts. */
  #consumed = 0;
  /** Why the kernel took no more, the last time that it did not. */
  #reason: PortDrop = 'ring-full';

  /** `to` and `from` are hardware addresses. */
  constructor(
    calls: Libc,
    socket: XdpSocket,
    to: Uint8Array,
    from: Uint8Array,
    batch: SendBatch,
    counts: PortCounts,
  ) {
    const { chunks, descriptors } = socket;
    this.#calls = calls;
    this.#socket = socket;
    this.#counts = counts;
    this.#batch = batch;
    this.#chunks = {
      bytes: chunks,
      words: new DataView(chunks.buffer, chunks.byteOffset, chunks.length),
    };
    for (let i = 0; i < CHUNK_COUNT; i++) {
      chunks.set([...to, ...from], i * CHUNK_LEN);
      const at = descriptors.entries + i * DESCRIPTOR_WORDS;
      descriptors.words.set([i * CHUNK_LEN, 0, 0, 0], at);
    }
  }

  add(b: Uint8Array, at: number, end: number): void {
    const length = end - at;
    const protocol = length > 0 ? PROTOCOLS[u8(b, at) >> 4] : undefined;
    if (protocol === undefined || length > MAX_PACKET_LEN) {
      this.#addToBatch(b, at, end);
      return;
    }
    if (this.#waiting === CHUNK_COUNT && !this.#hasRoomAgain()) return;
    const { entries, words } = this.#socket.descriptors;
    const chunk = this.#next * CHUNK_LEN;
    this.#chunks.bytes[chunk + OFF_PROTOCOL] = protocol[0];
    this.#chunks.bytes[chunk + OFF_PROTOCOL + 1] = protocol[1];
    copyInto(this.#chunks, chunk + ETHERNET_LEN, b, at, length);
    words[entries + this.#next * DESCRIPTOR_WORDS + LENGTH] = ETHERNET_LEN + length;
    this.#next = (this.#next + 1) % CHUNK_COUNT;
    this.#waiting += 1;
  }

  /** Sends what waits. What the kernel does not take now goes with the next packets. */
  flush(): void {
    // What waits in the batch came before all that waits here: see #addToBatch.
    this.#batch.flush();
    if (this.#waiting === 0) return;
    const { descriptors, fd } = this.#socket;
    const produced = (this.#consumed + this.#waiting) | 0;
    Atomics.store(descriptors.words, descriptors.producer, produced);
    // Older kernels move `consumer` on only when they have come to the end. A packet that is refused ends a call.
    let most = Math.ceil(this.#waiting / TAKEN_AT_ONCE);
    for (let calls = 0; calls < most && this.#waiting > 0; calls++) {
      const done = this.#calls.sendRing(fd);
      this.#account();
      if (typeof done === 'number') continue;
      if (!this.#isRefusal(done)) break;
      most = Math.min(most + 1, MAX_CALLS);
    }
    this.#left = this.#waiting;
  }

  /** Behind all that wait here: packets of a flow may be of either kind. */
  #addToBatch(b: Uint8Array, at: number, end: number): void {
    if (this.#waiting > 0) this.flush();
    this.#batch.add(b, at, end);
  }

  #hasRoomAgain(): boolean {
    // Not once more for each packet that comes when the last time was of no use.
    if (this.#left < CHUNK_COUNT) this.flush();
    if (this.#waiting < CHUNK_COUNT) return true;
    this.#counts.drop(this.#reason);
    return false;
  }

  /** Whether the interface refused one packet, which is gone; those behind it may have better luck. */
  #isRefusal(done: IoFault): boolean {
    if (done.code !== 'EBUSY') {
      this.#reason = reasonOf(done);
      return false;
    }
    this.#counts.drop('ring-full');
    this.#counts.sent -= 1;
    return true;
  }

  #account(): void {
    const { completions, descriptors } = this.#socket;
    // Which chunks are done with is known without: those that were taken.
    const done = Atomics.load(completions.words, completions.producer);
    Atomics.store(completions.words, completions.consumer, done);
    const consumed = Atomics.load(descriptors.words, descriptors.consumer);
    const taken = (consumed - this.#consumed) | 0;
    this.#consumed = consumed;
    this.#waiting -= taken;
    this.#counts.sent += taken;
  }
}
