/** What is too long for a datagram, and what belongs to it. */
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { LongRequests } from '../../../tep-client/sip/long-requests.ts';
import { sip } from '../../sip/vectors.ts';

const MAX_BRANCHES = 256;

test('[RFC 3261 9.1] a CANCEL goes where its INVITE went, however often another one was repeated', async (t) => {
  const stream = new PassThrough();
  const long = new LongRequests({
    dial: () => ({ result: Promise.resolve(stream), abandon: () => {} }),
    events: { message() {}, alive() {}, bad() {}, refused() {}, gone() {} },
    byUdp: () => t.fail('by UDP'),
  });
  t.teardown(() => long.close());
  t.true(long.take(request('INVITE', 0)));
  // The connection is there.
  await setImmediate();
  for (let i = 1; i < MAX_BRANCHES; i++) t.true(long.take(request('INVITE', i)));
  for (let i = 0; i < 10; i++) t.true(long.take(request('INVITE', MAX_BRANCHES - 1)));
  t.true(long.take(request('CANCEL', 0)));
  t.true(long.take(request('INVITE', MAX_BRANCHES)));
  t.false(long.take(request('CANCEL', 0)), 'the oldest is forgotten for a new one');
  t.true(long.take(request('CANCEL', 1)));
});

function request(method: string, call: number): Buffer {
  return Buffer.from(
    sip([
      `${method} sip:bob@example.net SIP/2.0`,
      `Via: SIP/2.0/UDP tep.invalid;branch=z9hG4bK${call}`,
      ...(method === 'INVITE' ? [`X-Long: ${'x'.repeat(1_300)}`] : []),
      'From: <sip:alice@example.org>;tag=a',
      'To: <sip:bob@example.net>',
      `Call-ID: call${call}`,
      `CSeq: 1 ${method}`,
      'Max-Forwards: 70',
    ]),
    'latin1',
  );
}
