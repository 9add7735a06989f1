import test from 'ava';
import { MAX_VALUE_LEN } from '../../../framing/ng/bencode.ts';
import { encodeMessage, readDatagram } from '../../../framing/ng/message.ts';
import { NgStream } from '../../../framing/ng/stream.ts';
import { FAULTS, type Fault } from '../../../wire/faults.ts';
import { seededRandom } from '../../sim/random.ts';

const MESSAGES = [
  'a_1 d7:command4:pinge',
  'b d3:sdp5:e:i1ee',
  'c de',
  'd d4:listli7ei-12e0:l1:xed1:y0:eee',
].map((text) => Buffer.from(text));

function textsOf(pushed: ReturnType<NgStream['push']>): string[] {
  return typeof pushed === 'number' ? [`fault ${pushed}`] : pushed.map((one) => `${one}`);
}

test('the same messages, wherever the stream is split', (t) => {
  const whole = Buffer.concat(MESSAGES);
  const wanted = MESSAGES.map((one) => `${one}`);
  for (let split = 0; split <= whole.length; split++) {
    const stream = new NgStream();
    const parts = [whole.subarray(0, split), whole.subarray(split)];
    t.deepEqual(
      parts.flatMap((part) => textsOf(stream.push(part))),
      wanted,
      `${split}`,
    );
  }
  const stream = new NgStream();
  t.deepEqual(
    [...whole].flatMap((octet) => textsOf(stream.push(Uint8Array.of(octet)))),
    wanted,
  );
});

test('a message ends with its dictionary, not with the next one', (t) => {
  const stream = new NgStream();
  for (const message of MESSAGES) t.deepEqual(textsOf(stream.push(message)), [`${message}`]);
});

test('what is given out stays as it is', (t) => {
  const stream = new NgStream();
  const [first] = stream.push(Buffer.from('a de')) as readonly Uint8Array[];
  stream.push(Buffer.from('b d1:x1:ye'));
  t.is(`${first}`, 'a de');
});

test('a stream of something else is refused', (t) => {
  const cases: readonly (readonly [string, Fault])[] = [
    ['\r\nGET / HTTP/1.1', FAULTS.NG_COOKIE],
    ['GET / HTTP/1.1', FAULTS.BENCODE_TYPE],
    ['x'.repeat(300), FAULTS.NG_COOKIE],
    ['a i7e', FAULTS.BENCODE_TYPE],
    ['a 3:abc', FAULTS.BENCODE_TYPE],
    ['a d3x', FAULTS.BENCODE_TYPE],
    ['a d999999:', FAULTS.NG_TOO_LONG],
    [`a ${'l'.repeat(40)}`, FAULTS.BENCODE_DEEP],
  ];
  for (const [text, fault] of cases) t.is(new NgStream().push(Buffer.from(text)), fault, text);
});

test('a message of the longest length, octet by octet in chunks, and one more is refused', (t) => {
  const long = encodeMessage('a', new Map([['sdp', 'x'.repeat(MAX_VALUE_LEN - 20)]]));
  const stream = new NgStream();
  let found = 0;
  for (let at = 0; at < long.length; at += 100) {
    found += textsOf(stream.push(long.subarray(at, at + 100))).length;
  }
  t.is(found, 1);
  const endless = new NgStream();
  let pushed: ReturnType<NgStream['push']> = [];
  endless.push(Buffer.from('a l'));
  for (let i = 0; typeof pushed !== 'number'; i++) {
    t.true(i < 5_000);
    pushed = endless.push(Buffer.from('1:x'.repeat(100)));
  }
  t.is(pushed, FAULTS.NG_TOO_LONG);
});

test('10,000 mutations: no throw, and nothing whole that a reader of datagrams cannot begin with', (t) => {
  const random = seededRandom(11);
  const whole = Buffer.concat(MESSAGES);
  for (let i = 0; i < 10_000; i++) {
    const octets = Buffer.from(whole);
    octets[random.below(octets.length)] = random.below(256);
    const pushed = new NgStream().push(octets);
    if (typeof pushed === 'number') continue;
    for (const message of pushed) t.not(readDatagram(message, 0, message.length), undefined);
  }
  t.pass();
});
