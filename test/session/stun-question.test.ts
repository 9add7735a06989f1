/** The question of an ordinary STUN client by UDP (M-05; RFC 8489 6.2.1). */
import test from 'ava';
import { StunQuestion } from '../../session/stun-question.ts';
import { answerBinding } from '../../wire/stun/binding.ts';
import { decode, encode, type StunMessage } from '../../wire/stun/message.ts';
import { seededRandom } from '../sim/random.ts';
import { endpoint, START_MS } from './direct.ts';

const OURS = endpoint('198.51.100.7:40000');

function ask() {
  const question = new StunQuestion(seededRandom(1).octets);
  const step = question.poll(START_MS);
  if (step?.type !== 'send') throw new RangeError('nothing to send');
  const request = decode(step.octets, 0, step.octets.length);
  if (typeof request === 'number') throw new RangeError('no STUN');
  return { question, octets: step.octets, request };
}

function answerTo(request: StunMessage): Uint8Array {
  const answer = answerBinding(request, OURS, 'test');
  if (answer === undefined) throw new RangeError('no answer');
  return answer;
}

test('[M-05] a plain Binding request with FINGERPRINT, and the address in its answer', (t) => {
  const { question, request } = ask();
  t.is(request.class, 'request');
  t.deepEqual(request.attributes, []);
  t.not(request.fingerprintAt, 0);
  const answer = answerTo(request);
  t.deepEqual(question.answer(answer, 0, answer.length), OURS);
  t.is(question.nextTimeout(), Number.POSITIVE_INFINITY);
  t.is(question.answer(answer, 0, answer.length), undefined, 'a second one');
});

test('[RFC8489] sent again after 500 ms and at doubling intervals, given up after 39.5 s', (t) => {
  const { question, octets } = ask();
  const sent: number[] = [];
  let silentMs = 0;
  while (silentMs === 0) {
    const now = question.nextTimeout();
    t.is(question.poll(now - 1), undefined);
    const step = question.poll(now);
    if (step?.type === 'silent') silentMs = now - START_MS;
    else if (step !== undefined) {
      t.deepEqual(step.octets, octets);
      sent.push(now - START_MS);
    }
  }
  t.deepEqual(sent, [500, 1500, 3500, 7500, 15_500, 31_500]);
  t.is(silentMs, 39_500);
  t.is(question.poll(START_MS + 100_000), undefined);
});

test('[RFC8489] its time begins when it is first sent, however late that is', (t) => {
  const question = new StunQuestion(seededRandom(1).octets);
  t.is(question.poll(START_MS + 10_000)?.type, 'send');
  t.is(question.poll(START_MS + 10_499), undefined);
  t.is(question.nextTimeout(), START_MS + 10_500);
});

test('[RFC8489] what is late is sent at once, one after the other, and then given up', (t) => {
  const { question } = ask();
  const steps = [];
  for (let step = question.poll(1e15); step !== undefined; step = question.poll(1e15)) {
    steps.push(step.type);
  }
  t.deepEqual(steps, [...Array(6).fill('send'), 'silent']);
});

test('[M-05] nonsense, an error and the answer to another question are not the answer', (t) => {
  const { question, request } = ask();
  const other = answerTo({ ...request, transactionId: new Uint8Array(12).fill(9) });
  const { transactionId } = request;
  const code = { type: 'ERROR-CODE', value: { code: 400, reason: 'no' } } as const;
  const error = encode({ class: 'error', method: 1, transactionId, attributes: [code] });
  const empty = encode({ class: 'success', method: 1, transactionId, attributes: [] });
  for (const b of [new Uint8Array(0), new Uint8Array(30).fill(7), other, error, empty]) {
    t.is(question.answer(b, 0, b.length), undefined);
  }
  const answer = answerTo(request);
  t.deepEqual(question.answer(answer, 0, answer.length), OURS);
});
