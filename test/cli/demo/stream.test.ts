import test from 'ava';
import { MediaStream } from '../../../cli/demo/stream.ts';

const PLAN = { ssrc: 0xfeed_f00d, firstSeq: 65_500, firstTimestamp: 0xffff_0000, startMs: 0 };

/** Sends `packets`; each passes through `wire`, which gives what arrives. */
function talk(packets: number, wire: (b: Uint8Array, n: number) => Uint8Array[]): MediaStream {
  const stream = new MediaStream(PLAN);
  stream.begin(Date.UTC(2026, 0, 1));
  for (let n = 0; n < packets; n++) {
    stream.send(
      n,
      (rtp) => {
        for (const b of wire(rtp.slice(), n)) stream.receiveRtp(b);
      },
      (rtcp) => stream.receiveRtcp(rtcp.slice()),
    );
  }
  return stream;
}

function flipped(b: Uint8Array): Uint8Array {
  return b.with(100, b[100] === 0 ? 1 : 0);
}

test('everything arrives: complete, nothing lost, the best MOS', (t) => {
  const stream = talk(151, (b) => [b]);
  stream.end();
  t.true(stream.complete);
  t.is(stream.stats.received, 151);
  t.is(stream.reportsSent, 4);
  t.is(stream.reportsReceived, 4);
  t.deepEqual([stream.lost, stream.corrupted], [0, 0]);
  t.true(stream.mos > 4.3);
});

test('what is missing at the end is lost; while it lasts only gaps are', (t) => {
  const stream = talk(100, (b, n) => (n === 10 || n >= 95 ? [] : [b]));
  t.is(stream.lost, 1);
  stream.end();
  t.is(stream.lost, 6);
  t.false(stream.complete);
  t.true(stream.mos < 3.9, `${stream.mos}`);
});

test('a changed octet is a corrupted packet and a lost one', (t) => {
  const stream = talk(100, (b, n) => (n === 50 ? [flipped(b)] : [b]));
  stream.end();
  t.deepEqual([stream.corrupted, stream.lost], [1, 1]);
  t.false(stream.complete);
});

test('a duplicate does not hide a loss', (t) => {
  const stream = talk(100, (b, n) => (n === 20 ? [] : n === 21 ? [b, b] : [b]));
  stream.end();
  t.deepEqual([stream.stats.duplicates, stream.lost], [1, 1]);
  t.false(stream.complete);
});

test('a foreign report is corrupted', (t) => {
  const stream = talk(1, (b) => [b]);
  stream.receiveRtcp(new Uint8Array(28));
  t.is(stream.corrupted, 1);
  t.is(stream.reportsReceived, 1);
});
