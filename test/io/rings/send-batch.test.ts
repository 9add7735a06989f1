import test from 'ava';
import type { IoFault } from '../../../io/io-fault.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { type Libc, libc } from '../../../io/kernel/libc.ts';
import { PortCounts } from '../../../io/packet-port.ts';
import { SendBatch } from '../../../io/rings/send-batch.ts';

const FD = 7;
const TO = Uint8Array.of(2, 0, 0, 0, 0, 1);
const FROM = Uint8Array.of(2, 0, 0, 0, 0, 2);

/** A kernel that takes so many packets of a call, or has a fault to tell. */
function batchWith(answers: (number | string)[]) {
  const real = libc();
  if (isIoFault(real)) throw new Error(real.text);
  const calls: number[] = [];
  const lengths: number[] = [];
  const sendMany = (fd: number, vector: Uint8Array, count: number): number | IoFault => {
    if (fd !== FD) throw new RangeError(`descriptor ${fd}`);
    calls.push(count);
    lengths.push(vector.length / 64);
    const answer = answers.shift() ?? count;
    return typeof answer === 'number' ? answer : { type: 'io-fault', code: answer, text: answer };
  };
  const counts = new PortCounts();
  const fake: Libc = { ...real, sendMany };
  return { batch: new SendBatch(fake, FD, TO, FROM, counts), calls, lengths, counts };
}

function packet(length: number, version = 4): Uint8Array {
  const b = new Uint8Array(length);
  b[0] = version << 4;
  return b;
}

test('what was added goes in one call', (t) => {
  const { batch, calls, counts } = batchWith([]);
  for (let i = 0; i < 10; i++) batch.add(packet(100), 0, 100);
  t.deepEqual(calls, []);
  batch.flush();
  batch.flush();
  t.deepEqual(calls, [10]);
  t.is(counts.sent, 10);
});

test('a full batch is sent without being asked: by number, and by octets', (t) => {
  const { batch, calls } = batchWith([]);
  for (let i = 0; i < 513; i++) batch.add(packet(20), 0, 20);
  t.deepEqual(calls, [512]);
  batch.flush();
  for (let i = 0; i < 16; i++) batch.add(packet(65_535, 6), 0, 65_535);
  t.deepEqual(calls, [512, 1, 15]);
});

test('what the kernel does not take is dropped and counted; what is behind it has its chance', (t) => {
  const { batch, calls, lengths, counts } = batchWith([
    3,
    'ENOBUFS',
    2,
    'EMSGSIZE',
    'ENETDOWN',
    'EPERM',
  ]);
  for (let i = 0; i < 9; i++) batch.add(packet(20), 0, 20);
  batch.flush();
  t.deepEqual(calls, [9, 6, 5, 3, 2, 1]);
  // The vector moves on with what was sent or given up.
  t.deepEqual(
    lengths.map((length) => 512 - length),
    [0, 3, 4, 6, 7, 8],
  );
  t.is(counts.sent, 5);
  t.deepEqual(
    [...counts.dropped],
    [
      ['ring-full', 1],
      ['too-long', 1],
      ['no-interface', 1],
      ['refused', 1],
    ],
  );
});

test('what is no IP packet, and what is too long, is not added', (t) => {
  const { batch, calls, counts } = batchWith([]);
  batch.add(packet(20, 5), 0, 20);
  batch.add(packet(20), 3, 3);
  batch.add(packet(65_536), 0, 65_536);
  batch.flush();
  t.deepEqual(calls, []);
  t.deepEqual(
    [...counts.dropped],
    [
      ['not-ip', 2],
      ['too-long', 1],
    ],
  );
});
