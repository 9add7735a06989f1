/** The parts by which media are found in a capture. */
import test from 'ava';
import { FlowTable, NO_FLOW } from '../../cli/replay/flow-table.ts';
import { Flows } from '../../cli/replay/flows.ts';
import { parseMediaRule } from '../../cli/replay/media-rule.ts';
import { RtpEvidence } from '../../cli/replay/rtp-evidence.ts';
import { looksLikeSip, readSip, SipStreams } from '../../cli/replay/sip-messages.ts';
import { WhichEnd } from '../../cli/replay/which-end.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { seededRandom } from '../sim/random.ts';
import { rtpPacket, sdp, sipMessage, udpPacket } from './story.ts';

test('flow table: one number for both directions, which are told apart', (t) => {
  const table = new FlowTable();
  const flows = Array.from({ length: 3000 }, (_, i) => {
    const six = i % 3 === 0;
    const ue = six ? `[2001:db8::${(i % 700).toString(16)}]` : `10.0.${i % 7}.${i % 200}`;
    return [`${ue}:${1 + i}`, six ? '[2001:db8:7::7]:443' : '198.51.100.7:443'] as const;
  });
  for (const [i, [from, to]] of flows.entries()) {
    const { b, view } = packet(from, to);
    t.is(table.find(b, view), NO_FLOW);
    table.add(b, view, i);
  }
  t.is(table.size, 3000);
  for (const [i, [from, to]] of flows.entries()) {
    const there = packet(from, to);
    t.is(table.find(there.b, there.view), i);
    const { reversed } = table;
    const back = packet(to, from);
    t.is(table.find(back.b, back.view), i);
    t.is(table.reversed, !reversed);
  }
  const other = packet('10.0.0.1:65000', '198.51.100.7:443');
  t.is(table.find(other.b, other.view), NO_FLOW);
});

test('flow table: ends of the same address are told apart by their ports', (t) => {
  const table = new FlowTable();
  table.addEnds(17, endpoint('127.0.0.1:9000'), endpoint('127.0.0.1:8000'), 5);
  t.true(table.reversed);
  const { b, view } = packet('127.0.0.1:8000', '127.0.0.1:9000');
  t.is(table.find(b, view), 5);
  t.false(table.reversed);
  t.throws(() => table.add(b, view, 6), { instanceOf: RangeError });
});

test('flows without a sign of media are forgotten, those with one stay', (t) => {
  const flows = new Flows();
  const first = packet('10.0.0.2:4000', '198.51.100.7:30000');
  flows.keep(flows.of(first.b, first.view), first.b, first.view);
  const { b, view } = packet('10.0.0.0:53', '9.9.9.9:53');
  for (let i = 0; i < 100_000; i++) {
    b.set([i >> 16, i >> 8, i], view.sourceAt + 1);
    flows.of(b, view);
  }
  t.is(flows.kept.length, 1);
  t.true(flows.known.length <= 32_769);
  flows.of(first.b, first.view);
  t.false(flows.fresh);
});

for (const [name, sequences, proven] of [
  ['four in a row', [10, 11, 12, 13], true],
  ['three', [10, 11, 12], false],
  ['across the wrap', [65_534, 65_535, 0, 1], true],
  ['with losses', [10, 13, 20, 60], true],
  ['repeated only', [10, 10, 10, 10, 10, 10], false],
  ['with late ones in between', [10, 12, 11, 13, 12, 14], true],
  ['jumping about', [10, 5000, 100, 9000, 40_000, 2], false],
] as const) {
  test(`RTP is ${proven ? '' : 'not '}proven by sequence numbers: ${name}`, (t) => {
    const evidence = new RtpEvidence();
    for (const n of sequences) {
      const b = rtpPacket(n);
      evidence.see(b, 0, b.length);
    }
    t.is(evidence.proven, proven);
  });
}

test('RTP: two streams in turn prove nothing, each by itself does', (t) => {
  const evidence = new RtpEvidence();
  for (let n = 0; n < 20; n++) evidence.see(rtpPacket(n, 1 + (n % 2)), 0, 172);
  t.false(evidence.proven);
});

test('random octets are not taken for RTP', (t) => {
  const random = seededRandom(3);
  const evidence = new RtpEvidence();
  for (let n = 0; n < 10_000; n++) {
    const b = random.octets(60);
    b[0] = 0x80;
    evidence.see(b, 0, b.length);
  }
  t.false(evidence.proven);
});

const INVITE = sipMessage('INVITE sip:a@example.net SIP/2.0', sdp('10.0.0.2', 4000));

test('SIP: method and description of a request; of a response only the description', (t) => {
  const request = read(INVITE);
  t.is(request?.method, 'INVITE');
  t.is(new TextDecoder().decode(request?.sdp), sdp('10.0.0.2', 4000));
  const response = read('SIP/2.0 180 Ringing\r\nl: 0\r\n\r\n');
  t.deepEqual(response, { method: undefined, sdp: undefined, length: 29 });
});

test('SIP: compact names, white space, a part of a multipart body', (t) => {
  const body = `--x1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x1\r\nc: application/sdp\r\n\r\nv=0\r\n\r\n--x1--`;
  const head = 'UPDATE sip:a SIP/2.0\r\nc : multipart/mixed; boundary="x1"\r\nl:\t';
  const message = read(`${head}${body.length}\r\n\r\n${body}`);
  t.is(new TextDecoder().decode(message?.sdp), 'v=0\r\n');
});

for (const length of ['-5', '1e1', '', 'x', '99999999999', '7']) {
  test(`SIP: a message with Content-Length ${length} is none, or not all there`, (t) => {
    t.is(read(`BYE sip:a SIP/2.0\r\nContent-Length: ${length}\r\n\r\nabc`), undefined);
  });
}

test('SIP: every prefix of a message is not one yet', (t) => {
  for (let n = 0; n < INVITE.length; n++) t.is(read(INVITE.slice(0, n)), undefined, `${n}`);
});

for (const text of [
  'GET / HTTP/1.1\r\n\r\n',
  'INVITE sip:a SIP/3.0\r\n\r\n',
  'MSRP 1 SEND\r\n\r\n',
]) {
  test(`not SIP: ${text.trim()}`, (t) => {
    const b = new TextEncoder().encode(text);
    t.false(looksLikeSip(b, 0, b.length));
  });
}

test('SIP over TCP: every cut into two segments, and two messages in one', (t) => {
  const b = new TextEncoder().encode(`${INVITE}\r\n\r\n${INVITE}`);
  const firstLine = INVITE.indexOf('\r\n') + 1;
  for (let cut = firstLine; cut < b.length; cut++) {
    const streams = new SipStreams();
    const before = streams.take('k', 5, b, 0, cut);
    const after = streams.take('k', 5 + cut, b, cut, b.length);
    t.is(before.length + after.length, 2, `${cut}`);
  }
});

test('SIP over TCP: a missing segment ends the message, the next one is read again', (t) => {
  const b = new TextEncoder().encode(INVITE);
  const streams = new SipStreams();
  t.is(streams.take('k', 0, b, 0, 100).length, 0);
  t.is(streams.take('k', 150, b, 150, b.length).length, 0);
  t.is(streams.take('k', b.length, b, 0, b.length).length, 1);
});

test('SIP over TCP: of the streams whose message is not whole yet, the newest 64 are kept', (t) => {
  const b = new TextEncoder().encode(INVITE);
  const streams = new SipStreams();
  const keys = Array.from({ length: 500 }, (_, i) => String(i));
  for (const key of keys) streams.take(key, 0, b, 0, 100);
  const whole = keys.filter((key) => streams.take(key, 100, b, 100, b.length).length === 1);
  t.deepEqual(whole, keys.slice(-64));
});

test('SIP over TCP: ten thousand seeded mutations, no exception', (t) => {
  const random = seededRandom(9);
  const streams = new SipStreams();
  for (let i = 0; i < 10_000; i++) {
    const b = new TextEncoder().encode(INVITE);
    for (let n = 0; n < 3; n++) b[random.below(b.length)] = random.below(256);
    streams.take(String(i % 500), i, b, 0, random.below(b.length + 1));
    readSip(b, 0, b.length);
  }
  t.pass();
});

test('--media: prefixes, ports, IPv6 in brackets', (t) => {
  const inside = (rule: string, text: string) => parseMediaRule(rule)?.contains(endpoint(text));
  t.true(inside('198.51.100.0/24', '198.51.100.9:1'));
  t.false(inside('198.51.100.0/24', '198.51.101.9:1'));
  t.true(inside('198.51.100.7:20000-20100', '198.51.100.7:20100'));
  t.false(inside('198.51.100.7:20000-20100', '198.51.100.7:20101'));
  t.false(inside('198.51.100.7:5004', '198.51.100.7:5005'));
  t.true(inside('2001:db8::/32', '[2001:db8::1]:9'));
  t.true(inside('[2001:db8::/32]:7-9', '[2001:db8::1]:9'));
  t.false(inside('[2001:db8::1]:7', '[2001:db8::1]:9'));
  for (const wrong of [
    '',
    'x',
    '1.2.3',
    '1.2.3.4:0',
    '1.2.3.4:9-8',
    '1.2.3.4:70000',
    '1.2.3.4:',
    '[::1',
  ]) {
    t.is(parseMediaRule(wrong), undefined, wrong);
  }
});

const NOBODY = { ue: undefined, media: undefined };

for (const [name, ends, decide, ue] of [
  ['the address given', ['8.8.8.8:1', '9.9.9.9:2'], { ue: parsePrefix('9.9.9.9') }, '9.9.9.9:2'],
  [
    'the other end than the media address given',
    ['8.8.8.8:1', '9.9.9.9:2'],
    { media: parseMediaRule('9.9.9.9') },
    '8.8.8.8:1',
  ],
  ['what the host sent itself', ['8.8.8.8:1', '10.0.0.1:2'], { sent: '8.8.8.8:1' }, '8.8.8.8:1'],
  ['the private address', ['8.8.8.8:1', '10.0.0.1:2'], {}, '10.0.0.1:2'],
  ['who is in more flows', ['8.8.8.8:1', '9.9.9.9:2'], { more: '9.9.9.9:7' }, '9.9.9.9:2'],
  ['who registers', ['8.8.8.8:1', '9.9.9.9:2'], { registers: '9.9.9.9' }, '9.9.9.9:2'],
  ['who calls', ['8.8.8.8:1', '9.9.9.9:2'], { calls: '9.9.9.9' }, '9.9.9.9:2'],
  ['who sends first', ['9.9.9.9:2', '8.8.8.8:1'], {}, '9.9.9.9:2'],
] as const) {
  test(`the UE is ${name}`, (t) => {
    const hints: Hints = decide;
    const flows = new Flows();
    const of = (from: string, to: string) => {
      const { b, view } = packet(from, to);
      return flows.of(b, view);
    };
    const flow = of(ends[0], ends[1]);
    if (hints.sent !== undefined) flow.sent[flow.ends[0].port === 1 ? 0 : 1] += 1;
    const all = [flow, ...(hints.more === undefined ? [] : [of(hints.more, '7.7.7.7:7')])];
    const signalling = new Map([
      [hints.registers ?? '', { registered: true, firstOffer: Number.POSITIVE_INFINITY }],
      [hints.calls ?? '', { registered: false, firstOffer: 0 }],
    ]);
    const which = new WhichEnd({ ...NOBODY, ...hints }, signalling, all);
    const side = which.of(flow);
    t.deepEqual(side === undefined ? undefined : flow.ends[side], endpoint(ue));
  });
}

interface Hints {
  readonly ue?: ReturnType<typeof parsePrefix>;
  readonly media?: ReturnType<typeof parseMediaRule>;
  readonly sent?: string;
  readonly more?: string;
  readonly registers?: string;
  readonly calls?: string;
}

function read(text: string) {
  const b = new TextEncoder().encode(text);
  return readSip(b, 0, b.length);
}

function packet(from: string, to: string): { b: Uint8Array; view: PacketView } {
  const b = udpPacket(from, to, new Uint8Array(1));
  const view = new PacketView();
  if (readPacket(view, b, 0, b.length) !== 0) throw new RangeError('packet');
  return { b, view };
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
