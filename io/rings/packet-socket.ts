/**
 * The AF_PACKET socket of the far end (packet(7)): frames that arrive there lie in memory that it shares
 * with us; frames that it sends arrive at the host. It sees none of its own.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc, Mapping } from '../kernel/libc.ts';
import { RING_LEN, SLOT_COUNT, SLOT_LEN } from './receive-ring.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_SNDBUFFORCE = 32;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_COPY_THRESH = 7;
const PACKET_VERSION = 10;
const PACKET_QDISC_BYPASS = 20;
const PACKET_IGNORE_OUTGOING = 23;
const TPACKET_V2 = 1;

const ETH_P_ALL = 0x0003;
/** Loopback frames of DEC: nobody sends any. */
const ETH_P_LOOP = 0x0060;

const BLOCK_LEN = 65_536;

/** For packets that are longer than a slot, as many as come in one turn. */
const BUFFER_LEN = 16_777_216;
/** For a full batch. */
export const SEND_BUFFER_LEN = 16_777_216;

export interface PacketSocket {
  readonly fd: number;
  readonly ring: Mapping;
  /** Packets lost since it was last asked, because the ring was full. */
  overruns(): number;
  close(): void;
}

export function openPacketSocket(calls: Libc, name: string): PacketSocket | IoFault {
  const fd = openBound(calls, name, ETH_P_ALL, (fd) => configure(calls, fd));
  if (typeof fd !== 'number') return fd;
  const ring = calls.mmap(RING_LEN, fd);
  if (isIoFault(ring)) {
    calls.close(fd);
    return ring;
  }
  const statistics = new Uint32Array(2);
  return {
    fd,
    ring,
    overruns: () => {
      const asked = calls.getOption(
        fd,
        SOL_PACKET,
        PACKET_STATISTICS,
        new Uint8Array(statistics.buffer),
      );
      return typeof asked === 'number' ? (statistics[1] ?? 0) : 0;
    },
    close: () => {
      ring.unmap();
      calls.close(fd);
    },
  };
}

/**
 * A socket that gets a copy of what comes, as a sign that something does: it holds three frames, and the rest is
 * dropped at once. It is to be opened before the one with the ring: the kernel hands a frame to the newest socket
 * first (dev_add_pack), so whoever hears this one finds the frame in the ring.
 */
export function openBell(calls: Libc, name: string): number | IoFault {
  return openBound(calls, name, ETH_P_ALL, (fd) => {
    const small = calls.setOption(fd, SOL_SOCKET, SO_RCVBUF, 0);
    return isFault(small) ? small : calls.setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  });
}

/** A socket that gets nothing, but an error when the interface goes down or away. */
export function openLinkSocket(calls: Libc, name: string): number | IoFault {
  return openBound(calls, name, ETH_P_LOOP, () => 0);
}

/** The error that a socket holds, cleared; 0 when there is none. */
export function socketError(calls: Libc, fd: number): number {
  const into = new Int32Array(1);
  const asked = calls.getOption(fd, SOL_SOCKET, SO_ERROR, new Uint8Array(into.buffer));
  return typeof asked === 'number' ? (into[0] ?? 0) : 0;
}

/** Opened for no protocol, so that nothing comes before all is set: bound for one at last. */
function openBound(
  calls: Libc,
  name: string,
  protocol: number,
  prepare: (fd: number) => number | IoFault,
): number | IoFault {
  const index = calls.interfaceIndex(name);
  if (typeof index !== 'number') return index;
  const fd = calls.socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, 0);
  if (typeof fd !== 'number') return fd;
  const prepared = prepare(fd);
  const done = isFault(prepared) ? prepared : calls.bind(fd, addressOf(index, protocol));
  if (!isFault(done)) return fd;
  calls.close(fd);
  return done;
}

function configure(calls: Libc, fd: number): number | IoFault {
  const option = (name: number, value: number) => calls.setOption(fd, SOL_PACKET, name, value);
  const steps = [
    () => option(PACKET_VERSION, TPACKET_V2),
    // A packet that a slot does not hold waits, whole, to be received in the ordinary way.
    () => option(PACKET_COPY_THRESH, 1),
    () => option(PACKET_IGNORE_OUTGOING, 1),
    () => option(PACKET_QDISC_BYPASS, 1),
    () => calls.setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_LEN),
    () => calls.setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_LEN),
    () => calls.setOptionBytes(fd, SOL_PACKET, PACKET_RX_RING, ringRequest()),
  ];
  for (const step of steps) {
    const done = step();
    if (isFault(done)) return done;
  }
  return 0;
}

/** `struct tpacket_req`. */
function ringRequest(): Uint8Array {
  const blocks = RING_LEN / BLOCK_LEN;
  return new Uint8Array(Uint32Array.of(BLOCK_LEN, blocks, SLOT_LEN, SLOT_COUNT).buffer);
}

/** `struct sockaddr_ll`: the protocol in network order, the rest as this machine has it. */
function addressOf(index: number, protocol: number): Uint8Array {
  const words = Uint16Array.of(AF_PACKET, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const b = new Uint8Array(words.buffer);
  new DataView(b.buffer).setUint16(2, protocol);
  new Int32Array(b.buffer, 4, 1)[0] = index;
  return b;
}

function isFault(done: number | IoFault): done is IoFault {
  return typeof done !== 'number';
}
