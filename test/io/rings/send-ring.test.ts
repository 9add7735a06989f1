import test from 'ava';
import { type IoFault, isIoFault } from '../../../io/io-fault.ts';
import { type Libc, libc } from '../../../io/kernel/libc.ts';
import { PortCounts } from '../../../io/packet-port.ts';
import { SendBatch } from '../../../io/rings/send-batch.ts';
import { SendRing } from '../../../io/rings/send-ring.ts';
import { CHUNK_COUNT, CHUNK_LEN, type RingWords } from '../../../io/rings/xdp-socket.ts';

const TO = Uint8Array.of(2, 0, 0, 0, 0, 1);
const FROM = Uint8Array.of(2, 0, 0, 0, 0, 2);
const IPV4 = [...TO, ...FROM, 0x08, 0x00];
const IPV6 = [...TO, ...FROM, 0x86, 0xdd];
const LONGEST = CHUNK_LEN - IPV4.length;

function ringOf(entryWords: number): RingWords {
  const words = new Int32Array(48 + CHUNK_COUNT * entryWords);
  return { words, producer: 0, consumer: 16, entries: 32 };
}

/** What a call does: how many packets it takes, and what it answers; an older kernel tells at the end only. */
interface Answer {
  readonly takes: number;
  readonly says?: string;
}

/** A kernel with a ring of its own pointers, which does in each call what it was told; then it takes everything. */
class Kernel {
  readonly descriptors = ringOf(4);
  readonly completions = ringOf(2);
  readonly chunks = new Uint8Array(CHUNK_COUNT * CHUNK_LEN);
  /** All frames in the order in which they went, by either socket. */
  readonly frames: number[][] = [];
  readonly counts = new PortCounts();
  readonly answers: Answer[];
  readonly ring: SendRing;
  calls = 0;
  batches = 0;
  tellsAtTheEnd = false;
  #consumed = 0;

  constructor(answers: readonly Answer[] = []) {
    this.answers = [...answers];
    const real = libc();
    if (isIoFault(real)) throw new Error(real.text);
    const fake: Libc = {
      ...real,
      sendRing: () => this.#sendRing(),
      sendMany: (_fd, _vector, count) => {
        this.batches += 1;
        this.frames.push(...Array.from({ length: count }, () => []));
        return count;
      },
    };
    const { chunks, completions, counts, descriptors } = this;
    const socket = { fd: 7, chunks, descriptors, completions, close: () => {} };
    const batch = new SendBatch(fake, 8, TO, FROM, counts);
    this.ring = new SendRing(fake, socket, TO, FROM, batch, counts);
  }

  add(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.ring.add(packet, 0, packet.length);
  }

  get dropped(): unknown {
    return Object.fromEntries(this.counts.dropped);
  }

  #sendRing(): number | IoFault {
    this.calls += 1;
    const { takes, says } = this.answers.shift() ?? { takes: CHUNK_COUNT };
    const { consumer, entries, producer, words } = this.descriptors;
    for (let left = takes; left > 0 && this.#consumed !== words[producer]; left--) {
      const at = entries + (this.#consumed % CHUNK_COUNT) * 4;
      const [from = 0, high, length = 0, options] = words.subarray(at, at + 4);
      if (high !== 0 || options !== 0) throw new RangeError('no descriptor');
      this.frames.push([...this.chunks.subarray(from, from + length)]);
      this.#consumed += 1;
    }
    const isEnd = this.#consumed === words[producer];
    if (isEnd || !this.tellsAtTheEnd) words[consumer] = this.#consumed;
    this.completions.words[this.completions.producer] = this.#consumed;
    if (says !== undefined) return { type: 'io-fault', code: says, text: says };
    return isEnd ? 0 : 1;
  }
}

function packet(length: number, version = 4, mark = 0): Uint8Array {
  const b = new Uint8Array(length).fill(mark);
  b[0] = version << 4;
  return b;
}

test('what was added goes in one call, each behind its Ethernet header, both families', (t) => {
  const kernel = new Kernel();
  const packets = [packet(40), packet(LONGEST, 4, 3), packet(60, 6, 7), packet(20, 4, 9)];
  kernel.add(...packets);
  t.is(kernel.calls, 0);
  kernel.ring.flush();
  kernel.ring.flush();
  t.is(kernel.calls, 1);
  const headers = [IPV4, IPV4, IPV6, IPV4];
  t.deepEqual(
    kernel.frames,
    packets.map((each, i) => [...(headers[i] ?? []), ...each]),
  );
  t.is(kernel.counts.sent, 4);
  t.is(kernel.completions.words[kernel.completions.consumer], 4);
});

test('a kernel that takes some at a time gets all of them', (t) => {
  for (const tellsAtTheEnd of [false, true]) {
    const kernel = new Kernel(Array.from({ length: 6 }, () => ({ takes: 16 })));
    kernel.tellsAtTheEnd = tellsAtTheEnd;
    for (let i = 0; i < 100; i++) kernel.add(packet(20, 4, i));
    kernel.ring.flush();
    t.is(kernel.counts.sent, 100);
    t.deepEqual(
      kernel.frames.map((frame) => frame[15]),
      Array.from({ length: 100 }, (_, i) => i),
    );
  }
});

test('a full ring is sent without being asked; the ring is gone round', (t) => {
  const kernel = new Kernel();
  const all = 2 * CHUNK_COUNT + 10;
  for (let i = 0; i < all; i++) kernel.add(packet(20 + (i % 50), 4, i % 251));
  t.is(kernel.calls, 2);
  kernel.ring.flush();
  t.is(kernel.counts.sent, all);
  const marks = kernel.frames.map((frame) => [frame.length, frame[15]]);
  t.deepEqual(
    marks,
    Array.from({ length: all }, (_, i) => [34 + (i % 50), i % 251]),
  );
});

test('what the kernel does not take waits for the next time, a ring full of it and no more', (t) => {
  const nothing = Array.from({ length: 100 }, () => ({ takes: 0 }));
  const kernel = new Kernel(nothing);
  for (let i = 0; i < CHUNK_COUNT + 1; i++) kernel.add(packet(20, 4, i % 251));
  const calls = kernel.calls;
  for (let i = 0; i < 9; i++) kernel.add(packet(20));
  t.is(kernel.calls, calls);
  t.deepEqual(kernel.dropped, { 'ring-full': 10 });
  t.is(kernel.counts.sent, 0);
  kernel.answers.length = 0;
  kernel.ring.flush();
  t.is(kernel.counts.sent, CHUNK_COUNT);
  t.is(kernel.frames.at(-1)?.[15], (CHUNK_COUNT - 1) % 251);
});

test('an interface that is down takes nothing, and is the reason', (t) => {
  const kernel = new Kernel([{ takes: 0, says: 'ENETDOWN' }]);
  for (let i = 0; i < CHUNK_COUNT + 5; i++) kernel.add(packet(20));
  t.is(kernel.calls, 1);
  t.deepEqual(kernel.dropped, { 'no-interface': 5 });
});

test('a packet that the interface refuses is counted; those behind it have their chance', (t) => {
  const refusals = Array.from({ length: 10 }, () => ({ takes: 1, says: 'EBUSY' }));
  const kernel = new Kernel(refusals);
  for (let i = 0; i < 20; i++) kernel.add(packet(20));
  kernel.ring.flush();
  t.is(kernel.counts.sent, 10);
  t.deepEqual(kernel.dropped, { 'ring-full': 10 });
  t.is(kernel.frames.length, 20);
});

test('a kernel that is always busy is not asked for ever', (t) => {
  const kernel = new Kernel(Array.from({ length: 1_000 }, () => ({ takes: 0, says: 'EBUSY' })));
  kernel.add(packet(20));
  kernel.ring.flush();
  t.is(kernel.calls, 272);
});

test('what no chunk holds goes by the other socket, in its turn; what is no IP packet nowhere', (t) => {
  const kernel = new Kernel();
  kernel.add(packet(30), packet(LONGEST + 1), packet(65_535, 6), packet(40), packet(20, 5));
  kernel.add(packet(3_000), packet(50));
  kernel.ring.flush();
  t.deepEqual(
    kernel.frames.map((frame) => frame.length),
    [44, 0, 0, 54, 0, 64],
  );
  t.is(kernel.batches, 2);
  t.is(kernel.counts.sent, 6);
  t.deepEqual(kernel.dropped, { 'not-ip': 1 });
});
