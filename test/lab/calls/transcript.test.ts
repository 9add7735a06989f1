import test from 'ava';
import type { CallMessage } from '../../../lab/calls/messages.ts';
import { mediaLines, transcript } from '../../../lab/calls/transcript.ts';

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 203.0.113.18',
  's=-',
  'c=IN IP4 203.0.113.18',
  't=0 0',
  'm=audio 30000 RTP/AVP 0',
  'a=ice-options:tep',
  'a=3gpp-tep:80 TCP',
  'a=sendonly',
  'm=video 0 RTP/AVP 96',
  '',
].join('\r\n');

test('media lines tell address, direction and marks', (t) => {
  t.deepEqual(
    mediaLines(SDP).map((line) => line.trim()),
    [
      'm=audio 203.0.113.18:30000 sendonly  ◆ a=ice-options:tep and a=3gpp-tep:80 TCP',
      'm=video refused',
    ],
  );
  t.deepEqual(
    mediaLines('m=').map((line) => line.trim()),
    ['an SDP that cannot be read'],
  );
});

test('a message is a line with the time since the first one, and the names of its hosts', (t) => {
  const message = (timeMs: number, title: string): CallMessage => ({
    timeMs,
    protocol: 'SIP',
    from: { address: '10.0.0.2', port: 5070 },
    to: { address: '203.0.113.10', port: 5060 },
    title,
    callId: 'x',
    sdp: undefined,
    text: title,
  });
  const names = (address: string) => (address === '10.0.0.2' ? 'ue' : undefined);
  t.deepEqual(
    transcript([message(1_000, 'REGISTER'), message(1_250, 'INVITE')], names).map((line) =>
      line.replaceAll(/ +/g, ' '),
    ),
    [
      ' 0.000 ue 10.0.0.2:5070 ▶ 203.0.113.10:5060 REGISTER',
      ' 0.250 ue 10.0.0.2:5070 ▶ 203.0.113.10:5060 INVITE',
    ],
  );
});
