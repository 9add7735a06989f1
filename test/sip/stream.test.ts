import { Buffer } from 'node:buffer';
import test from 'ava';
import { MAX_MESSAGE_LEN } from '../../sip/message.ts';
import { type Beats, SipStream } from '../../sip/stream.ts';
import { FAULTS, faultName } from '../../wire/faults.ts';
import { generator, mutate } from '../wire/standing.ts';
import { invite, names, sip, vector } from './vectors.ts';

const BYE = sip(['BYE sip:b@example.net SIP/2.0', 'v: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK2']);
const OK = sip(['SIP/2.0 200 OK', 'Via: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK2'], 'body\r\n\r\nbody');

/** Events as words: `message` as its text, `ping`, `pong`, and the fault that ended it. */
function run(chunks: readonly (string | Uint8Array)[], beats: Beats = 'pings'): string[] {
  const stream = new SipStream(beats);
  const out: string[] = [];
  for (const chunk of chunks) {
    const b = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    const around = Buffer.alloc(b.length + 16, 0xa5);
    around.set(b, 8);
    stream.append(around, 8, 8 + b.length);
    around.fill(0x5a);
    for (let event = stream.next(); event !== undefined; event = stream.next()) {
      out.push(event.type === 'message' ? event.message.text : event.type);
    }
  }
  return stream.fault === 0 ? out : [...out, faultName(stream.fault)];
}

function octets(text: string): string[] {
  return text.split('');
}

test('[RFC3261] messages one after the other, in one chunk and octet by octet', (t) => {
  const all = [invite(), BYE, OK];
  t.deepEqual(run([all.join('')]), all);
  t.deepEqual(run(octets(all.join(''))), all);
});

test('[RFC3261] everything that was recorded, as one stream cut into segments of every size', (t) => {
  const all = names('recorded').map((name) => vector('recorded', name).toString('latin1'));
  const text = all.join('');
  for (const size of [1, 7, 100, 1_460, text.length]) {
    const segments = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
    t.deepEqual(run(segments), all, `${size}`);
  }
});

test('[RFC3261] every split point of three messages gives the same three', (t) => {
  const all = [OK, invite(), OK];
  const text = all.join('');
  for (let cut = 0; cut <= text.length; cut++) {
    t.deepEqual(run([text.slice(0, cut), text.slice(cut)]), all, `cut at ${cut}`);
  }
});

test('[RFC3261] every prefix of a message waits', (t) => {
  for (let n = 0; n < OK.length; n++) t.deepEqual(run([OK.slice(0, n)]), [], `${n} octets`);
});

test('a thousand messages in one chunk; memory is given back', (t) => {
  const stream = new SipStream('pings');
  const b = Buffer.from(invite().repeat(1_000), 'latin1');
  stream.append(b, 0, b.length);
  let count = 0;
  while (stream.next() !== undefined) count += 1;
  t.is(count, 1_000);
  t.deepEqual([stream.held, stream.fault], [0, 0]);
  t.true(stream.capacity <= 4_096);
});

test('[R-04] [RFC5626] CRLF CRLF between messages is a ping, wherever it is cut', (t) => {
  const text = `\r\n\r\n${BYE}\r\n\r\n\r\n\r\n${OK}`;
  const wanted = ['ping', BYE, 'ping', 'ping', OK];
  for (let cut = 0; cut <= text.length; cut++) {
    t.deepEqual(run([text.slice(0, cut), text.slice(cut)]), wanted, `cut at ${cut}`);
  }
});

test('[RFC3261] a single CRLF before a message means nothing where pings are awaited', (t) => {
  t.deepEqual(run(octets(`\r\n${BYE}\r\n`)), [BYE]);
  t.deepEqual(run(octets(`\r\n\r\n\r\n${BYE}`)), ['ping', BYE]);
});

test('[R-04] [RFC5626] CRLF is a pong at once where pongs are awaited', (t) => {
  const stream = new SipStream('pongs');
  stream.append(Buffer.from('\r\n'), 0, 2);
  t.deepEqual([stream.next(), stream.next()], [{ type: 'pong' }, undefined]);
  t.deepEqual(run(octets(`\r\n${OK}\r\n${OK}`), 'pongs'), ['pong', OK, 'pong', OK]);
});

test('what is no SIP is refused at once, not waited for', (t) => {
  for (const text of [
    '\x16\x03\x01',
    ' INVITE',
    '\0',
    '\n',
    'GET / HTTP/1.1\r\n',
    'INVITE sip:a@b\r\n',
    'A'.repeat(65),
    'INV"ITE',
  ]) {
    t.deepEqual(run([text]), ['frame-foreign'], JSON.stringify(text));
    t.deepEqual(run(octets(text)), ['frame-foreign'], JSON.stringify(text));
  }
});

test('a CR or LF alone in a head is refused as soon as it is seen', (t) => {
  const start = 'INVITE sip:a SIP/2.0\r\n';
  for (const text of [`${start}Via: a\nb`, `${start}Via: a\rb`, '\rX', '\r\n\rX']) {
    t.deepEqual(run(octets(text)), ['sip-line-end'], JSON.stringify(text));
  }
});

test('[RFC3261] Content-Length is needed on a stream, and must be one number', (t) => {
  const head = 'INVITE sip:a SIP/2.0\r\nVia: x\r\n';
  const wrong = [
    '',
    'l: -1\r\n',
    'l: 1 1\r\n',
    'l:\r\n',
    'l: 1\r\nContent-Length: 2\r\n',
    'l: 0x1\r\n',
  ];
  for (const lines of wrong) {
    t.deepEqual(run([`${head}${lines}\r\n`]), ['sip-content-length'], JSON.stringify(lines));
  }
  t.is(run([`${head}l: 1\r\nContent-Length : 01\r\n\r\nx`]).length, 1);
});

test('64 KiB is the longest message: one octet more is refused before it is waited for', (t) => {
  const head = (length: number) => `BYE sip:a SIP/2.0\r\nContent-Length: ${length}\r\n\r\n`;
  const most = MAX_MESSAGE_LEN - head(10_000).length;
  t.deepEqual(run([head(most), 'x'.repeat(most)]), [head(most) + 'x'.repeat(most)]);
  t.deepEqual(run([head(most + 1)]), ['sip-too-long']);
  t.deepEqual(run([head(99_999_999_999)]), ['sip-content-length']);
  t.deepEqual(run([head(4_294_967_296)]), ['sip-too-long']);
});

test('a head that does not end is refused at 64 KiB, a start line at 8 KiB', (t) => {
  const field = `X: ${'y'.repeat(1_000)}\r\n`;
  t.deepEqual(run(['BYE sip:a SIP/2.0\r\n', ...Array(66).fill(field)]), ['sip-too-long']);
  t.deepEqual(run(['BYE ', ...Array(9).fill('x'.repeat(1_000))]), ['sip-too-long']);
  const line = (length: number) => `BYE ${'x'.repeat(length - 12)} SIP/2.0`;
  const whole = `${line(8_192)}\r\nl: 0\r\n\r\n`;
  t.deepEqual(run([whole.slice(0, 8_193), whole.slice(8_193)]), [whole]);
  t.deepEqual(run([line(8_193), '\r']), ['sip-too-long']);
  t.deepEqual(run([`BYE sip:a SIP/2.0\r\n${'X:\r\n'.repeat(513)}\r\n`]), ['sip-fields-many']);
});

test('after a fault nothing comes and nothing is kept', (t) => {
  const stream = new SipStream('pings');
  const bad = Buffer.from(`\0${OK}`, 'latin1');
  stream.append(bad, 0, bad.length);
  t.is(stream.next(), undefined);
  stream.append(Buffer.from(OK), 0, OK.length);
  t.is(stream.next(), undefined);
  t.deepEqual([stream.fault, stream.held, stream.capacity], [FAULTS.FRAME_FOREIGN, 0, 0]);
  t.throws(() => stream.append(bad, 2, 1), { instanceOf: RangeError });
});

test('64 KiB octet by octet is linear work', (t) => {
  const text = sip(
    ['BYE sip:a SIP/2.0', ...Array(400).fill(`X: ${'y'.repeat(100)}`)],
    'z'.repeat(20_000),
  );
  const started = process.hrtime.bigint();
  t.deepEqual(run(octets(text)), [text]);
  t.true(Number(process.hrtime.bigint() - started) < 5e9);
});

test('10,000 seeded mutations: no throw, no growth, every message whole', (t) => {
  const random = generator(20_261_125);
  const vectors = names('torture').map((name) => vector('torture', name));
  let lost = 0;
  for (let i = 0; i < 10_000; i++) {
    const b = mutate(vectors[i % vectors.length] ?? Buffer.alloc(0), random);
    const stream = new SipStream(i % 2 === 0 ? 'pings' : 'pongs');
    const cut = random(b.length + 1);
    for (const [from, to] of [
      [0, cut],
      [cut, b.length],
    ] as const) {
      stream.append(b, from, to);
      for (let event = stream.next(); event !== undefined; event = stream.next()) {
        if (event.type === 'message' && event.message.bodyEnd !== event.message.text.length)
          t.fail();
      }
    }
    if (stream.held > b.length || stream.capacity > 16_384) t.fail();
    if (stream.fault !== 0) lost += 1;
  }
  t.true(lost > 1_000 && lost < 10_000, `${lost} lost`);
});
