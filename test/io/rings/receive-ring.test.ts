import test from 'ava';
import { PortCounts } from '../../../io/packet-port.ts';
import { ReceiveRing, SLOT_LEN } from '../../../io/rings/receive-ring.ts';

const SLOTS = 4;
const MAC = 66;
const NET = 80;
const USER = 1;
const COPY = 2;
const LOSING = 4;
const IP = 0x0800;
const IPV6 = 0x86dd;

/** The kernel's side of a ring. */
class Kernel {
  readonly memory: Uint8Array;
  readonly counts = new PortCounts();
  readonly waiting: Uint8Array[] = [];
  readonly ring: ReceiveRing;
  readonly received: string[] = [];
  #next = 0;

  constructor(slots = SLOTS) {
    this.memory = new Uint8Array(slots * SLOT_LEN);
    this.ring = new ReceiveRing(
      this.memory,
      (into) => {
        const frame = this.waiting.shift();
        if (frame === undefined) return -1;
        into.set(frame);
        return frame.length;
      },
      this.counts,
    );
  }

  /** Fills the next slot; false when we have not given it back. */
  put(text: string, { protocol = IP, status = USER, length = 14 + text.length } = {}): boolean {
    const at = this.#next * SLOT_LEN;
    if (this.statusOf(this.#next) !== 0) return false;
    const words = new DataView(this.memory.buffer, at);
    words.setUint32(4, length, true);
    words.setUint32(8, 14 + text.length, true);
    words.setUint16(12, MAC, true);
    words.setUint16(14, NET, true);
    words.setUint16(34, protocol);
    this.memory.set(Buffer.from(text), at + NET);
    words.setUint32(0, status, true);
    this.#next = (this.#next + 1) % (this.memory.length / SLOT_LEN);
    return true;
  }

  statusOf(slot: number): number {
    return new DataView(this.memory.buffer, slot * SLOT_LEN).getUint32(0, true);
  }

  drain(most = 100): number {
    return this.ring.drain((b, at, end) => {
      this.received.push(Buffer.from(b.subarray(at, end)).toString());
    }, most);
  }
}

test('packets are taken in turn, round and round, and their slots given back', (t) => {
  const kernel = new Kernel();
  t.is(kernel.drain(), 0);
  for (let i = 0; i < 3 * SLOTS; i += 3) {
    for (let k = 0; k < 3; k++) t.true(kernel.put(`packet ${i + k}`));
    t.is(kernel.drain(), 3);
  }
  t.deepEqual(
    kernel.received,
    Array.from({ length: 12 }, (_, i) => `packet ${i}`),
  );
  for (let slot = 0; slot < SLOTS; slot++) t.is(kernel.statusOf(slot), 0);
});

test('no more than asked for are taken at once', (t) => {
  const kernel = new Kernel();
  for (let i = 0; i < SLOTS; i++) kernel.put(`${i}`);
  t.false(kernel.put('one too many'));
  t.is(kernel.drain(3), 3);
  t.is(kernel.drain(3), 1);
  t.deepEqual(kernel.received, ['0', '1', '2', '3']);
});

test('however many wait, they are handed out in turn, and no more than asked for', (t) => {
  const slots = 100;
  const kernel = new Kernel(slots);
  const all: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < slots - 1; i++) {
      const text = `${round} ${i}`;
      t.true(kernel.put(text));
      all.push(text);
    }
    t.is(kernel.drain(70), 70);
    t.is(kernel.drain(70), slots - 1 - 70);
    t.is(kernel.drain(70), 0);
  }
  t.deepEqual(kernel.received, all);
  for (let slot = 0; slot < slots; slot++) t.is(kernel.statusOf(slot), 0);
});

test('what comes while packets are taken waits for the next look; none is given back before the last is taken', (t) => {
  const kernel = new Kernel();
  kernel.put('one');
  kernel.put('two');
  const seen: number[][] = [];
  kernel.ring.drain(() => {
    kernel.put('three');
    seen.push([kernel.statusOf(0), kernel.statusOf(1)]);
  }, 100);
  t.deepEqual(seen, [
    [USER, USER],
    [USER, USER],
  ]);
  t.deepEqual([kernel.statusOf(0), kernel.statusOf(1)], [0, 0]);
  t.is(kernel.drain(), 2);
  t.deepEqual(kernel.received, ['three', 'three']);
});

test('a packet longer than its slot is received whole, in its place', (t) => {
  const kernel = new Kernel();
  kernel.put('before');
  kernel.put('begin', { status: USER | COPY | LOSING, length: 9_000, protocol: IPV6 });
  kernel.waiting.push(Buffer.concat([Buffer.alloc(14, 1), Buffer.alloc(8_986, 'x')]));
  kernel.put('behind');
  t.is(kernel.drain(), 3);
  t.deepEqual(kernel.received, ['before', 'x'.repeat(8_986), 'behind']);
});

test('a packet of which the rest is lost is counted, and not given', (t) => {
  const kernel = new Kernel();
  kernel.put('begin', { length: 9_000 });
  kernel.put('begin', { status: USER | COPY, length: 9_000 });
  kernel.put('whole');
  t.is(kernel.drain(), 3);
  t.deepEqual(kernel.received, ['whole']);
  t.deepEqual([...kernel.counts.dropped], [['ring-overrun', 2]]);
});

test('what is not IP is counted, and not given', (t) => {
  const kernel = new Kernel();
  kernel.put('arp', { protocol: 0x0806 });
  kernel.put('six', { protocol: IPV6 });
  kernel.drain();
  t.deepEqual(kernel.received, ['six']);
  t.deepEqual([...kernel.counts.dropped], [['not-ip', 1]]);
});

test('closed by a receiver, the memory is not touched any more', (t) => {
  const kernel = new Kernel();
  kernel.put('one');
  kernel.put('two');
  let n = 0;
  kernel.ring.drain(() => {
    n += 1;
    kernel.ring.close();
  }, 100);
  t.is(n, 1);
  t.is(kernel.statusOf(0), USER);
  t.is(kernel.drain(), 0);
});
