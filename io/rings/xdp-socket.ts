/**
 * A socket of AF_XDP (Documentation/networking/af_xdp.rst) that only sends, and the memory that it shares with the
 * kernel: chunks for frames, a ring of descriptors that say which are to be sent, and one that says which were. The
 * kernel copies out of the chunks (XDP_COPY), so any interface will do. Kernels from 5.4 on have it, where it was not
 * left out of them.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc, Mapping } from '../kernel/libc.ts';
import { SEND_BUFFER_LEN } from './packet-socket.ts';

/**
 * Of frames; a power of two. Each has a chunk, a descriptor and a place among the completions. Chunks are used in
 * turn: more of them would push each other out of the cache.
 */
export const CHUNK_COUNT = 256;
export const CHUNK_LEN = 2_048;

const AF_XDP = 44;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SOL_XDP = 283;
const XDP_MMAP_OFFSETS = 1;
const XDP_TX_RING = 3;
const XDP_UMEM_REG = 4;
const XDP_UMEM_FILL_RING = 5;
const XDP_UMEM_COMPLETION_RING = 6;
const XDP_COPY = 2;
const XDP_PGOFF_TX_RING = 0x8000_0000;
const XDP_UMEM_PGOFF_COMPLETION_RING = 0x1_8000_0000;

const DESCRIPTOR_LEN = 16;
const COMPLETION_LEN = 8;
/** `struct xdp_mmap_offsets`: of four rings each where producer, consumer, entries and flags are, 64 bits each. */
const OFFSETS_LEN = 128;
const OFFSETS_TX = 4;
const OFFSETS_COMPLETION = 12;
const WORD_LEN = 4;

/** Memory of a ring in words of 32 bits, and where in it stands what. */
export interface RingWords {
  readonly words: Int32Array;
  readonly producer: number;
  readonly consumer: number;
  readonly entries: number;
}

export interface XdpSocket {
  readonly fd: number;
  readonly chunks: Uint8Array;
  readonly descriptors: RingWords;
  readonly completions: RingWords;
  close(): void;
}

/** Bound to the first queue of an interface that is up. */
export function openXdpSocket(calls: Libc, name: string): XdpSocket | IoFault {
  const index = calls.interfaceIndex(name);
  if (typeof index !== 'number') return index;
  const fd = calls.socket(AF_XDP, SOCK_RAW_CLOEXEC, 0);
  if (typeof fd !== 'number') return fd;
  const mappings: Mapping[] = [];
  const close = () => {
    calls.close(fd);
    for (const mapping of mappings) mapping.unmap();
  };
  const made = share(calls, fd, mappings);
  const bound = isIoFault(made) ? made : calls.bind(fd, addressOf(index));
  if (!isIoFault(made) && typeof bound === 'number') return { fd, ...made, close };
  close();
  return bound as IoFault;
}

type Shared = Pick<XdpSocket, 'chunks' | 'descriptors' | 'completions'>;

/** Whatever was mapped stands in `mappings`, also when it fails. */
function share(calls: Libc, fd: number, mappings: Mapping[]): Shared | IoFault {
  const chunks = calls.mmap(CHUNK_COUNT * CHUNK_LEN, -1);
  if (isIoFault(chunks)) return chunks;
  mappings.push(chunks);
  const offsets = new BigUint64Array(OFFSETS_LEN / 8);
  const steps = [
    () => calls.setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_LEN),
    () => calls.setOptionBytes(fd, SOL_XDP, XDP_UMEM_REG, chunkRequest(calls, chunks.bytes)),
    // Nothing is received, but a ring for it there must be.
    () => calls.setOption(fd, SOL_XDP, XDP_UMEM_FILL_RING, 1),
    () => calls.setOption(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, CHUNK_COUNT),
    () => calls.setOption(fd, SOL_XDP, XDP_TX_RING, CHUNK_COUNT),
    () => calls.getOption(fd, SOL_XDP, XDP_MMAP_OFFSETS, new Uint8Array(offsets.buffer)),
  ];
  for (const step of steps) {
    const done = step();
    if (typeof done !== 'number') return done;
  }
  const ring = (at: number, entryLen: number, from: number): RingWords | IoFault => {
    const [producer = 0, consumer = 0, entries = 0] = [...offsets.subarray(at, at + 3)].map(Number);
    const mapping = calls.mmap(entries + CHUNK_COUNT * entryLen, fd, from);
    if (isIoFault(mapping)) return mapping;
    mappings.push(mapping);
    const { buffer, byteOffset, length } = mapping.bytes;
    return {
      words: new Int32Array(buffer, byteOffset, length / WORD_LEN),
      producer: producer / WORD_LEN,
      consumer: consumer / WORD_LEN,
      entries: entries / WORD_LEN,
    };
  };
  const descriptors = ring(OFFSETS_TX, DESCRIPTOR_LEN, XDP_PGOFF_TX_RING);
  if (isIoFault(descriptors)) return descriptors;
  const completions = ring(OFFSETS_COMPLETION, COMPLETION_LEN, XDP_UMEM_PGOFF_COMPLETION_RING);
  if (isIoFault(completions)) return completions;
  return { chunks: chunks.bytes, descriptors, completions };
}

/** `struct xdp_umem_reg`: address, length, length of a chunk; no headroom, no flags. */
function chunkRequest(calls: Libc, chunks: Uint8Array): Uint8Array {
  const request = new BigUint64Array([calls.addressOf(chunks), BigInt(chunks.length), 0n, 0n]);
  new Uint32Array(request.buffer)[4] = CHUNK_LEN;
  return new Uint8Array(request.buffer);
}

/** `struct sockaddr_xdp`: family and flags, 16 bits each; interface, queue, a descriptor to share memory with. */
function addressOf(index: number): Uint8Array {
  const b = new ArrayBuffer(16);
  new Uint16Array(b).set([AF_XDP, XDP_COPY]);
  new Uint32Array(b, 4).set([index, 0, 0]);
  return new Uint8Array(b);
}
