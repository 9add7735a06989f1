/** Which addresses show the inside of a network, and where they are found (M-17). */
import test from 'ava';
import { readAddress } from '../../sdp/fields.ts';
import { isLoopback, isPrivate, privateAddressesLeft } from '../../sdp/private.ts';
import { good } from './vectors.ts';

const EDGES: ReadonlyArray<readonly [address: string, isOne: boolean]> = [
  ['9.255.255.255', false],
  ['10.0.0.0', true],
  ['10.255.255.255', true],
  ['11.0.0.0', false],
  ['100.63.255.255', false],
  ['100.64.0.0', true],
  ['100.127.255.255', true],
  ['100.128.0.0', false],
  ['127.0.0.1', false],
  ['169.254.0.0', true],
  ['169.253.255.255', false],
  ['172.15.255.255', false],
  ['172.16.0.0', true],
  ['172.31.255.255', true],
  ['172.32.0.0', false],
  ['192.168.0.0', true],
  ['192.169.0.0', false],
  ['2001:db8::1', false],
  ['fbff::1', false],
  ['fc00::1', true],
  ['fdff::1', true],
  ['fe7f::1', false],
  ['fe80::1', true],
  ['febf::1', true],
  ['fec0::1', false],
  ['::ffff:10.0.0.1', true],
  ['::ffff:8.8.8.8', false],
];

test('[M-17] private ranges, at their edges', (t) => {
  for (const [text, expected] of EDGES) {
    const address = readAddress(text);
    t.is(address && isPrivate(address), expected, text);
  }
});

test('[M-17] loopback', (t) => {
  const is = (text: string) => {
    const address = readAddress(text);
    return address !== undefined && isLoopback(address);
  };
  t.deepEqual(['127.9.9.9', '128.0.0.1', '::1', '::2', '1::1'].map(is), [
    true,
    false,
    true,
    false,
    false,
  ]);
});

test('[M-17] private addresses are found wherever they stand', (t) => {
  const text = `v=0
o=- 1 1 IN IP4 10.0.0.1
s=call from 10.0.0.2.
c=IN IP4 203.0.113.1
t=0 0
m=audio 4000 RTP/AVP 0
a=rtcp:4001 IN IP6 fd00::3
a=candidate:1 1 UDP 1 203.0.113.1 4000 typ srflx raddr 192.168.1.4 rport 1
a=candidate:1 1 UDP 1 fe80::5%eth0 4000 typ host
a=path:msrp://[fd00::6]:7/x;tcp msrp://a@10.0.0.7:8/y;tcp
a=ssrc:1 cname:fd00::8
a=ssrc:1 cname:a@10.0.0.9
a=fingerprint:sha-1 FD:00:00:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64
a=x:1.10.0.0.1 10.0.0.1.1 10.0.0.1000
m=video 0 RTP/AVP 31
c=IN IP4 10.0.0.10
`;
  t.deepEqual(
    good(privateAddressesLeft(text)).map((p) => `${p.line} ${p.field} ${p.address}`),
    [
      '2 o 10.0.0.1',
      '3 s 10.0.0.2',
      '7 a=rtcp fd00::3',
      '8 a=candidate 192.168.1.4',
      '9 a=candidate fe80::5',
      '10 a=path 10.0.0.7',
      '10 a=path fd00::6',
      '11 a=ssrc fd00::8',
      '12 a=ssrc 10.0.0.9',
      '16 c 10.0.0.10',
    ],
  );
});
