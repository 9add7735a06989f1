/** Descriptions by which no media flow show nothing of the network (M-17). */
import test from 'ava';
import { readAddress } from '../../sdp/fields.ts';
import { hide } from '../../sdp/hide.ts';
import { privateAddressesLeft } from '../../sdp/private.ts';
import { textOf } from '../sip/vectors.ts';

const CAPABILITIES = `v=0
o=alice 7 8 IN IP4 10.0.0.2
s=-
c=IN IP4 192.168.1.4
t=0 0
m=audio 4000 RTP/AVP 0
a=rtcp:4001 IN IP6 fd00::3
a=candidate:1 1 UDP 1 10.0.0.2 4000 typ host
a=candidate:2 1 UDP 1 203.0.113.1 4000 typ srflx raddr 192.168.1.4 rport 1
a=candidate:3 1 UDP 1 203.0.113.1 4002 typ host
a=sendrecv
m=message 2855 TCP/MSRP *
c=IN IP6 fe80::1
a=path:msrp://10.0.0.2:2855/x;tcp
`;

function hiddenText(text: string, shown?: string): string {
  const octets = hide(text, shown === undefined ? undefined : readAddress(shown));
  if ('type' in octets) throw new Error(octets.reason);
  return textOf(octets);
}

test('[M-17] no private address is left, and nothing else changes', (t) => {
  const text = hiddenText(CAPABILITIES);
  t.deepEqual(privateAddressesLeft(text), []);
  t.is(
    text,
    `v=0
o=alice 7 8 IN IP4 0.0.0.0
s=-
c=IN IP4 0.0.0.0
t=0 0
m=audio 4000 RTP/AVP 0
a=rtcp:4001 IN IP6 ::
a=candidate:2 1 UDP 1 203.0.113.1 4000 typ srflx raddr 0.0.0.0 rport 9
a=candidate:3 1 UDP 1 203.0.113.1 4002 typ host
a=sendrecv
m=message 2855 TCP/MSRP *
c=IN IP6 ::
`,
  );
});

test('[M-17] hold by 0.0.0.0 stays hold, with the origin that the call has shown', (t) => {
  const hold =
    'v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
  t.is(hiddenText(hold, '198.51.100.2'), hold.replace('10.0.0.2', '198.51.100.2'));
  const shown = hold.replace('10.0.0.2', '198.51.100.9');
  t.is(hiddenText(shown), shown);
});
