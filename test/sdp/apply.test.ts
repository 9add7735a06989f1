/** Public addresses in offers and answers: rows M-06, M-15, M-17 and the rules of B8. */
import { Buffer } from 'node:buffer';
import test from 'ava';
import type { Mapping } from '../../sdp/addresses.ts';
import { type ApplyOptions, apply } from '../../sdp/apply.ts';
import { mediaAddresses } from '../../sdp/media.ts';
import { privateAddressesLeft } from '../../sdp/private.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { at, difference, good, latin1, map, vector } from './vectors.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n';

function changes(input: Uint8Array | string, mapping: Mapping, options?: ApplyOptions): string[] {
  const before = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  return difference(before, good(apply(before, mapping, options)).octets);
}

/** Every port of one address goes to another address, ports moved by `shift`. */
function shifted(to: string, shift: number) {
  const { family, address } = at(`${to.includes(':') ? `[${to}]` : to}:1`);
  return (local: Endpoint): Endpoint => ({ family, address, port: local.port + shift });
}

test('[M-06] baresip: c=, m= and o= change together, RTCP follows by port + 1', (t) => {
  const mapping = map('192.0.2.2:20046=198.51.100.7:5000', '192.0.2.2:20047=198.51.100.7:5001');
  t.deepEqual(changes(vector('baresip'), mapping), [
    '-o=- 2160498585 399643559 IN IP4 192.0.2.2',
    '-c=IN IP4 192.0.2.2',
    '-m=audio 20046 RTP/AVP 0 8 96 101',
    '+o=- 2160498585 399643559 IN IP4 198.51.100.7',
    '+c=IN IP4 198.51.100.7',
    '+m=audio 5000 RTP/AVP 0 8 96 101',
  ]);
});

test('[M-06] a=rtcp is written when RTCP is not at the next port', (t) => {
  const port = map('192.0.2.2:20046=198.51.100.7:5000', '192.0.2.2:20047=198.51.100.7:7001');
  t.true(changes(vector('baresip'), port).includes('+a=rtcp:7001'));
  const host = map('192.0.2.2:20046=198.51.100.7:5000', '192.0.2.2:20047=198.51.100.8:5001');
  t.true(changes(vector('baresip'), host).includes('+a=rtcp:5001 IN IP4 198.51.100.8'));
});

test('[M-06] baresip with ICE: default candidates become srflx and stay equal to c= and m=', (t) => {
  const mapping = map('192.0.2.2:20018=198.51.100.7:5000', '192.0.2.2:20019=198.51.100.7:5009');
  t.deepEqual(changes(vector('baresip-ice'), mapping), [
    '-o=- 3545420338 366616760 IN IP4 192.0.2.2',
    '-c=IN IP4 192.0.2.2',
    '-m=audio 20018 RTP/SAVPF 0 8 96 101',
    '-c=IN IP4 192.0.2.2',
    '-a=rtcp:20019 IN IP4 192.0.2.2',
    '-a=candidate:c0000202 1 UDP 2113929471 192.0.2.2 20018 typ host',
    '-a=candidate:c0000202 2 UDP 2113929470 192.0.2.2 20019 typ host',
    '-a=candidate:020000fd 1 UDP 2113929471 fd00::2 20018 typ host',
    '-a=candidate:020000fd 2 UDP 2113929470 fd00::2 20019 typ host',
    '+o=- 3545420338 366616760 IN IP4 198.51.100.7',
    '+c=IN IP4 198.51.100.7',
    '+m=audio 5000 RTP/SAVPF 0 8 96 101',
    '+c=IN IP4 198.51.100.7',
    '+a=rtcp:5009 IN IP4 198.51.100.7',
    '+a=candidate:c0000202 1 UDP 1677721855 198.51.100.7 5000 typ srflx raddr 0.0.0.0 rport 9',
    '+a=candidate:c0000202 2 UDP 1677721854 198.51.100.7 5009 typ srflx raddr 0.0.0.0 rport 9',
  ]);
});

test('[M-17] candidates that nobody can reach are removed, or kept when asked', (t) => {
  const mapping = map('192.0.2.2:20018=198.51.100.7:5000', '192.0.2.2:20019=198.51.100.7:5009');
  const kept = good(apply(vector('baresip-ice'), mapping, { privateCandidates: 'keep' }));
  t.is(latin1(kept.octets).split('fd00::2').length - 1, 2);
  t.deepEqual(
    good(privateAddressesLeft(kept.octets)).map((p) => `${p.line} ${p.field} ${p.address}`),
    ['27 a=candidate fd00::2', '28 a=candidate fd00::2'],
  );
  const removed = good(apply(vector('baresip-ice'), mapping));
  t.deepEqual(good(privateAddressesLeft(removed.octets)), []);
});

test('[M-06] Chrome: the bundle address changes, bundle-only m= lines with port 0 do not', (t) => {
  const mapping = map(
    '192.168.0.196:46243=203.0.113.5:6000',
    '192.168.0.196:56280=203.0.113.5:6011',
  );
  const before = vector('chrome');
  const applied = good(apply(before, mapping));
  t.deepEqual(applied.unmapped, []);
  t.deepEqual(difference(before, applied.octets), [
    '-m=audio 46243 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126',
    '-c=IN IP4 192.168.0.196',
    '-a=rtcp:56280 IN IP4 192.168.0.196',
    '-a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 network-id 1 network-cost 10',
    '-a=candidate:1467250027 2 udp 2122260222 192.168.0.196 56280 typ host generation 0 network-id 1 network-cost 10',
    '-a=candidate:435653019 1 tcp 1518280447 192.168.0.196 9 typ host tcptype active generation 0 network-id 1 network-cost 10',
    '-a=candidate:1853887674 1 udp 1686052607 198.51.100.61 36768 typ srflx raddr 192.168.0.196 rport 46243 generation 0 network-id 1 network-cost 10',
    '+m=audio 6000 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126',
    '+c=IN IP4 203.0.113.5',
    '+a=rtcp:6011 IN IP4 203.0.113.5',
    '+a=candidate:1467250027 1 udp 1686052607 203.0.113.5 6000 typ srflx raddr 0.0.0.0 rport 9 generation 0 network-id 1 network-cost 10',
    '+a=candidate:1467250027 2 udp 1686052606 203.0.113.5 6011 typ srflx raddr 0.0.0.0 rport 9 generation 0 network-id 1 network-cost 10',
    '+a=candidate:1853887674 1 udp 1686052607 198.51.100.61 36768 typ srflx raddr 0.0.0.0 rport 9 generation 0 network-id 1 network-cost 10',
  ]);
  t.deepEqual(good(privateAddressesLeft(applied.octets)), []);
});

test('[M-06] an application that knows its public address by STUN gets no candidate twice', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0
a=candidate:1 1 UDP 2130706431 10.0.0.2 4000 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.5 6000 typ srflx raddr 10.0.0.2 rport 4000
`.replace(/\r?\n/g, '\r\n');
  const applied = good(apply(text, map('10.0.0.2:4000=203.0.113.5:6000')));
  t.deepEqual(latin1(applied.octets).match(/a=candidate.*/g), [
    'a=candidate:2 1 UDP 1694498815 203.0.113.5 6000 typ srflx raddr 0.0.0.0 rport 9',
  ]);
  const own = text
    .replace('c=IN IP4 10.0.0.2', 'c=IN IP4 203.0.113.5')
    .replace('4000 RTP', '6000 RTP');
  const mapping = map('10.0.0.2:4000=203.0.113.5:6000', '10.0.0.2:4001=203.0.113.5:6001');
  t.deepEqual(
    good(apply(own, mapping)).unmapped.map((u) => u.component),
    [],
  );
});

test('[M-06] Firefox: trickle with 0.0.0.0 and names has nothing to change', (t) => {
  const before = vector('firefox');
  const applied = good(apply(before, shifted('203.0.113.5', 10)));
  t.false(applied.changed);
  t.is(latin1(applied.octets), latin1(before));
});

test('[B8] BUNDLE answer: one port stays one port', (t) => {
  const before = vector('bundle-answer');
  let asked = 0;
  const mapping = (local: Endpoint) => {
    asked += 1;
    return local.port === 4000 ? at(`203.0.113.5:${7000 + asked}`) : undefined;
  };
  const applied = good(apply(before, mapping, { kind: 'answer' }));
  t.deepEqual(
    good(mediaAddresses(applied.octets)).map((m) => m.rtp && formatEndpoint(m.rtp)),
    ['203.0.113.5:7001', '203.0.113.5:7001'],
  );
  t.deepEqual(applied.unmapped, []);
  t.deepEqual(good(privateAddressesLeft(applied.octets)), []);
});

test('[B8] rtcp-mux: an answer needs no a=rtcp, an offer tells the port nevertheless', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n`;
  const mapping = map('10.0.0.2:4000=203.0.113.5:6000', '10.0.0.2:4001=203.0.113.5:6777');
  t.true(changes(text, mapping, { kind: 'offer' }).includes('+a=rtcp:6777'));
  t.false(changes(text, mapping, { kind: 'answer' }).some((line) => /a=rtcp:/.test(line)));
  const only = text.replace('rtcp-mux', 'rtcp-mux\r\na=rtcp-mux-only');
  t.false(changes(only, mapping, { kind: 'offer' }).some((line) => /a=rtcp:/.test(line)));
});

test('[B8] with rtcp-mux a present a=rtcp that has no port of its own follows RTP', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp:4000 IN IP4 10.0.0.2\r\n`;
  const mapping = map('10.0.0.2:4000=203.0.113.5:6000');
  t.true(changes(text, mapping).includes('+a=rtcp:6000 IN IP4 203.0.113.5'));
  t.true(
    changes(text.replace('rtcp:4000', 'rtcp:4001'), mapping).includes(
      '+a=rtcp:6000 IN IP4 203.0.113.5',
    ),
  );
});

test('[B8] Linphone: a=rtcp with a port of its own, IPv4 into IPv6', (t) => {
  const applied = good(apply(vector('linphone'), shifted('2001:db8::9', 1000)));
  const text = latin1(applied.octets);
  t.regex(text, /^o=alice 2890 1890 IN IP6 2001:db8::9\r$/m);
  t.regex(text, /^c=IN IP6 2001:db8::9\r$/m);
  t.regex(text, /^a=rtcp:61101 IN IP6 2001:db8::9\r$/m);
  t.regex(text, /^a=candidate:1 2 UDP \d+ 2001:db8::9 61101 typ srflx raddr :: rport 9\r$/m);
  t.regex(text, /^m=video 10078 RTP\/AVPF 96\r$/m);
  t.deepEqual(good(privateAddressesLeft(applied.octets)), []);
});

test('[M-17] VoLTE offer over IPv6: only addresses and port change', (t) => {
  const mapping = map(
    '[2001:db8:a:b::1]:1234=[2001:db8:ffff::5]:50000',
    '[2001:db8:a:b::1]:1235=[2001:db8:ffff::5]:50001',
  );
  t.deepEqual(changes(vector('volte-offer'), mapping), [
    '-o=SAMSUNG-IMS-UE 1234567 0 IN IP6 2001:db8:a:b::1',
    '-c=IN IP6 2001:db8:a:b::1',
    '-m=audio 1234 RTP/AVP 107 106 105 104 101 102',
    '+o=SAMSUNG-IMS-UE 1234567 0 IN IP6 2001:db8:ffff::5',
    '+c=IN IP6 2001:db8:ffff::5',
    '+m=audio 50000 RTP/AVP 107 106 105 104 101 102',
  ]);
});

test('[B8] VoLTE answer: c= of the session, which nobody uses, hides the network too', (t) => {
  const applied = good(apply(vector('volte-answer'), shifted('203.0.113.5', 0)));
  t.deepEqual(good(privateAddressesLeft(applied.octets)), []);
  t.is(latin1(applied.octets).match(/c=IN IP4 203\.0\.113\.5/g)?.length, 2);
});

test('[B8] fax: a refused m= line stays, udptl has no RTCP', (t) => {
  t.deepEqual(changes(vector('t38'), map('10.0.0.9:4002=203.0.113.5:9002')), [
    '-o=fax 1 2 IN IP4 10.0.0.9',
    '-c=IN IP4 10.0.0.9',
    '-m=image 4002 udptl t38',
    '+o=fax 1 2 IN IP4 203.0.113.5',
    '+c=IN IP4 203.0.113.5',
    '+m=image 9002 udptl t38',
  ]);
});

test('[B8] SDES: keys stay', (t) => {
  const after = good(apply(vector('sdes'), shifted('203.0.113.5', 2))).octets;
  t.deepEqual(latin1(after).match(/a=crypto.*/g), latin1(vector('sdes')).match(/a=crypto.*/g));
});

test('[B8] MSRP: only the own URI of the path; an end that only connects keeps port 9', (t) => {
  const mapping = [
    { local: at('10.0.0.2:7654'), public: at('203.0.113.5:20000'), transport: 'tcp' as const },
  ];
  const applied = good(apply(vector('msrp'), mapping));
  t.deepEqual(difference(vector('msrp'), applied.octets), [
    '-o=bob 2890844526 2890844526 IN IP4 10.0.0.2',
    '-c=IN IP4 10.0.0.2',
    '-m=message 7654 TCP/MSRP *',
    '-a=path:msrps://relay.example.net:2855/ab;tcp msrp://bob@10.0.0.2:7654/jshA7weztas;tcp',
    '-a=path:msrp://10.0.0.2:9/zz81;tcp',
    '+o=bob 2890844526 2890844526 IN IP4 203.0.113.5',
    '+c=IN IP4 203.0.113.5',
    '+m=message 20000 TCP/MSRP *',
    '+a=path:msrps://relay.example.net:2855/ab;tcp msrp://bob@203.0.113.5:20000/jshA7weztas;tcp',
    '+a=path:msrp://203.0.113.5:9/zz81;tcp',
  ]);
  t.deepEqual(applied.unmapped, []);
  const udp = mapping.map((one) => ({ ...one, transport: 'udp' as const }));
  t.false(good(apply(vector('msrp'), udp)).changed);
  const [audio] = map('10.0.0.2:4000=203.0.113.5:6000');
  const overTcp = audio === undefined ? [] : [{ ...audio, transport: 'tcp' as const }];
  t.false(good(apply(`${HEAD}m=audio 4000 RTP/AVP 0\r\n`, overTcp)).changed);
  const v6 = [{ local: at('10.0.0.2:7654'), public: at('[2001:db8::5]:20000') }];
  t.regex(
    latin1(good(apply(vector('msrp'), v6)).octets),
    /msrp:\/\/bob@\[2001:db8::5\]:20000\/jsh/,
  );
});

test('[B8] MSRP: a path alone is rewritten when the port of m= is that of nobody', (t) => {
  const media = 'm=message 2855 TCP/MSRP *\r\n';
  const path = 'a=path:msrp://10.0.0.2:7654/x;tcp\r\n';
  t.deepEqual(changes(`${HEAD}${media}${path}`, map('10.0.0.2:7654=203.0.113.5:7000')), [
    '-o=- 1 1 IN IP4 10.0.0.2',
    '-a=path:msrp://10.0.0.2:7654/x;tcp',
    '+o=- 1 1 IN IP4 203.0.113.5',
    '+a=path:msrp://203.0.113.5:7000/x;tcp',
  ]);
});

test('[B8] a=rtcp of a host whose RTP stays where it is says its address', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\na=rtcp:4001\r\n`;
  t.deepEqual(changes(text, map('10.0.0.2:4001=203.0.113.5:7001')), [
    '-o=- 1 1 IN IP4 10.0.0.2',
    '-a=rtcp:4001',
    '+o=- 1 1 IN IP4 203.0.113.5',
    '+a=rtcp:7001 IN IP4 203.0.113.5',
  ]);
  const none = text.replace('c=IN IP4 10.0.0.2\r\n', '').replace('4001', '4001 IN IP4 10.0.0.2');
  t.true(
    changes(none, map('10.0.0.2:4001=203.0.113.5:7001')).includes(
      '+a=rtcp:7001 IN IP4 203.0.113.5',
    ),
  );
});

test('[B8] an end that only connects may stand before the m= line that shows its host', (t) => {
  const text = `${HEAD}m=audio 9 TCP/RTP/AVP 0\r\na=setup:active\r\nm=audio 4000 RTP/AVP 0\r\n`;
  const applied = good(apply(text, shiftedFrom(4000)));
  t.deepEqual(
    good(mediaAddresses(applied.octets)).map((m) => m.rtp && formatEndpoint(m.rtp)),
    ['203.0.113.5:9', '203.0.113.5:5000'],
  );
});

function shiftedFrom(lowest: number) {
  const to = shifted('203.0.113.5', 1000);
  return (local: Endpoint) => (local.port < lowest ? undefined : to(local));
}

test('[B8] several media: counts, hold, refused, multicast and two hosts', (t) => {
  const mapping = (local: Endpoint) =>
    local.address.join('.') === '10.0.0.2'
      ? at(`203.0.113.5:${local.port}`)
      : at(`203.0.113.6:${local.port + 100}`);
  const before = vector('several');
  const applied = good(apply(before, mapping));
  t.deepEqual(difference(before, applied.octets), [
    '-o=- 12345678901234567890 007 IN IP4 10.0.0.2',
    '-c=IN IP4 10.0.0.2',
    '-m=video 51372 RTP/AVP 99',
    '-c=IN IP4 10.0.0.3',
    '-c=IN IP4 10.0.0.3',
    '+o=- 12345678901234567890 007 IN IP4 203.0.113.5',
    '+c=IN IP4 203.0.113.5',
    '+m=video 51472 RTP/AVP 99',
    '+c=IN IP4 203.0.113.6',
    '+c=IN IP4 203.0.113.6',
  ]);
  t.deepEqual(
    good(privateAddressesLeft(applied.octets)).map((p) => `${p.line} ${p.field}`),
    ['27 c'],
    'only the refused m= line has one left',
  );
  t.notRegex(latin1(applied.octets).slice(-2), /[\r\n]/);
});

test('[B8] m= lines of one session c= that go to different addresses', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\nb=AS:64\r\nm=video 4002 RTP/AVP 99\r\ni=v\r\na=x\r\n`;
  const both = map(
    '10.0.0.2:4000=203.0.113.5:4000',
    '10.0.0.2:4001=203.0.113.5:4001',
    '10.0.0.2:4002=203.0.113.6:4002',
    '10.0.0.2:4003=203.0.113.6:4003',
  );
  const after = latin1(good(apply(text, both)).octets);
  t.regex(after, /^c=IN IP4 203\.0\.113\.5\r\nt=0 0/m);
  t.true(after.endsWith('m=video 4002 RTP/AVP 99\r\ni=v\r\nc=IN IP4 203.0.113.6\r\na=x\r\n'));
  // Only one goes through the tunnel: the other still needs the session's c=.
  const one = latin1(good(apply(text, both.slice(2))).octets);
  t.true(one.includes('c=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nb=AS:64\r\n'));
  t.true(one.includes('i=v\r\nc=IN IP4 203.0.113.6\r\n'));
});

test('[B8] port/count needs every pair to follow in public, and is named when it does not', (t) => {
  const text = `${HEAD}m=audio 4000/2 RTP/AVP 0\r\n`;
  const right = map('10.0.0.2:4000=203.0.113.5:6000', '10.0.0.2:4002=203.0.113.5:6002');
  t.true(changes(text, right).includes('+m=audio 6000/2 RTP/AVP 0'));
  const wrong = map('10.0.0.2:4000=203.0.113.5:6000', '10.0.0.2:4002=203.0.113.5:7002');
  const applied = good(apply(text, wrong));
  t.false(applied.changed);
  t.like(applied.unmapped[0], { media: 0, line: 6, component: 'rtp' });
  t.false(good(apply(text.replace('/2', '/65535'), shifted('203.0.113.5', 0))).changed);
});

test('[B8] what the mapping does not know is named', (t) => {
  const applied = good(apply(vector('baresip'), map('192.0.2.2:20046=198.51.100.7:5000')));
  t.deepEqual(
    applied.unmapped.map((u) => [u.media, u.line, u.component, formatEndpoint(u.local)]),
    [[0, 7, 'rtcp', '192.0.2.2:20047']],
  );
  const none = good(apply(vector('baresip'), []));
  t.false(none.changed);
  t.is(latin1(none.octets), latin1(vector('baresip')));
});

test('[B8] remote candidates are rewritten where they are mapped (a description towards the UE)', (t) => {
  const back = map('192.0.2.1:5000=10.0.0.2:4000', '203.0.113.9:50000=203.0.113.10:50000');
  const after = latin1(good(apply(vector('tep-answer'), back)).octets);
  t.regex(after, /a=remote-candidates:1 10\.0\.0\.2 4000 2 192\.0\.2\.1 5001\r/);
});

test('[M-17] a candidate with a zone shows the network and goes; unknown extensions stay', (t) => {
  const after = latin1(
    good(apply(vector('tep-answer'), map('203.0.113.9:50000=192.0.2.9:50000'))).octets,
  );
  t.notRegex(after, /fe80/);
  t.regex(after, /192\.0\.2\.9 50000 typ srflx raddr 0\.0\.0\.0 rport 9 tep 80\r/);
  t.regex(after, /203\.0\.113\.9 80 typ host tcptype passive tep v1\r/);
});

test('[B8] the version of o= rises only when asked and something changed, with all its digits', (t) => {
  const text = HEAD.replace('1 1 IN', '1 12345678901234567890 IN');
  const media = 'm=audio 4000 RTP/AVP 0\r\n';
  const mapping = map('10.0.0.2:4000=203.0.113.5:6000');
  const raised = changes(text + media, mapping, { raiseVersion: true });
  t.true(raised.includes('+o=- 1 12345678901234567891 IN IP4 203.0.113.5'));
  t.deepEqual(changes(text + media, [], { raiseVersion: true }), []);
});

test('[B8] o= and c= of loopback or a name stay', (t) => {
  const text = HEAD.replace('o=- 1 1 IN IP4 10.0.0.2', 'o=- 1 1 IN IP4 host.example');
  const mapping = map('10.0.0.2:4000=203.0.113.5:6000');
  t.false(changes(`${text}m=audio 4000 RTP/AVP 0\r\n`, mapping).some((line) => /^.o=/.test(line)));
  t.false(changes(vector('chrome'), shifted('203.0.113.5', 0)).some((line) => /^.o=/.test(line)));
});

test('a mapping that gives no address is our own mistake', (t) => {
  for (const to of [
    { family: 4, address: Uint8Array.of(1, 2, 3), port: 5 },
    { family: 6, address: Uint8Array.of(1, 2, 3, 4), port: 5 },
    { family: 4, address: Uint8Array.of(1, 2, 3, 4), port: 0 },
    { family: 4, address: Uint8Array.of(1, 2, 3, 4), port: 70_000 },
  ] as const) {
    t.throws(() => apply(vector('baresip'), () => to), { instanceOf: RangeError });
  }
});
