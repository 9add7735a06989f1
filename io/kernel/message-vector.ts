/**
 * Room for several datagrams that one system call sends or receives (`sendmmsg`, `recvmmsg`), laid out
 * as the kernel wants it on machines with 64-bit addresses:
 *
 *   struct mmsghdr   name* | namelen . | iov* | iovlen | control* | controllen | flags . | length .
 *   struct iovec     base* | length
 *
 * The kernel gets addresses of all of it, so it is held by this object, in array buffers of its own:
 * V8 keeps small typed arrays that have none in its heap, where they move.
 */
import type { Endpoint, Family } from '../../wire/address.ts';
import {
  copy,
  copyInto,
  equal,
  octetsOf,
  type Room,
  room,
  setU16,
  setU32,
  u16,
} from '../../wire/bytes.ts';
import type { Libc } from './libc.ts';

/** The longest datagram. */
export const MAX_DATAGRAM_LEN = 65_535;

const SLOT_LEN = 65_536;
/** Before each datagram, for headers that make a packet of it. */
const HEADROOM = 64;
/** One slot to the next: not a power of two, or the beginnings of all would share the same lines of the caches. */
const SLOT_STEP = SLOT_LEN + 320;
const HEADER_WORDS = 16;
const NAMELEN_WORD = 2;
const LENGTH_WORD = 14;
const IOVEC_WORDS = 4;
/** `struct sockaddr_in6` has 28 octets. */
const NAME_LEN = 32;
const WORD_LEN = 4;

const AF_INET = 2;
const AF_INET6 = 10;
const OFF_PORT = 2;
const NAME_LENGTHS = { 4: 16, 6: 28 } as const;
const OFF_ADDRESS = { 4: 4, 6: 8 } as const;
const ADDRESS_LENGTHS = { 4: 4, 6: 16 } as const;
/** Of IPv6 only: flow label, and zone of link-local addresses. */
const OFF_FLOW = 4;
const OFF_SCOPE = 24;

/** Where the low half of a 64-bit number stands: in the machine's own order of octets. */
const LOW = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1;

const NARROW: ReadonlySet<string> = new Set(['arm', 'ia32', 'mips', 'mipsel']);

/** Whether this machine's structures are the ones described above. */
export function hasWideAddresses(): boolean {
  return !NARROW.has(process.arch);
}

export class MessageVector {
  /** What system calls take: `count` of `struct mmsghdr`. */
  readonly headers: Uint8Array;
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #iovecs: Uint32Array;
  readonly #names: Uint8Array;
  readonly #room: Room;

  constructor(calls: Libc, count: number) {
    this.count = count;
    this.headers = new Uint8Array(new ArrayBuffer(count * HEADER_WORDS * WORD_LEN));
    this.#words = new Uint32Array(this.headers.buffer);
    this.#iovecs = new Uint32Array(new ArrayBuffer(count * IOVEC_WORDS * WORD_LEN));
    this.#names = new Uint8Array(new ArrayBuffer(count * NAME_LEN));
    this.#room = room(count * SLOT_STEP);
    const octetsAt = calls.addressOf(this.#room.bytes);
    const iovecsAt = calls.addressOf(new Uint8Array(this.#iovecs.buffer));
    const namesAt = calls.addressOf(this.#names);
    const pointers = new BigUint64Array(this.#words.buffer);
    const bases = new BigUint64Array(this.#iovecs.buffer);
    for (let i = 0; i < count; i++) {
      pointers[i * 8] = namesAt + BigInt(i * NAME_LEN);
      pointers[i * 8 + 2] = iovecsAt + BigInt(i * IOVEC_WORDS * WORD_LEN);
      pointers[i * 8 + 3] = 1n;
      bases[i * 2] = octetsAt + BigInt(this.payloadAt(i));
    }
    this.makeReady(count);
  }

  /** The payload of message `i` begins at `payloadAt(i)`; before it is room for headers. */
  get octets(): Uint8Array {
    return this.#room.bytes;
  }

  payloadAt(i: number): number {
    return i * SLOT_STEP + HEADROOM;
  }

  // Receiving

  /** The first `n` messages may be received into again. */
  makeReady(n: number): void {
    for (let i = 0; i < n; i++) {
      this.#words[i * HEADER_WORDS + NAMELEN_WORD] = NAME_LEN;
      this.#iovecs[i * IOVEC_WORDS + 2 + LOW] = SLOT_LEN;
    }
  }

  receivedLength(i: number): number {
    return this.#words[i * HEADER_WORDS + LENGTH_WORD] ?? 0;
  }

  /** Who sent message `i`: `last`, when it was the same again. */
  sender(i: number, family: Family, last: Endpoint | undefined): Endpoint {
    const names = this.#names;
    const at = i * NAME_LEN;
    const port = u16(names, at + OFF_PORT);
    const addressAt = at + OFF_ADDRESS[family];
    const length = ADDRESS_LENGTHS[family];
    if (last?.port === port && equal(names, addressAt, last.address, 0, length)) return last;
    return { family, address: octetsOf(names, addressAt, addressAt + length), port };
  }

  // Sending

  /** Makes message `i` the payload [from, to) of `b`, to the address at `addressAt`. */
  put(
    i: number,
    family: Family,
    b: Uint8Array,
    from: number,
    to: number,
    address: Uint8Array,
    addressAt: number,
    port: number,
  ): void {
    this.#words[i * HEADER_WORDS + NAMELEN_WORD] = NAME_LENGTHS[family];
    this.#iovecs[i * IOVEC_WORDS + 2 + LOW] = to - from;
    writeName(this.#names, i * NAME_LEN, family, address, addressAt, port);
    copyInto(this.#room, this.payloadAt(i), b, from, to - from);
  }

  /** Headers of the messages from `i` on. */
  from(i: number): Uint8Array {
    return i === 0 ? this.headers : this.headers.subarray(i * HEADER_WORDS * WORD_LEN);
  }
}

/** A whole `struct sockaddr_in` or `sockaddr_in6`. */
export function socketName(endpoint: Endpoint): Uint8Array {
  const b = new Uint8Array(NAME_LENGTHS[endpoint.family]);
  writeName(b, 0, endpoint.family, endpoint.address, 0, endpoint.port);
  return b;
}

export function endpointIn(name: Uint8Array, family: Family): Endpoint {
  const at = OFF_ADDRESS[family];
  const address = octetsOf(name, at, at + ADDRESS_LENGTHS[family]);
  return { family, address, port: u16(name, OFF_PORT) };
}

function writeName(
  b: Uint8Array,
  at: number,
  family: Family,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  // The family is in the machine's order of octets, and below 256.
  b[at + LOW] = family === 4 ? AF_INET : AF_INET6;
  setU16(b, at + OFF_PORT, port);
  copy(address, addressAt, b, at + OFF_ADDRESS[family], ADDRESS_LENGTHS[family]);
  if (family === 4) return;
  setU32(b, at + OFF_FLOW, 0);
  setU32(b, at + OFF_SCOPE, 0);
}
