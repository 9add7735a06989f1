import test from 'ava';
import { KINDS, MAX_BODY_LEN, MessageReader } from '../../../io/cap/messages.ts';
import { frameMessage, message, openedMessage } from './child.ts';

const STREAM = Buffer.concat([
  openedMessage(1),
  frameMessage(7, 'one'),
  frameMessage(8, ''),
  message(KINDS.CLOSED, new Uint8Array(0)),
]);
const WHOLE = [
  `${KINDS.OPENED} 00000001`,
  `${KINDS.FRAME} 0000000700001388${Buffer.from('one').toString('hex')}`,
  `${KINDS.FRAME} 0000000800001388`,
  `${KINDS.CLOSED} `,
];

function reader(): [MessageReader, string[]] {
  const seen: string[] = [];
  const take = (kind: number, b: Uint8Array, at: number, end: number) => {
    seen.push(`${kind} ${Buffer.from(b.subarray(at, end)).toString('hex')}`);
  };
  return [new MessageReader(take), seen];
}

test('the same messages wherever the stream is cut', (t) => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const [messages, seen] = reader();
    messages.input(STREAM.subarray(0, cut));
    messages.input(STREAM.subarray(cut));
    t.deepEqual(seen, WHOLE);
  }
  const [messages, seen] = reader();
  for (const octet of STREAM) messages.input(Uint8Array.of(octet));
  t.deepEqual(seen, WHOLE);
});

test('the longest frame is taken; a longer message is not waited for', (t) => {
  const [messages, seen] = reader();
  t.true(messages.input(message(KINDS.FRAME, new Uint8Array(MAX_BODY_LEN))));
  t.is(seen.length, 1);
  const tooLong = message(KINDS.FRAME, new Uint8Array(MAX_BODY_LEN + 1)).subarray(0, 5);
  t.false(messages.input(tooLong));
  t.is(seen.length, 1);
});
