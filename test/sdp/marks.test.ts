/** The TEP marks in SDP: tep-wire 8, rows M-03 and M-04. */
import test from 'ava';
import { advertise, type Mark, strip, tepMarks } from '../../sdp/marks.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { at, difference, good, latin1, NAMES, vector } from './vectors.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n';
const PLAIN: Mark = { port: 80, transport: 'TCP' };
const V6 = at('[2001:db8::53]:1');

for (const name of NAMES.filter((one) => one !== 'tep-answer')) {
  for (const mark of [PLAIN, { port: 443, transport: 'TLS', address: V6 } as const]) {
    test(`[M-03] ${name}: ${mark.transport} marks go in and come out without a trace`, (t) => {
      const before = vector(name);
      const marked = good(advertise(before, mark));
      const live = good(tepMarks(marked)).filter((m) => m.live);
      t.true(live.length > 0);
      for (const m of live) {
        t.is(m.token, 'media');
        t.deepEqual(
          m.mark,
          mark.transport === 'TCP' ? mark : { ...mark, address: m.mark?.address },
        );
        t.true(m.marked);
      }
      t.false(good(tepMarks(marked)).some((m) => !m.live && m.token !== undefined));
      t.deepEqual(good(advertise(marked, mark)), marked, 'said twice');
      t.is(latin1(good(strip(marked))), latin1(before));
    });
  }

  test(`[M-04] ${name}: without marks nothing is said and nothing is stripped`, (t) => {
    const before = vector(name);
    for (const m of good(tepMarks(before))) {
      t.like(m, { token: undefined, mark: undefined, marked: false, listener: undefined });
    }
    t.is(latin1(good(strip(before))), latin1(before));
    t.is(latin1(good(advertise(before, []))), latin1(before));
  });
}

test("[M-03] the token joins the m= line's own list", (t) => {
  const text = `${HEAD}a=ice-options:ice2\r\nm=audio 4000 RTP/AVP 0\r\na=ice-options:trickle\r\na=sendrecv\r\n`;
  const marked = good(advertise(text, PLAIN));
  t.deepEqual(difference(Buffer.from(text), marked), [
    '-a=ice-options:trickle',
    '+a=ice-options:trickle tep',
    '+a=3gpp-tep:80 TCP',
  ]);
});

test('[M-03] either mark is enough; the token alone means port 80 of c=', (t) => {
  const marks = (lines: string) =>
    good(tepMarks(`${HEAD}m=audio 4000 RTP/AVP 0\r\n${lines}`)).map((m) =>
      m.listener === undefined
        ? `${m.marked} -`
        : `${m.marked} ${formatEndpoint(m.listener)} ${m.listener.transport}`,
    );
  t.deepEqual(marks('a=ice-options:tep\r\n'), ['true 203.0.113.9:80 TCP']);
  t.deepEqual(marks('a=3gpp-tep:443 TLS\r\n'), ['true 203.0.113.9:443 TLS']);
  t.deepEqual(marks('a=3gpp-tep:80 TCP IN IP4 192.0.2.7\r\n'), ['true 192.0.2.7:80 TCP']);
  t.deepEqual(marks('a=ice-options:trickle tep\r\na=3gpp-tep:9 TCP\r\n'), ['true -']);
  t.deepEqual(marks('a=ice-options:tepid step\r\n'), ['false -']);
});

test('[M-03] on hold by 0.0.0.0 the token alone leads nowhere, an address in the mark still does', (t) => {
  const listener = (lines: string) =>
    good(tepMarks(`${HEAD}m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n${lines}`))[0]?.listener;
  t.is(listener('a=ice-options:tep\r\n'), undefined);
  t.is(listener('a=3gpp-tep:80 TCP IN IP4 0.0.0.0\r\n'), undefined);
  t.is(listener('a=3gpp-tep:80 TCP IN IP6 ::\r\n'), undefined);
  t.is(listener('a=3gpp-tep:80 TCP IN IP4 192.0.2.7\r\n')?.port, 80);
});

test('[M-03] TEP-S listens nowhere when the address is none to connect to', (t) => {
  for (const c of [
    'IP4 0.0.0.0',
    'IP6 ::',
    'IP6 ff15::101',
    'IP4 224.2.1.1/127',
    'IP4 a.example',
  ]) {
    const media = `m=audio 4000 RTP/AVP 0\r\nc=IN ${c}\r\n`;
    const [token] = good(tepMarks(`${HEAD}${media}a=ice-options:tep\r\n`));
    t.like(token, { marked: true, listener: undefined }, c);
    const [line] = good(tepMarks(`${HEAD}m=audio 4000 RTP/AVP 0\r\na=3gpp-tep:80 TCP IN ${c}\r\n`));
    t.is(line?.listener, undefined, c);
  }
});

test('[M-03] marks at every level are read and stripped', (t) => {
  const before = vector('tep-answer');
  const marks = good(tepMarks(before));
  t.deepEqual(
    marks.map((m) => [m.token, m.mark?.port, m.mark?.transport, m.live, m.marked]),
    [
      ['media', 443, 'TLS', true, true],
      ['session', 80, 'TCP', true, true],
      ['media', undefined, undefined, false, false],
    ],
  );
  t.is(formatEndpoint(marks[0]?.listener ?? at('0.0.0.0:1')), '[2001:db8::53]:443');
  const stripped = good(strip(before));
  t.deepEqual(difference(before, stripped), [
    '-a=ice-options:trickle ice2 tep',
    '-a=ice-options:tep rtp+ecn',
    '-a=3gpp-tep:443 TLS IN IP6 2001:db8::53',
    '-a=3gpp-tep:80 TCP',
    '-a=ice-options:tep',
    '+a=ice-options:trickle ice2',
    '+a=ice-options:rtp+ecn',
  ]);
  t.true(good(tepMarks(stripped)).every((m) => !m.marked));
});

test('[M-03] an unreadable a=3gpp-tep counts as absent and is named', (t) => {
  for (const value of [
    '0 TCP',
    '65536 TCP',
    '80 UDP',
    '80',
    '80 TCP IN IP4 2001:db8::1',
    '80 TCP IN IP4 host.example',
    '80 TCP x',
  ]) {
    const [m] = good(tepMarks(`${HEAD}m=audio 4000 RTP/AVP 0\r\na=3gpp-tep:${value}\r\n`));
    t.like(m, { mark: undefined, unreadable: 7, marked: false }, value);
  }
});

test('[M-03] one mark per m= line; another port replaces the first; duplicates go', (t) => {
  const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 99\r\n`;
  const video = good(advertise(text, [undefined, PLAIN]));
  t.deepEqual(
    good(tepMarks(video)).map((m) => m.marked),
    [false, true],
  );
  const twice = `${latin1(video)}a=3gpp-tep:81 TCP\r\n`;
  const moved = good(advertise(twice, [undefined, { port: 443, transport: 'TLS' }]));
  t.deepEqual(difference(video, moved), ['-a=3gpp-tep:80 TCP', '+a=3gpp-tep:443 TLS']);
});

test('a list of tokens in an odd form comes back as it was', (t) => {
  for (const line of [
    'a=ice-options:',
    'a=ice-options: ',
    'a=ice-options',
    'a=ice-options:x  ',
    'a=ice-options: y',
  ]) {
    for (const end of ['\r\n', '']) {
      const text = `${HEAD}m=audio 4000 RTP/AVP 0\r\n${line}${end}`;
      const marked = good(advertise(text, PLAIN));
      t.true(good(tepMarks(marked)).every((m) => m.token === 'media' && m.mark !== undefined));
      t.is(latin1(good(strip(marked))), text);
    }
  }
});

test('marks that are none are our own mistake, and carry no text into the description', (t) => {
  const bad: unknown[] = [
    { port: 0, transport: 'TCP' },
    { port: 65_536, transport: 'TCP' },
    { port: 80.5, transport: 'TCP' },
    { port: '80\r\na=evil', transport: 'TCP' },
    { port: 80, transport: 'TCP\r\na=evil' },
  ];
  for (const mark of bad) {
    t.throws(() => advertise(vector('baresip'), mark as Mark), { instanceOf: RangeError });
  }
});
