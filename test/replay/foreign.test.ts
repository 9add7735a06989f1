/** Captures as others make them: what is in them besides one tidy call, and what is missing. */
import { readFileSync, truncateSync } from 'node:fs';
import test from 'ava';
import {
  newFile,
  replay,
  rtpPacket,
  Story,
  sdp,
  sipMessage,
  tcpPacket,
  udpPacket,
} from './story.ts';

const UE = '10.0.0.2:4000';
const UE_RTCP = '10.0.0.2:4001';
const MEDIA = '198.51.100.7:30000';
const MEDIA_RTCP = '198.51.100.7:30001';
const PROXY = '198.51.100.1:5060';
const UE_SIP = '10.0.0.2:5060';

function call(): Story {
  return new Story().rtp(UE, MEDIA, 6).rtp(MEDIA, UE, 6);
}

test('[M-11, M-14] RTP without signalling is found by its sequence numbers', async (t) => {
  const { status, total } = await call().replay();
  t.is(status, 0);
  t.like(total, { ue: ['10.0.0.2'], media: ['198.51.100.7'], uplink: 6, downlink: 6, carried: 12 });
});

test('RTCP is found on the ports next to RTP, and only there', async (t) => {
  const story = call().rtcp(UE_RTCP, MEDIA_RTCP).rtcp('10.0.0.2:9001', '198.51.100.7:9001');
  const { total } = await story.replay();
  t.like(total, { mediaPackets: 13, unrelated: 1, flows: 2 });
});

test('lost, repeated and late packets in the capture are no loss in the tunnel', async (t) => {
  const story = new Story();
  for (const n of [1, 2, 2, 5, 4, 6, 6, 7, 30, 31]) story.udp(UE, MEDIA, rtpPacket(n)).wait(20);
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { mediaPackets: 10, carried: 10, orderErrors: 0 });
});

test('every frame captured twice, as by a mirror port or on all interfaces', async (t) => {
  const story = new Story();
  for (const octets of call().octets) story.packet(octets).packet(octets).wait(20);
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { packets: 24, carried: 24 });
});

test('[M-15] several calls at once and one after the other, from ports used again', async (t) => {
  const story = new Story();
  for (let n = 0; n < 5; n++) {
    const ports = [4000, 4002].map((port) => `10.0.0.2:${port}`);
    for (const ue of ports) story.rtp(ue, `198.51.100.${7 + n}:30000`, 5, 1000 * n + 1, n + 1);
    for (const ue of ports) story.rtp(`198.51.100.${7 + n}:30000`, ue, 5, 1000 * n + 1, n + 9);
    story.wait(60_000);
  }
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { flows: 10, uplink: 50, downlink: 50, carried: 100, ue: ['10.0.0.2'] });
});

test('several UEs share the public address: where two have the same port, one gets another', async (t) => {
  const story = new Story().rtp('10.0.0.2:4000', MEDIA, 5).rtp('10.0.0.3:4000', MEDIA, 5);
  story.rtp(MEDIA, '10.0.0.2:4000', 5).rtp(MEDIA, '10.0.0.3:4000', 5);
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { ue: ['10.0.0.2', '10.0.0.3'], carried: 20 });
});

test('other traffic is passed over: DNS, QUIC, ESP in UDP, a text protocol, TCP, another IP protocol', async (t) => {
  const story = call();
  for (let i = 0; i < 20; i++) {
    const esp = Uint8Array.from([0x80, 1, 2, 3, 0, 0, 0, i, ...new Uint8Array(40).fill(i * 37)]);
    story.udp('10.0.0.2:53211', '9.9.9.9:53', Uint8Array.from([i, 77, 1, 0, 0, 1]));
    story.udp('10.0.0.2:50000', '192.0.2.9:443', new Uint8Array(1200).fill(0x40 + i));
    story.udp('10.0.0.2:4500', '192.0.2.10:4500', esp);
    story.udp(
      '10.0.0.2:1900',
      '192.0.2.11:1900',
      new TextEncoder().encode('NOTIFY * HTTP/1.1\r\n'),
    );
    story.tcp('10.0.0.2:50001', '192.0.2.12:443', Uint8Array.from([0x17, 3, 3, 0, 1, i]), 100 + i);
    story.packet(
      Uint8Array.from([0x45, 0, 0, 24, 0, 0, 0, 0, 64, 47, 0, 0, 10, 0, 0, 2, 9, 9, 9, 9]),
    );
    story.packet(Uint8Array.from([0x45]));
  }
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { mediaPackets: 12, unrelated: 140, flows: 1 });
});

test('[M-06, M-12] SDP in SIP names the media before any packet of them, and its new addresses fit', async (t) => {
  const offer = sipMessage('INVITE sip:a@example.net SIP/2.0', sdp('10.0.0.2', 4000));
  const answer = sipMessage('SIP/2.0 200 OK', sdp('198.51.100.7', 30_000));
  const story = new Story().sip(UE_SIP, PROXY, offer).sip(PROXY, UE_SIP, answer);
  story.udp(UE, MEDIA, Uint8Array.from([0])).udp(MEDIA, UE, Uint8Array.from([1, 2]));
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { descriptions: 2, mediaPackets: 2, tupleErrors: 0, ue: ['10.0.0.2'] });
});

test('[RFC3261] line ends before the first message of a connection are passed over', async (t) => {
  const text = sipMessage('INVITE sip:a@example.net SIP/2.0', sdp('10.0.0.2', 4000));
  const story = new Story().tcp(UE_SIP, PROXY, `\r\n\r\n${text}`, 1);
  const { total } = await story.udp(UE, MEDIA, Uint8Array.from([0])).replay();
  t.like(total, { descriptions: 1, mediaPackets: 1 });
});

test('SIP over TCP in several segments, with a repeated one, on an unusual port', async (t) => {
  const text = sipMessage('INVITE sip:a@example.net SIP/2.0', sdp('10.0.0.2', 4000));
  const story = new Story();
  const cuts = [0, 40, 150, text.length];
  for (const [i, cut] of cuts.slice(1).entries()) {
    const from = cuts[i] ?? 0;
    story.tcp('10.0.0.2:51000', '198.51.100.1:6066', text.slice(from, cut), 0xffff_ffa0 + from);
    story.tcp('10.0.0.2:51000', '198.51.100.1:6066', text.slice(from, cut), 0xffff_ffa0 + from);
  }
  const { total } = await story.udp(UE, MEDIA, Uint8Array.from([0])).replay();
  t.like(total, { descriptions: 1, mediaPackets: 1 });
});

test('[M-15] MSRP is found by its first line and carried as TCP, retransmissions too', async (t) => {
  const message = 'MSRP a786hjs2 SEND\r\nTo-Path: msrp://198.51.100.7:2856/s;tcp\r\n';
  const story = new Story().tcp('10.0.0.2:2855', '198.51.100.7:2856', '', 1);
  for (const sequence of [2, 2, 200]) {
    story.tcp('10.0.0.2:2855', '198.51.100.7:2856', message, sequence);
    story.tcp('198.51.100.7:2856', '10.0.0.2:2855', '', sequence);
  }
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { mediaPackets: 7, uplink: 4, downlink: 3, carried: 7 });
});

test('ICMP errors about media go both ways; those about other things stay', async (t) => {
  const story = call();
  story.icmpAbout(MEDIA, UE, udpPacket(UE, MEDIA, rtpPacket(7)));
  story.icmpAbout('203.0.113.1:1', UE, udpPacket(UE, MEDIA, rtpPacket(8)).subarray(0, 28));
  story.icmpAbout(UE, MEDIA, udpPacket(MEDIA, UE, rtpPacket(7)));
  story.icmpAbout('10.0.0.1:1', MEDIA, udpPacket(MEDIA, UE, rtpPacket(8)));
  story.icmpAbout('9.9.9.9:1', UE, udpPacket(UE, '9.9.9.9:53', rtpPacket(8)));
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { icmpErrors: 3, uplink: 7, downlink: 8, carried: 15, unrelated: 2 });
});

test('a checksum that was wrong in the capture stays wrong by as much, and is no error', async (t) => {
  const story = call();
  for (const [from, to] of [
    [UE, MEDIA],
    [MEDIA, UE],
  ] as const) {
    const octets = udpPacket(from, to, rtpPacket(7));
    octets[60] = (octets[60] ?? 0) ^ 0x55;
    story.packet(octets);
  }
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { carried: 14, damaged: 2, checksumErrors: 0 });
});

test('a wrong IPv4 header checksum: no host hands that on, so it is not carried', async (t) => {
  const octets = udpPacket(UE, MEDIA, rtpPacket(7));
  octets[10] = (octets[10] ?? 0) ^ 0x55;
  const { status, total } = await call().packet(octets).replay();
  t.is(status, 0);
  t.like(total, { mediaPackets: 12, damaged: 1, unrelated: 1 });
});

test('sums that the sending host left to its hardware are finished', async (t) => {
  const story = call();
  for (const octets of [udpPacket(UE, MEDIA, rtpPacket(7)), tcpPacket(UE, MEDIA, 'x')]) {
    const at = octets[9] === 17 ? 26 : 36;
    const transport = octets.length - 20;
    const words = [0x0a00, 0x0002, 0xc633, 0x6407, octets[9] ?? 0, transport];
    const sum = words.reduce((a, b) => a + b, 0);
    const folded = (sum & 0xffff) + (sum >>> 16);
    octets.set([0, 0], 10);
    octets.set([folded >> 8, folded & 0xff], at);
    story.packet(octets);
  }
  const { status, total } = await story.replay('--media', '198.51.100.7:30000');
  t.is(status, 0);
  t.like(total, { carried: 14, damaged: 0 });
});

test('an absent UDP checksum stays absent', async (t) => {
  const { status, total } = await call().udp(UE, MEDIA, rtpPacket(7), true).replay();
  t.is(status, 0);
  t.like(total, { carried: 13, damaged: 0 });
});

test('IPv6, and IPv4 media beside IPv6 media', async (t) => {
  const [ue, media] = ['[2001:db8:20::2]:4000', '[2001:db8:7::7]:30000'];
  const { status, total } = await call().rtp(ue, media, 5).rtp(media, ue, 5).replay();
  t.is(status, 0);
  t.like(total, { ue: ['10.0.0.2', '2001:db8:20::2'], carried: 22 });
});

test('calls on the loopback address, as on a test bench', async (t) => {
  const story = new Story().rtp('127.0.0.1:4000', '127.0.0.1:30000', 6);
  const { status, total } = await story.rtp('127.0.0.1:30000', '127.0.0.1:4000', 6).replay();
  t.is(status, 0);
  t.like(total, { uplink: 6, downlink: 6, carried: 12 });
});

test('time that jumps back, and a silence of a year', async (t) => {
  const story = call()
    .wait(-5_000)
    .rtp(UE, MEDIA, 5, 7)
    .wait(365 * 86_400_000);
  const { status, total } = await story.rtp(UE, MEDIA, 5, 12).replay();
  t.is(status, 0);
  t.like(total, { carried: 22 });
});

test('longest packets, and RTP with an empty payload', async (t) => {
  const header = rtpPacket(7).subarray(0, 12);
  const longest = new Uint8Array(65_507);
  longest.set(header);
  const { status, total } = await call().udp(UE, MEDIA, longest).udp(MEDIA, UE, header).replay();
  t.is(status, 0);
  t.like(total, { carried: 14 });
});

for (const [name, story, args, expected] of [
  ['nothing at all', new Story(), [], /no media found; name the UE with --ue ADDRESS/],
  ['three packets of RTP', new Story().rtp(UE, MEDIA, 3), [], /no media found; name/],
  [
    'RTP to a multicast group',
    new Story().rtp(UE, '239.1.2.3:5004', 9),
    [],
    /no media found but at multicast/,
  ],
  ['another UE', call(), ['--ue', '10.0.0.9'], /no media found that fits; name/],
  [
    'a public address that the capture has',
    call(),
    ['--public', '198.51.100.7'],
    /the public address is in the capture itself; give another with --public/,
  ],
] as const) {
  test(`one line tells what to do: ${name}`, async (t) => {
    const { status, err, total } = await story.replay(...args);
    t.is(status, 1);
    t.regex(err, expected);
    t.is(err.trim().split('\n').length, 1);
    t.is(total.mediaPackets, 0);
  });
}

test('--media takes every flow of these addresses, whatever it looks like; the other end is the UE', async (t) => {
  const story = new Story().udp(UE, MEDIA, Uint8Array.from([1])).udp(MEDIA, UE, new Uint8Array(3));
  story.udp(UE, '198.51.100.8:30000', Uint8Array.from([1]));
  const { status, total } = await story.replay('--media', '198.51.100.7:30000-30001');
  t.is(status, 0);
  t.like(total, { ue: ['10.0.0.2'], uplink: 1, downlink: 1, unrelated: 1 });
});

test('--ue turns the guess round, and --public gives another outside', async (t) => {
  const core = newFile('core.pcap');
  const args = ['--ue', '198.51.100.7', '--public', '192.0.2.33', '--core-out', core];
  const { status, total } = await call().replay(...args);
  t.is(status, 0);
  t.like(total, { ue: ['198.51.100.7'], media: ['10.0.0.2'], uplink: 6, downlink: 6 });
});

test('a capture that ends in the middle of a packet: the rest is replayed, and it is said', async (t) => {
  const file = call().write();
  truncateSync(file, readFileSync(file).length - 10);
  const { status, err, total } = await replay(file);
  t.is(status, 1);
  t.regex(err, /truncated at octet \d+/);
  t.like(total, { mediaPackets: 11, carried: 11, ok: false });
});
