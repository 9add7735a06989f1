/** Line index and limits of RFC 8866 text: what is taken, what is refused and where. */
import { Buffer } from 'node:buffer';
import test from 'ava';
import * as lines from '../../sdp/lines.ts';
import { read } from '../../sdp/read.ts';
import { good, isProblem, latin1, NAMES, vector } from './vectors.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n';

for (const name of NAMES) {
  test(`[RFC8866] ${name}: the index covers every octet once`, (t) => {
    const octets = vector(name);
    const index = good(lines.indexLines(octets));
    t.is(index.lines.map((line) => line.text + line.eol).join(''), latin1(octets));
    t.deepEqual(
      index.lines.map((line) => line.number),
      index.lines.map((_, i) => i + 1),
    );
    const covered = [index.session, ...index.media];
    t.is(covered.at(-1)?.to, index.lines.length);
    covered.forEach((section, i) => {
      t.is(section.from, covered[i - 1]?.to ?? 0);
    });
  });

  test(`[RFC8866] ${name}: every prefix is read or refused, never thrown at`, (t) => {
    const octets = vector(name);
    for (let n = 0; n <= octets.length; n++) {
      const whole = read(octets.subarray(0, n));
      if (isProblem(whole)) t.true(whole.line <= 200 && whole.reason.length > 0);
      else t.is(whole.index.text.length, n);
    }
  });
}

test('[RFC8866] CRLF, LF and CR end lines, the last may lack its end', (t) => {
  for (const eol of ['\r\n', '\n', '\r']) {
    const text = ['v=0', 's=-', 'm=audio 4000 RTP/AVP 0', 'a=rtcp-mux'].join(eol);
    for (const last of ['', eol]) {
      const sdp = good(read(text + last));
      t.is(sdp.media.length, 1);
      t.deepEqual(
        sdp.media[0]?.lines.map((line) => line.name),
        ['', 'rtcp-mux'],
      );
    }
  }
  const mixed = good(read('v=0\ns=-\r\nm=audio 4000 RTP/AVP 0\n'));
  t.deepEqual(
    mixed.index.lines.map((line) => line.eol),
    ['\n', '\r\n', '\n'],
  );
});

test('a string is read as UTF-8, octets stay octets', (t) => {
  t.is(good(read('v=0\ns=\u00e9\n')).index.text, 'v=0\ns=\u00c3\u00a9\n');
  t.is(good(read(Uint8Array.of(0x76, 0x3d, 0x30, 10, 0x73, 0x3d, 0xff))).index.text, 'v=0\ns=\xff');
});

const REFUSED: ReadonlyArray<
  readonly [why: string, text: string, code: lines.ProblemCode, line: number]
> = [
  ['nothing', '', 'not-sdp', 0],
  ['a web page', '<html>\r\n<body>', 'not-sdp', 1],
  ['another version', 'v=1\r\n', 'not-sdp', 1],
  ['a byte order mark', '\ufeffv=0\r\n', 'not-sdp', 1],
  ['NUL in a line', `${HEAD}a=x\0y\r\n`, 'nul', 5],
  ['CR inside a line', `${HEAD}a=x\ra=evil\r\n`, 'bare-cr', 5],
  ['two CR before LF', `${HEAD}a=x\r\r\n`, 'bare-cr', 5],
  ['CR at the very end', `${HEAD}a=x\r`, 'bare-cr', 5],
  ['a line without type', `${HEAD}hello\r\n`, 'bad-line', 5],
  ['a folded line', `${HEAD}a=x\r\n y\r\n`, 'bad-line', 6],
  ['a port above 65535', `${HEAD}m=audio 99999 RTP/AVP 0\r\n`, 'bad-media', 5],
  ['a port that is no number', `${HEAD}m=audio x RTP/AVP 0\r\n`, 'bad-media', 5],
  ['a negative port', `${HEAD}m=audio -1 RTP/AVP 0\r\n`, 'bad-media', 5],
  ['an m= line without protocol', `${HEAD}m=audio 1\r\n`, 'bad-media', 5],
];

for (const [why, text, code, line] of REFUSED) {
  test(`refused with line and reason: ${why}`, (t) => {
    const problem = read(text);
    t.like(problem, { type: 'sdp-problem', code, line });
    t.true(isProblem(problem) && problem.reason !== '' && !problem.reason.includes('\n'));
  });
}

test('limits: each is taken at its value and refused one above', (t) => {
  const media = 'm=audio 4000 RTP/AVP 0\r\n';
  const candidate = 'a=candidate:1 1 UDP 1 192.0.2.1 4000 typ host\r\n';
  const filled = (length: number) => {
    const fill = (n: number) => `a=${'x'.repeat(n - 4)}\r\n`;
    const rest = length - HEAD.length;
    return HEAD + fill(5_000).repeat(Math.floor(rest / 5_000) - 1) + fill(5_000 + (rest % 5_000));
  };
  const cases: ReadonlyArray<readonly [lines.ProblemCode, number, (n: number) => string]> = [
    ['too-long', lines.MAX_SDP_LEN, filled],
    ['line-too-long', lines.MAX_LINE_LEN, (n) => `${HEAD}a=${'x'.repeat(n - 2)}\r\n`],
    ['too-many-lines', lines.MAX_LINES, (n) => HEAD + 'a=x\r\n'.repeat(n - 4)],
    ['too-many-media', lines.MAX_MEDIA, (n) => HEAD + media.repeat(n)],
    ['too-many-candidates', lines.MAX_CANDIDATES, (n) => HEAD + media + candidate.repeat(n)],
  ];
  for (const [code, limit, text] of cases) {
    t.is(read(text(limit)).type, 'sdp', code);
    t.like(read(text(limit + 1)), { type: 'sdp-problem', code });
  }
});

test('limits: octets beyond the size limit are not even looked at', (t) => {
  const huge = Buffer.alloc(64 * 1024 * 1024, 'a=candidate:');
  t.like(read(huge), { code: 'too-long', line: 0 });
  t.like(read('\u20ac'.repeat(lines.MAX_SDP_LEN / 2)), { code: 'too-long', line: 0 });
});

test('candidates are counted per m= line', (t) => {
  const media = `m=audio 4000 RTP/AVP 0\r\n${'a=candidate:x\r\n'.repeat(lines.MAX_CANDIDATES)}`;
  t.is(read(HEAD + media + media).type, 'sdp');
});

test('an attribute is found by its whole name', (t) => {
  const text =
    'm=audio 1 RTP/AVP 0\r\na=rtcp-mux-only\r\na=rtcp-fb:* nack\r\na=rtcp :9\r\na=rtcp:5\r\n';
  const sdp = good(read(HEAD + text));
  const own = sdp.media[0]?.lines ?? [];
  t.is(lines.attribute(own, 'rtcp-mux'), undefined);
  const named = own.filter((line) => line.name === 'rtcp');
  t.deepEqual(named.map(lines.attributeValue), [undefined, '5']);
});
