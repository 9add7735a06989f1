import test from 'ava';
import { MAX_HEAD_LEN, RequestHead } from '../../framing/http.ts';
import { random } from './cut.ts';

const CONNECT = 'CONNECT tep.example:80 HTTP/1.1\r\nHost: tep.example:80\r\n\r\n';
const GET = 'GET /health HTTP/1.1\r\nHost: tep.example\r\nUser-Agent: check/1\r\n\r\n';

function read(text: string | Buffer, pieces: readonly number[] = []) {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const head = new RequestHead();
  let consumed = 0;
  for (const to of [...pieces, octets.length]) consumed += head.input(octets, consumed, to);
  return { head, consumed, status: head.answer?.status };
}

function answerOf(text: string): string {
  return Buffer.from(read(text).head.answer?.octets ?? []).toString('latin1');
}

test('[H-03] a CONNECT that no proxy consumed is answered, and what follows is the tunnel', (t) => {
  const { head, consumed } = read(`${CONNECT}\x00\x01\x00\x00`);
  t.true(head.answer?.tunnel);
  t.is(consumed, CONNECT.length);
  t.is(answerOf(CONNECT), 'HTTP/1.1 200 Connection established\r\n\r\n');
});

test('[H-03] CONNECT arriving at every split point, and octet by octet', (t) => {
  const stream = `${CONNECT}tunnel`;
  for (let cut = 0; cut <= stream.length; cut++) {
    const { consumed, status } = read(stream, cut < CONNECT.length ? [cut] : []);
    t.deepEqual([consumed, status], [CONNECT.length, 200]);
  }
  const head = new RequestHead();
  const octets = Buffer.from(stream);
  for (let at = 0; at < octets.length; at++) head.input(octets, at, at + 1);
  t.is(head.answer?.status, 200);
});

test('[H-03] every prefix of a CONNECT waits', (t) => {
  for (let n = 0; n < CONNECT.length; n++) t.is(read(CONNECT.slice(0, n)).status, undefined);
});

test('[H-03] targets of a CONNECT: authority form with a port, or 400', (t) => {
  const status = (target: string) => read(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).status;
  for (const good of ['192.0.2.1:443', '[2001:db8::1]:80', 'a-b.example:65535']) {
    t.is(status(good), 200, good);
  }
  const wrong = [
    'tep.example',
    'a:0',
    'a:65536',
    'a:',
    ':80',
    '2001:db8::1:80',
    '/',
    'http://a:80/',
  ];
  for (const bad of wrong) t.is(status(bad), 400, bad);
});

test('[H-03] content lengths in a CONNECT mean nothing: tunnel data begins behind the head', (t) => {
  const text = `CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`;
  t.is(read(text).consumed, text.length - 5);
});

test('[RFC9110] any other request gets a whole, short 404 and a close', (t) => {
  for (const method of ['GET', 'POST', 'OPTIONS', 'PUT', 'TRACE']) {
    const { head } = read(`${method} /a?b HTTP/1.1\r\nHost: a\r\n\r\n`);
    t.deepEqual([head.answer?.status, head.answer?.tunnel], [404, false]);
  }
  const [head = '', content = ''] = answerOf(GET).split('\r\n\r\n');
  t.regex(head, /^HTTP\/1\.1 404 Not Found\r\n/);
  t.regex(head, /\r\nConnection: close(\r\n|$)/);
  t.is(Number(/Content-Length: (\d+)/.exec(head)?.[1]), content.length);
  t.true(content.length > 0);
});

test('[RFC9110] the answer to HEAD has the same header fields and no content', (t) => {
  const [head] = answerOf(GET).split('\r\n\r\n');
  t.is(answerOf(GET.replace('GET', 'HEAD')), `${head}\r\n\r\n`);
});

test('[RFC9112] a health check by HTTP/1.0 needs no Host', (t) => {
  t.is(read('GET / HTTP/1.0\r\n\r\n').status, 404);
  t.is(read('GET / HTTP/1.1\r\n\r\n').status, 400);
  t.is(read('GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n').status, 400);
  t.is(read('GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n').status, 400);
});

test('[RFC9112] bare LF ends a line, empty lines before the request are skipped', (t) => {
  t.is(read(CONNECT.replaceAll('\r\n', '\n')).status, 200);
  t.is(read(`\r\n\n${CONNECT}`).status, 200);
});

test('[RFC9112] nothing else is forgiven', (t) => {
  const line = (text: string) => read(`${text}\r\n`).status;
  for (const bad of [
    ...['GET  / HTTP/1.1', ' GET / HTTP/1.1', 'GET / HTTP/1.1 ', 'GET /', 'GET / http/1.1'],
    ...[
      'GET /\tHTTP/1.1',
      'G(T / HTTP/1.1',
      'GET /\r HTTP/1.1',
      'GET / HTTP/1',
      'GET /\xff HTTP/1.1',
    ],
  ]) {
    t.is(line(bad), 400, JSON.stringify(bad));
  }
  const field = (text: string) => read(`GET / HTTP/1.1\r\n${text}\r\n`).status;
  for (const bad of [
    'Host : a',
    ' Host: a',
    '\tHost: a',
    ': a',
    'Host',
    'Host: a\rb',
    'Host: \0',
  ]) {
    t.is(field(bad), 400, JSON.stringify(bad));
  }
  t.is(read('GET / HTTP/1.1\r\nHost: a\r\n folded\r\n').status, 400);
  t.is(line('GET / HTTP/2.0'), 505);
  t.is(field('X: \tvalue with \x80 \x7e'), undefined);
});

test('[RFC9112] a bad line is answered before the rest of the head has come', (t) => {
  const { status, consumed } = read('GET\r\nHost: a\r\n\r\n');
  t.deepEqual([status, consumed], [400, 5]);
});

test('[RFC6585] a head of 8 KiB is the longest: 431, or 414 in its first line', (t) => {
  const head = (length: number) => {
    const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
    return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`;
  };
  t.is(read(head(MAX_HEAD_LEN)).status, 404);
  t.is(read(head(MAX_HEAD_LEN + 1)).status, 431);
  t.deepEqual(
    [read('G'.repeat(20_000)).status, read('G'.repeat(20_000)).consumed],
    [414, MAX_HEAD_LEN],
  );
  t.is(read('\r\n'.repeat(10_000)).status, 414);
});

test('[H-03] ten thousand seeded mutations: no throw, an answer at the latest at 8 KiB', (t) => {
  const next = random(0x44);
  for (let i = 0; i < 10_000; i++) {
    const octets = Buffer.from(i % 2 === 0 ? CONNECT : GET);
    for (let n = next(4); n >= 0; n--) octets[next(octets.length)] = next(256);
    const { head, consumed } = read(octets, [next(octets.length)]);
    if (head.answer === undefined && consumed !== octets.length) return t.fail('octets left over');
  }
  return t.pass();
});
