import test from 'ava';
import fc from 'fast-check';
import { descriptionsIn, octetsIn, replaceDescription } from '../../sip/body.ts';
import { Edit } from '../../sip/edit.ts';
import { header } from '../../sip/message.ts';
import { generator, mutate } from '../wire/standing.ts';
import { datagram, names, request, sip, textOf, vector } from './vectors.ts';

const SDP =
  'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const OTHER = SDP.replaceAll('10.0.0.2', '203.0.113.200');

function withBody(type: string, body: string, ...more: readonly string[]): string {
  return sip(
    ['INVITE sip:a SIP/2.0', 'Via: SIP/2.0/UDP a', `Content-Type: ${type}`, ...more],
    body,
  );
}

function found(text: string): string[] | undefined {
  const message = request(text);
  return descriptionsIn(message)?.map((one) => textOf(octetsIn(message, one)));
}

function replaced(text: string, sdp = OTHER): string {
  const message = request(text);
  const edit = new Edit(message);
  for (const one of descriptionsIn(message) ?? []) {
    replaceDescription(edit, one, Buffer.from(sdp, 'latin1'));
  }
  return textOf(edit.octets());
}

test('[RFC3261] a description that is the whole body', (t) => {
  for (const type of ['application/sdp', 'APPLICATION / SDP ; charset="x"', 'application/sdp;a']) {
    const before = withBody(type, SDP);
    t.deepEqual(found(before), [SDP], type);
    t.is(replaced(before), withBody(type, OTHER), type);
  }
  t.deepEqual(found(withBody('application/sdp', '')), []);
  t.deepEqual(found(withBody('application/sdp-x', SDP)), []);
  t.deepEqual(found(withBody('text/plain', SDP)), []);
  t.deepEqual(found(sip(['INVITE sip:a SIP/2.0'], SDP)), []);
});

const MIXED = [
  'preamble -b --b\r\n--bx not this\r\n--b  \t\r\nContent-Type: text/plain\r\n\r\nhello --b\r\n--b\r\n',
  'c: application/sdp\r\nContent-Disposition: session;handling=required\r\n\r\n',
  SDP,
  '\r\n--b\r\n\r\nno fields\r\n--b\r\n\r\n--b--\r\nepilogue --b--',
] as const;

test('[RFC5621] the part of a multipart body; boundaries, preamble and epilogue stay', (t) => {
  for (const type of ['multipart/mixed;boundary=b', 'Multipart/Related; start=x; boundary="b"']) {
    const before = withBody(type, MIXED.join(''));
    t.deepEqual(found(before), [SDP], type);
    t.is(replaced(before), withBody(type, MIXED.join('').replace(SDP, OTHER)), type);
  }
});

test('[RFC5621] parts in parts, each description found, the length of a part follows', (t) => {
  const inner = `--i\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}\r\n--i--`;
  const outer = (x: string) =>
    `--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n${x}\r\n--o\r\nc: application/sdp\r\nContent-Disposition: Early-Session\r\n\r\n${SDP}\r\n--o--\r\n`;
  const before = withBody('multipart/mixed; boundary=o', outer(inner));
  t.deepEqual(found(before), [SDP, SDP]);
  t.deepEqual(
    descriptionsIn(request(before))?.map((one) => one.disposition),
    ['session', 'early-session'],
  );
  const after = replaced(before);
  t.true(after.includes(`Content-Length: ${OTHER.length}\r\n\r\n${OTHER}\r\n--i--`));
  t.is(
    Number(header(request(after), 'content-length')),
    request(after).text.length - request(after).bodyStart,
  );
});

test('[RFC4475] mpart01: a part may hold any octets', (t) => {
  const message = request(vector('torture', 'mpart01'));
  t.deepEqual(descriptionsIn(message), []);
});

test('a body that cannot be read to its end is not said to be without a description', (t) => {
  const part = `--b\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n`;
  const type = 'multipart/mixed;boundary=b';
  t.deepEqual(found(withBody(type, `${part}--b--`)), [SDP]);
  t.is(found(withBody(type, part)), undefined, 'no end');
  t.is(found(withBody('multipart/mixed', `${part}--b--`)), undefined, 'no boundary');
  const long = (n: number) => {
    const b = 'b'.repeat(n);
    return found(
      withBody(`multipart/mixed;boundary=${b}`, `${part.replace('--b', `--${b}`)}--${b}--`),
    );
  };
  t.deepEqual([long(70), long(71)], [[SDP], undefined]);
  t.is(found(withBody(type, `--b\r\nno field\r\n\r\n--b--`)), undefined, 'a part without a head');
  const packed = withBody(
    type,
    `--b\r\nc: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--`,
  );
  t.is(found(packed), undefined, 'base64');
  t.is(found(withBody('application/sdp', 'x', 'Content-Encoding: gzip')), undefined, 'gzip');
  t.is(found(withBody(type, `${part.repeat(33)}--b--`)), undefined, 'too many parts');
  let deep = SDP;
  let ct = 'application/sdp';
  for (let i = 0; i < 4; i++) {
    deep = `--d${i}\r\nContent-Type: ${ct}\r\n\r\n${deep}\r\n--d${i}--`;
    ct = `multipart/mixed;boundary=d${i}`;
  }
  t.deepEqual(found(withBody(ct, deep)), [SDP]);
  t.is(
    found(
      withBody('multipart/mixed;boundary=e', `--e\r\nContent-Type: ${ct}\r\n\r\n${deep}\r\n--e--`),
    ),
    undefined,
  );
});

test('any parts: the new description is read back, all other octets are the same', (t) => {
  const text = fc.string({
    unit: fc.constantFrom('-', 'b', '\r\n', ' ', '\xff', 'v=0'),
    maxLength: 12,
  });
  const head = fc.constantFrom(
    '',
    'X: y\r\n',
    'Content-Type: text/plain\r\n',
    'Content-ID: <1>\r\n',
  );
  const part = fc.tuple(head, text).map(([h, x]) => `${h}\r\n${x}`);
  const parts = fc.array(part, { maxLength: 3 });
  fc.assert(
    fc.property(parts, parts, text, text, (before, after, preamble, epilogue) => {
      const around = [...before, ...after, preamble, epilogue];
      if (around.some((one) => `\r\n${one}`.includes('\r\n--b'))) return true;
      const body = (sdp: string) => {
        const all = [...before, `Content-Type: application/sdp\r\n\r\n${sdp}`, ...after];
        return `${preamble}\r\n--b\r\n${all.join('\r\n--b\r\n')}\r\n--b--${epilogue}`;
      };
      const message = (sdp: string) => withBody('multipart/mixed;boundary=b', body(sdp));
      const edited = replaced(message(SDP));
      return edited === message(OTHER) && found(edited)?.join() === OTHER;
    }),
    { seed: 20_261_125, numRuns: 500 },
  );
  t.pass();
});

test('10,000 seeded mutations: no throw, and nothing found outside the body', (t) => {
  const random = generator(7);
  const vectors = [
    Buffer.from(withBody('multipart/mixed;boundary=b', MIXED.join('')), 'latin1'),
    ...names('recorded').map((name) => vector('recorded', name)),
    vector('torture', 'mpart01'),
  ];
  let lost = 0;
  for (let i = 0; i < 10_000; i++) {
    const b = mutate(vectors[i % vectors.length] ?? Buffer.alloc(0), random);
    let message: ReturnType<typeof datagram>;
    try {
      message = datagram(b);
    } catch {
      continue;
    }
    const list = descriptionsIn(message);
    if (list === undefined) lost += 1;
    const inside = list?.every(
      ({ range: r }) => r.start >= message.bodyStart && r.end <= message.bodyEnd,
    );
    if (inside === false) t.fail();
    const edit = new Edit(message);
    for (const one of list ?? []) replaceDescription(edit, one, Buffer.from(OTHER));
    edit.octets();
  }
  t.true(lost > 10 && lost < 5_000, `${lost}`);
});
