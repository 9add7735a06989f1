import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { PAYLOADS, payloadKind } from '../../wire/multiplex.ts';
import * as rtcp from '../../wire/rtcp.ts';
import * as rtp from '../../wire/rtp.ts';
import { hex, poisoned } from './packets.ts';
import { standingTests } from './standing.ts';

/** By hand: PCMA with marker; then two sources, an extension of one word, payload aabb, padding 2. */
const PLAIN = '8088 0102 00000f00 deadbeef d5d5';
const FULL = 'b260 ffff ffffffff 80000001 11111111 22222222 bede 0001 10aa0000 aabb 0002';

standingTests('[RFC3550] RTP', [PLAIN, FULL], rtp.check, (b, at) => [
  rtp.hasPadding(b, at),
  rtp.hasExtension(b, at),
  rtp.csrcCount(b, at),
  rtp.marker(b, at),
  rtp.payloadType(b, at),
  rtp.sequenceNumber(b, at),
  rtp.timestamp(b, at),
  rtp.ssrc(b, at),
  rtp.headerLength(b, at),
]);

test('[RFC3550] fields of RTP', (t) => {
  const { b, at, end } = poisoned(hex(PLAIN));
  t.is(rtp.check(b, at, end), 0);
  t.false(rtp.hasPadding(b, at));
  t.false(rtp.hasExtension(b, at));
  t.true(rtp.marker(b, at));
  t.is(rtp.payloadType(b, at), 8);
  t.is(rtp.sequenceNumber(b, at), 0x0102);
  t.is(rtp.timestamp(b, at), 0x0f00);
  t.is(rtp.ssrc(b, at), 0xdeadbeef);
  t.is(rtp.headerLength(b, at), 12);
  t.is(rtp.paddingLength(b, at, end), 0);
});

test('[RFC3550] sources, extension and padding of RTP', (t) => {
  const { b, at, end } = poisoned(hex(FULL));
  t.is(rtp.csrcCount(b, at), 2);
  t.is(rtp.payloadType(b, at), 96);
  t.false(rtp.marker(b, at));
  t.is(rtp.timestamp(b, at), 0xffffffff);
  t.is(rtp.headerLength(b, at), 28);
  t.is(rtp.paddingLength(b, at, end), 2);
});

test('[RFC3550] padding that counts zero or more than there is', (t) => {
  for (const [text, n] of [
    ['a000 0102 00000f00 deadbeef 0001', 1],
    ['a000 0102 00000f00 deadbeef 0002', 2],
    ['a000 0102 00000f00 deadbeef 0003', -1],
    ['a000 0102 00000f00 deadbeef 0000', -1],
    ['a000 0102 00000f00 deadbe01', -1],
  ] as const) {
    const { b, at, end } = poisoned(hex(text));
    t.is(rtp.check(b, at, end), 0);
    t.is(rtp.paddingLength(b, at, end), n, text);
  }
});

test('[RFC3550] RTP that is not', (t) => {
  for (const [text, fault] of [
    ['8088 0102 00000f00 deadbe', FAULTS.RTP_SHORT],
    ['4088 0102 00000f00 deadbeef', FAULTS.RTP_VERSION],
    ['8188 0102 00000f00 deadbeef', FAULTS.RTP_LENGTH],
    ['9088 0102 00000f00 deadbeef bede', FAULTS.RTP_LENGTH],
    ['9088 0102 00000f00 deadbeef bede0001', FAULTS.RTP_LENGTH],
    ['9088 0102 00000f00 deadbeef bede0000', 0],
  ] as const) {
    const { b, at, end } = poisoned(hex(text));
    t.is(rtp.check(b, at, end), fault, text);
  }
});

/** By hand: sender report without blocks, source description, goodbye without a source. */
const REPORT = '80c8 0006 deadbeef 0102030405060708 00000f00 00000001 00000002';
const COMPOUND = `${REPORT} 81ca 0003 deadbeef 0104 7465 7061 0000 80cb 0000`;
/** RFC 5506: feedback alone. */
const REDUCED = '81ce 0002 deadbeef 11111111';

standingTests('[RFC3550] RTCP', [COMPOUND, REDUCED], rtcp.check, (b, at, end) => {
  const seen: unknown[] = [];
  for (let i = at; i < end; i += rtcp.packetLength(b, i)) {
    seen.push([rtcp.hasPadding(b, i), rtcp.count(b, i), rtcp.packetType(b, i)]);
    if (rtcp.packetLength(b, i) >= 8) seen.push(rtcp.ssrc(b, i));
  }
  return seen;
});

test('[RFC3550] a compound of RTCP is walked to its end', (t) => {
  const { b, at, end } = poisoned(hex(COMPOUND));
  const types: number[] = [];
  for (let i = at; i < end; i += rtcp.packetLength(b, i)) types.push(rtcp.packetType(b, i));
  const { SR, SDES, BYE } = rtcp.PACKET_TYPES;
  t.deepEqual(types, [SR, SDES, BYE]);
  t.is(rtcp.ssrc(b, at), 0xdeadbeef);
  t.is(rtcp.count(b, at + 28), 1);
});

test('[RFC3550] RTCP that is not', (t) => {
  for (const [text, fault] of [
    ['80c8 00', FAULTS.RTP_SHORT],
    [`40${REPORT.slice(2)}`, FAULTS.RTP_VERSION],
    [`${REPORT} 40cb 0000`, FAULTS.RTP_VERSION],
    [`${REPORT} 80cb 0001`, FAULTS.RTP_LENGTH],
    [`${REPORT} 80cb`, FAULTS.RTP_LENGTH],
    // Padding on the last packet only, four octets at least.
    [`a0cb 0001 00000004`, 0],
    [`a0cb 0001 00000003`, FAULTS.RTP_LENGTH],
    [`a0cb 0001 00000000`, FAULTS.RTP_LENGTH],
    [`a0cb 0001 00000008`, FAULTS.RTP_LENGTH],
    [`a0cb 0001 00000004 80cb 0000`, FAULTS.RTP_LENGTH],
    [`a0cb 0000`, FAULTS.RTP_LENGTH],
  ] as const) {
    const { b, at, end } = poisoned(hex(text));
    t.is(rtcp.check(b, at, end), fault, text);
  }
});

test('[RFC7983] first octets of a UDP payload', (t) => {
  const { STUN, ZRTP, DTLS, TURN_CHANNEL, RTP, OTHER } = PAYLOADS;
  const wanted = (first: number) => {
    if (first <= 3) return STUN;
    if (first >= 16 && first <= 19) return ZRTP;
    if (first >= 20 && first <= 63) return DTLS;
    if (first >= 64 && first <= 79) return TURN_CHANNEL;
    return first >= 128 && first <= 191 ? RTP : OTHER;
  };
  for (let first = 0; first < 256; first++) {
    const { b, at, end } = poisoned(Uint8Array.of(first, 0));
    t.is(payloadKind(b, at, end), wanted(first), String(first));
  }
});

test('[RFC5761] RTCP is told from RTP by its second octet', (t) => {
  for (let second = 0; second < 256; second++) {
    const { b, at, end } = poisoned(Uint8Array.of(0x80, second, 0, 0));
    const wanted = second >= 192 && second <= 223 ? PAYLOADS.RTCP : PAYLOADS.RTP;
    t.is(payloadKind(b, at, end), wanted, String(second));
  }
});

test('[RFC7983] payloads of no octet and of one', (t) => {
  const b = hex('80c8');
  t.is(payloadKind(b, 0, 0), PAYLOADS.OTHER);
  t.is(payloadKind(b, 0, 1), PAYLOADS.RTP);
});
