/**
 * Packets that wait to be sent, one behind the other in one buffer, with the vector by which one call of
 * `sendmmsg` takes them all. (A sending ring of AF_PACKET does not pay here: a veth hands packets on at once, so
 * the kernel copies them out of the ring into pages of their own. Measured: 5 to 20 % more than this. That of AF_XDP
 * does: send-ring.ts.)
 *
 * 64-bit machines of little-endian order, which are all that koffi has Linux binaries for but i386 and
 * 32-bit ARM.
 *
 *   struct mmsghdr, 64 octets: name, name length, → iovec, 1, control, control length, flags, sent
 *   struct iovec, 16 octets: → frame, length
 */
import { copy, copyInto, room, u8 } from '../../wire/bytes.ts';
import type { IoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import type { PortCounts, PortDrop } from '../packet-port.ts';

export const ETHERNET_LEN = 14;
const MAX_PACKET_LEN = 65_535;

/** Packets and octets of a batch; a full one is sent at once. */
const MAX_PACKETS = 512;
const BUFFER_LEN = 1_048_576;

const MMSGHDR_LEN = 64;
const OFF_IOV = 16;
const OFF_IOVLEN = 24;
const IOVEC_LEN = 16;
/** In words of 32 bits. */
const IOVEC_WORDS = 4;
const IOV_LENGTH = 2;

const MSG_DONTWAIT = 0x40;
const WORD = 2 ** 32;

export class SendBatch {
  readonly #calls: Libc;
  readonly #fd: number;
  readonly #counts: PortCounts;
  /** Ethernet headers by the upper half of the first octet of a packet. */
  readonly #headers: Readonly<Record<number, Uint8Array>>;
  readonly #buffer = room(BUFFER_LEN);
  readonly #bufferAddress: number;
  readonly #vector = new Uint8Array(MAX_PACKETS * MMSGHDR_LEN);
  readonly #iovecs = new Uint32Array(MAX_PACKETS * IOVEC_WORDS);
  #count = 0;
  #used = 0;

  /** `to` and `from` are hardware addresses. */
  constructor(calls: Libc, fd: number, to: Uint8Array, from: Uint8Array, counts: PortCounts) {
    this.#calls = calls;
    this.#fd = fd;
    this.#counts = counts;
    this.#headers = {
      4: Uint8Array.of(...to, ...from, 0x08, 0x00),
      6: Uint8Array.of(...to, ...from, 0x86, 0xdd),
    };
    // Below 2^53: addresses of a process have 47 bits, 57 at most where a program asks for them.
    this.#bufferAddress = Number(calls.addressOf(this.#buffer.bytes));
    const iovecs = calls.addressOf(new Uint8Array(this.#iovecs.buffer));
    const view = new DataView(this.#vector.buffer);
    for (let i = 0; i < MAX_PACKETS; i++) {
      view.setBigUint64(i * MMSGHDR_LEN + OFF_IOV, iovecs + BigInt(i * IOVEC_LEN), true);
      view.setBigUint64(i * MMSGHDR_LEN + OFF_IOVLEN, 1n, true);
    }
  }

  add(b: Uint8Array, at: number, end: number): void {
    const length = end - at;
    const header = length > 0 ? this.#headers[u8(b, at) >> 4] : undefined;
    if (header === undefined || length > MAX_PACKET_LEN) {
      this.#counts.drop(header === undefined ? 'not-ip' : 'too-long');
      return;
    }
    const frame = ETHERNET_LEN + length;
    if (this.#count === MAX_PACKETS || this.#used + frame > BUFFER_LEN) this.flush();
    const start = this.#used;
    copy(header, 0, this.#buffer.bytes, start, ETHERNET_LEN);
    copyInto(this.#buffer, start + ETHERNET_LEN, b, at, length);
    const address = this.#bufferAddress + start;
    const iovec = this.#count * IOVEC_WORDS;
    this.#iovecs[iovec] = address % WORD;
    this.#iovecs[iovec + 1] = address / WORD;
    this.#iovecs[iovec + IOV_LENGTH] = frame;
    this.#used = start + frame;
    this.#count += 1;
  }

  /** Sends what waits. What the kernel does not take now is dropped: media that waits is late. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    this.#used = 0;
    for (let done = 0; done < count; ) {
      const rest = done === 0 ? this.#vector : this.#vector.subarray(done * MMSGHDR_LEN);
      const sent = this.#calls.sendMany(this.#fd, rest, count - done, MSG_DONTWAIT);
      if (typeof sent === 'number') {
        this.#counts.sent += sent;
        done += sent;
      } else {
        // That of the first packet of `rest`; those behind it may have better luck.
        this.#counts.drop(reasonOf(sent));
        done += 1;
      }
    }
  }
}

export function reasonOf({ code }: IoFault): PortDrop {
  if (code === 'ENETDOWN' || code === 'ENXIO' || code === 'ENODEV') return 'no-interface';
  if (code === 'EMSGSIZE') return 'too-long';
  return code === 'EAGAIN' || code === 'ENOBUFS' || code === 'ENOMEM' ? 'ring-full' : 'refused';
}
