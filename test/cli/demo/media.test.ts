import test from 'ava';
import {
  MediaCheck,
  RTP_LEN,
  SR_LEN,
  type StreamPlan,
  writeRtp,
  writeSr,
} from '../../../cli/demo/media.ts';
import { u8, u16, u32 } from '../../../wire/bytes.ts';
import * as rtcp from '../../../wire/rtcp.ts';
import * as rtp from '../../../wire/rtp.ts';

const PLAN: StreamPlan = {
  ssrc: 0x1234_5678,
  firstSeq: 65_534,
  firstTimestamp: 0xffff_ff00,
  startMs: Date.UTC(2026, 0, 1),
};

function rtpPacket(n: number): Uint8Array {
  const b = new Uint8Array(RTP_LEN);
  writeRtp(b, PLAN, n);
  return b;
}

function report(n: number): Uint8Array {
  const b = new Uint8Array(SR_LEN);
  writeSr(b, PLAN, n);
  return b;
}

test('[RFC3550 5.1] packets are RTP: version 2, PCMU, sequence number and timestamp wrap', (t) => {
  for (const [n, seq, timestamp] of [
    [0, 65_534, 0xffff_ff00],
    [1, 65_535, 0xffff_ffa0],
    [2, 0, 0x40],
    [70_000, 4_462, (0xffff_ff00 + 70_000 * 160) >>> 0],
  ] as const) {
    const b = rtpPacket(n);
    t.is(rtp.check(b, 0, b.length), 0);
    t.is(u8(b, 0), 0x80);
    t.is(u8(b, 1), 0);
    t.is(u16(b, 2), seq);
    t.is(u32(b, 4), timestamp);
    t.is(u32(b, 8), PLAN.ssrc);
  }
});

test('[RFC3550 6.4.1] sender reports: NTP time and RTP timestamp are of the same moment', (t) => {
  const b = report(75);
  t.is(rtcp.check(b, 0, b.length), 0);
  t.is(u8(b, 1), 200);
  t.is(u16(b, 2), 6);
  // 2026-01-01 is 3 976 214 400 s after 1900; 75 packets of 20 ms are 1.5 s.
  t.is(u32(b, 8), 3_976_214_400 + 1);
  t.is(u32(b, 12), 0x8000_0000);
  t.is(u32(b, 16), (0xffff_ff00 + 75 * 160) >>> 0);
  t.is(u32(b, 20), 75);
  t.is(u32(b, 24), 75 * 160);
});

test('whole packets are known by their number, on either side of the one expected', (t) => {
  const check = new MediaCheck(PLAN);
  for (const [n, about] of [
    [0, 0],
    [5, 0],
    [3, 9],
    [65_536, 65_530],
    [140_000, 139_000],
  ] as const) {
    t.is(check.rtp(rtpPacket(n), about), n);
  }
  t.true(check.sr(report(50)));
});

test('one changed bit anywhere is seen, and so is a changed length', (t) => {
  const check = new MediaCheck(PLAN);
  for (let bit = 0; bit < RTP_LEN * 8; bit++) {
    const b = rtpPacket(7);
    b[bit >> 3] = u8(b, bit >> 3) ^ (1 << (bit & 7));
    t.is(check.rtp(b, 7), -1);
  }
  for (let bit = 0; bit < SR_LEN * 8; bit++) {
    const b = report(50);
    b[bit >> 3] = u8(b, bit >> 3) ^ (1 << (bit & 7));
    t.false(check.sr(b));
  }
  for (let length = 0; length < RTP_LEN; length++) {
    t.is(check.rtp(rtpPacket(7).subarray(0, length), 7), -1);
  }
  t.is(check.rtp(new Uint8Array(RTP_LEN + 1), 7), -1);
  t.false(check.sr(report(50).subarray(1)));
});

test('no two packets have the same payload', (t) => {
  const seen = new Set<string>();
  for (let n = 0; n < 5_000; n++) seen.add(Buffer.from(rtpPacket(n).subarray(12)).toString('hex'));
  t.is(seen.size, 5_000);
});
