/** Where media goes: c=, m=, a=rtcp, multiplexing, hold, codecs. */
import test from 'ava';
import { mediaAddresses, mediaKind } from '../../sdp/media.ts';
import { read } from '../../sdp/read.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { good, vector } from './vectors.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n';

function summary(input: Uint8Array | string) {
  return good(mediaAddresses(input)).map((m) => {
    const text = (e: typeof m.rtp) => (e === undefined ? '-' : formatEndpoint(e));
    const hold = m.hold ? ' hold' : '';
    return `${m.kind} ${m.transport} ${text(m.rtp)} ${text(m.rtcp)} ${m.mux} ${m.direction}${hold}`;
  });
}

const EXPECTED: ReadonlyArray<readonly [name: string, media: readonly string[]]> = [
  ['baresip', ['audio udp 192.0.2.2:20046 192.0.2.2:20047 none sendrecv']],
  ['baresip-ice', ['audio udp 192.0.2.2:20018 192.0.2.2:20019 none sendrecv']],
  ['sipp', ['audio udp 127.0.0.1:6000 127.0.0.1:6001 none sendrecv']],
  [
    'chrome',
    [
      'audio udp 192.168.0.196:46243 192.168.0.196:56280 offered sendrecv',
      'video udp - - offered sendrecv hold',
      'application udp - - none sendrecv hold',
    ],
  ],
  ['firefox', ['audio udp - - offered sendrecv hold', 'video udp - - only recvonly hold']],
  [
    'linphone',
    [
      'audio udp 192.168.1.7:7078 192.168.1.7:60101 none sendrecv',
      'video udp 192.168.1.7:9078 192.168.1.7:9079 none sendrecv',
    ],
  ],
  ['volte-offer', ['audio udp [2001:db8:a:b::1]:1234 [2001:db8:a:b::1]:1235 none sendrecv']],
  ['volte-answer', ['audio udp 10.1.2.3:30022 10.1.2.3:30023 none inactive']],
  ['t38', ['audio udp - - none sendrecv', 'image udp 10.0.0.9:4002 - none sendrecv']],
  ['msrp', ['message tcp 10.0.0.2:7654 - none sendrecv', 'message tcp 10.0.0.2:9 - none sendrecv']],
  [
    'several',
    [
      'audio udp 10.0.0.2:49170 10.0.0.2:49171 none sendrecv',
      'audio udp - - none inactive hold',
      'video udp - - none sendrecv',
      'video udp 10.0.0.3:51372 10.0.0.3:51373 none sendrecv',
      'audio udp - - none sendrecv',
      'application udp 10.0.0.2:32416 - none sendrecv',
    ],
  ],
];

for (const [name, media] of EXPECTED) {
  test(`[M-15] ${name}: media addresses`, (t) => {
    t.deepEqual(summary(vector(name)), media);
  });
}

test('[G-25] what RTP at an address is: by its m= line, unless lines are bundled', (t) => {
  const kinds = (...lines: readonly string[]) => {
    const sdp = good(read(`${HEAD}${lines.join('\r\n')}\r\n`));
    return sdp.media.map((m) => mediaKind(sdp, m));
  };
  const lines = [
    'm=audio 4000 RTP/AVP 0',
    'm=video 4002 RTP/AVP 96',
    'm=application 4004 UDP/DTLS/SCTP webrtc-datachannel',
    'm=message 4006 TCP/MSRP *',
    'm=image 4008 udptl t38',
    'm=constructor 4010 RTP/AVP 0',
  ];
  t.deepEqual(kinds(...lines), ['audio', 'video', 'other', 'other', undefined, undefined]);
  t.deepEqual(kinds('a=group:LS 1 2', ...lines.slice(0, 2)), ['audio', 'video']);
  t.deepEqual(kinds('a=group:BUNDLE 1 2', ...lines.slice(0, 2)), [undefined, undefined]);
});

test('[RFC3605] a=rtcp says another port or address', (t) => {
  const media = 'm=audio 4000 RTP/AVP 0\r\n';
  t.deepEqual(summary(`${HEAD}${media}a=rtcp:53020\r\n`), [
    'audio udp 10.0.0.2:4000 10.0.0.2:53020 none sendrecv',
  ]);
  t.deepEqual(summary(`${HEAD}${media}a=rtcp:53020 IN IP6 2001:db8::1\r\n`), [
    'audio udp 10.0.0.2:4000 [2001:db8::1]:53020 none sendrecv',
  ]);
  t.deepEqual(summary(`${HEAD}m=audio 65535 RTP/AVP 0\r\n`), [
    'audio udp 10.0.0.2:65535 - none sendrecv',
  ]);
});

test('[B8] an IPv6 group, which has no TTL to show it, is no media address', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ff15::101\r\n`;
  t.deepEqual(summary(text), ['audio udp - - none sendrecv']);
  const rtcp = `${HEAD}m=audio 4000 RTP/AVP 0\r\na=rtcp:4001 IN IP6 ff15::101\r\n`;
  t.deepEqual(summary(rtcp), ['audio udp 10.0.0.2:4000 - none sendrecv']);
});

test('codecs by payload type: dynamic with parameters, static without rtpmap', (t) => {
  const [volte] = good(mediaAddresses(vector('volte-offer')));
  t.deepEqual(
    [...(volte?.codecs ?? [])].map(([type, c]) => `${type} ${c.name}/${c.rate}/${c.channels}`),
    [
      '107 EVS/16000/1',
      '106 AMR-WB/16000/1',
      '105 AMR-WB/16000/1',
      '104 AMR/8000/1',
      '101 telephone-event/16000/1',
      '102 telephone-event/8000/1',
    ],
  );
  t.is(volte?.codecs.get(105)?.parameters, 'octet-align=1;mode-change-capability=2;max-red=220');
  const [plain] = good(mediaAddresses(`${HEAD}m=audio 4000 RTP/AVP 0 8 18 96\r\n`));
  t.deepEqual(
    [...(plain?.codecs ?? [])].map(([type, c]) => `${type} ${c.name}`),
    ['0 PCMU', '8 PCMA', '18 G729'],
  );
  const [counted] = good(mediaAddresses(`${HEAD}m=audio 4000/2 RTP/AVP 0\r\na=rtpmap:0 X/1\r\n`));
  t.like(counted, { count: 2 });
  t.like(counted?.codecs.get(0), { name: 'X', rate: 1 });
  const twice = 'a=rtpmap:0 X/1\r\na=rtpmap:0 Y/2\r\na=fmtp:0 x\r\na=fmtp:0 y\r\n';
  const [first] = good(mediaAddresses(`${HEAD}m=audio 4000 RTP/AVP 0\r\n${twice}`));
  t.like(first?.codecs.get(0), { name: 'X', parameters: 'x' });
});

test('[RFC9143] bundle groups by identification tag', (t) => {
  const chrome = good(mediaAddresses(vector('chrome')));
  t.deepEqual(
    chrome.map((m) => [m.mid, m.bundle?.join(' '), m.live]),
    [
      ['0', '0 1 2', true],
      ['1', '0 1 2', false],
      ['2', '0 1 2', false],
    ],
  );
});

test('a direction is a whole attribute, and that of the session when a media section has none', (t) => {
  const media = 'm=audio 4000 RTP/AVP 0\r\n';
  const text = `${HEAD}a=recvonly\r\n${media}a=sendonlyx\r\n${media}a=inactive\r\n`;
  t.deepEqual(
    good(mediaAddresses(text)).map((m) => m.direction),
    ['recvonly', 'inactive'],
  );
});
