import test from 'ava';
import {
  type Answer,
  AnswerReader,
  MAX_BODY_LEN,
  MAX_HEAD_LEN,
} from '../../../framing/connect/answer.ts';
import { FAULTS } from '../../../wire/faults.ts';
import { random } from '../cut.ts';

interface Read {
  readonly answer: Answer | undefined;
  readonly consumed: number;
}

/** Reads `text`, cut at `pieces`; `over`: the peer then ends its side. */
function read(text: string, over = false, pieces: readonly number[] = []): Read {
  const octets = Buffer.from(text, 'latin1');
  const reader = new AnswerReader();
  let consumed = 0;
  for (const to of [...pieces, octets.length]) consumed += reader.input(octets, consumed, to);
  if (over) reader.end();
  return { answer: reader.answer, consumed };
}

const TUNNEL = { type: 'tunnel' } as const;
const BAD = (fault: number) => ({ type: 'bad', fault }) as Answer;

test('[H-11] any 2xx opens the tunnel, in HTTP/1.1 and HTTP/1.0, with or without words', (t) => {
  for (const head of [
    'HTTP/1.1 200 Connection established\r\n\r\n',
    'HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n',
    'HTTP/1.1 200 \r\n\r\n',
    'HTTP/1.1 200\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 299 Whatever\r\nVia: a\r\n\r\n',
    'HTTP/1.1 200 OK\n\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
  ]) {
    t.deepEqual(read(`${head}\x16\x03`), { answer: TUNNEL, consumed: head.length }, head);
  }
});

test('[H-11] lengths in a 2xx mean nothing: the tunnel begins behind the head', (t) => {
  for (const fields of [
    'Content-Length: 10',
    'Content-Length: 99999999999999999999',
    'Content-Length: no number',
    'Transfer-Encoding: chunked',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close',
  ]) {
    const head = `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;
    t.deepEqual(read(`${head}0\r\n\r\n`), { answer: TUNNEL, consumed: head.length }, fields);
  }
});

test('interim answers are skipped, and nobody asked for an upgrade', (t) => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n';
  t.deepEqual(read(`${interim}HTTP/1.1 200 OK\r\n\r\n`).answer, TUNNEL);
  t.deepEqual(read('HTTP/1.1 101 Switching Protocols\r\n\r\n').answer, BAD(FAULTS.HTTP_BROKEN));
});

const LATER = 'HTTP/1.1 200 OK\r\n\r\n';

/** The content of a refusal, its head, and whether the connection can be used again. */
const REFUSALS: ReadonlyArray<[head: string, content: string, reusable: boolean]> = [
  ['HTTP/1.1 403 Forbidden\r\nContent-Length: 4', 'gone', true],
  ['HTTP/1.1 403 Forbidden\r\nContent-Length: 0', '', true],
  ['HTTP/1.1 403 Forbidden\r\nContent-Length: 4, 4\r\nContent-Length: 4', 'gone', true],
  ['HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked', '4\r\ngone\r\n0\r\n\r\n', true],
  [
    'HTTP/1.1 403 x\r\nTransfer-Encoding: gzip, Chunked',
    '4;a="b"\r\ngone\r\n00\r\nT: 1\r\n\r\n',
    true,
  ],
  ['HTTP/1.1 403 Forbidden\r\nConnection: Close\r\nContent-Length: 4', 'gone', false],
  ['HTTP/1.1 403 Forbidden\r\nProxy-Connection: close\r\nContent-Length: 4', 'gone', false],
  ['HTTP/1.0 403 Forbidden\r\nContent-Length: 4', 'gone', false],
  ['HTTP/1.0 403 Forbidden\r\nProxy-Connection: keep-alive\r\nContent-Length: 4', 'gone', true],
  ['HTTP/1.0 403 Forbidden\r\nConnection: x, keep-alive\r\nContent-Length: 4', 'gone', true],
  // Both lengths: what is meant is not known well enough to go on (RFC 9112 clause 6.3).
  [
    'HTTP/1.1 403 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 9',
    '1\r\nx\r\n0\r\n\r\n',
    false,
  ],
];

test('the content of a refusal is read to its end, at every split point', (t) => {
  for (const [head, content, reusable] of REFUSALS) {
    const whole = `${head}\r\n\r\n${content}`;
    for (let cut = 0; cut <= whole.length; cut++) {
      const { answer, consumed } = read(whole + LATER, false, [cut]);
      t.like(answer, { type: 'refused', status: 403, reusable }, whole);
      t.is(consumed, whole.length);
    }
  }
});

test('every prefix of an answer waits, and is no answer when the peer ends there', (t) => {
  for (const [head, content] of REFUSALS) {
    const whole = `${head}\r\n\r\n${content}`;
    for (let n = 0; n < whole.length; n++) {
      t.is(read(whole.slice(0, n)).answer, undefined);
      const { answer } = read(whole.slice(0, n), true);
      if (n < head.length + 4) t.deepEqual(answer, BAD(FAULTS.HTTP_CUT_OFF));
      else t.like(answer, { type: 'refused', reusable: false });
    }
  }
});

test('content without a length, or with a length that nobody can believe, ends with the connection', (t) => {
  for (const fields of [
    '',
    'Content-Length: 5\r\nContent-Length: 6\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: gzip\r\n',
  ]) {
    const text = `HTTP/1.1 502 Bad Gateway\r\n${fields}\r\nthe content`;
    t.is(read(text).answer, undefined, fields);
    t.like(read(text, true).answer, { status: 502, reusable: false }, fields);
  }
});

test('broken chunks end the reading, and the connection is not used again', (t) => {
  for (const chunks of ['x\r\n', '\r\n', '1\r\nxy\r\n', '123456789\r\n', `${'0'.repeat(2_000)}`]) {
    const text = `HTTP/1.1 407 x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
    t.like(read(text).answer, { status: 407, reusable: false }, chunks);
  }
});

test('challenges: several fields, folded lines, and of a 401 those that belong to it', (t) => {
  const { answer } = read(
    'HTTP/1.1 407 Proxy Authentication Required\r\n' +
      'proxy-authenticate: Digest realm="a",\r\n\t nonce="b"  \r\n' +
      'Proxy-Authenticate: Basic realm="c"\r\n' +
      'WWW-Authenticate: Basic realm="other"\r\n' +
      'a line without colon\r\n' +
      'Content-Length: 0\r\n\r\n',
  );
  t.deepEqual(answer, {
    type: 'refused',
    status: 407,
    reason: 'Proxy Authentication Required',
    challenges: ['Digest realm="a", nonce="b"', 'Basic realm="c"'],
    reusable: true,
  });
  const refused = read(
    'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="t"\r\n\r\n<html>',
    true,
  );
  t.like(refused.answer, { status: 401, challenges: ['Basic realm="t"'] });
});

test('what a proxy says reaches no terminal unseen', (t) => {
  const { answer } = read(
    `HTTP/1.1 403 \x1b[31mred${'x'.repeat(300)}\r\nContent-Length: 0\r\n\r\n`,
  );
  t.is(answer?.type === 'refused' && answer.reason.length, 100);
  t.regex((answer?.type === 'refused' && answer.reason) || '', /^\?\[31mredx+$/);
});

test('what is no HTTP/1 is refused at its first line', (t) => {
  for (const line of [
    'SSH-2.0-OpenSSH_9.2',
    'HTTP/2.0 200 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 600 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
  ]) {
    t.deepEqual(read(`${line}\r\n`).answer, BAD(FAULTS.HTTP_BROKEN), line);
  }
});

test('a head may have so many octets, and not one more', (t) => {
  const head = (length: number) => {
    const start = 'HTTP/1.1 200 OK\r\nX: ';
    return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`;
  };
  t.deepEqual(read(head(MAX_HEAD_LEN - 1)).answer, TUNNEL);
  t.deepEqual(read(head(MAX_HEAD_LEN + 1)).answer, BAD(FAULTS.HTTP_TOO_LONG));
  t.deepEqual(read('x'.repeat(MAX_HEAD_LEN)), {
    answer: BAD(FAULTS.HTTP_TOO_LONG),
    consumed: MAX_HEAD_LEN,
  });
  t.deepEqual(
    read('HTTP/1.1 100 Continue\r\n\r\n'.repeat(2_000)).answer,
    BAD(FAULTS.HTTP_TOO_LONG),
  );
});

test('more content than anybody needs to say no: given up', (t) => {
  const head = `HTTP/1.1 407 x\r\nContent-Length: ${MAX_BODY_LEN + 1}\r\n\r\n`;
  t.is(read(head + 'x'.repeat(MAX_BODY_LEN)).answer, undefined);
  const endless = read(`HTTP/1.1 407 x\r\n\r\n${'x'.repeat(MAX_BODY_LEN + 1)}`);
  t.like(endless.answer, { status: 407, reusable: false });
});

test('ten thousand seeded mutations: no throw, and an answer when the peer ends', (t) => {
  const next = random(20_261_125);
  for (let i = 0; i < 10_000; i++) {
    const [head = '', content = ''] = REFUSALS[i % REFUSALS.length] ?? [];
    const octets = Buffer.from(`${head}\r\n\r\n${content}${LATER}`, 'latin1');
    for (let n = 0; n < 3; n++) octets[next(octets.length)] = next(256);
    const reader = new AnswerReader();
    reader.input(octets, 0, octets.length);
    reader.end();
    if (reader.answer === undefined) t.fail(octets.toString('latin1'));
  }
  t.pass();
});
