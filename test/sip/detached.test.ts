/** What is kept of messages keeps no messages in memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import type { Message, Request, Response } from '../../sip/message.ts';
import { OfferAnswer } from '../../sip/offer-answer.ts';
import { Registrations } from '../../sip/registrations.ts';
import { MAX_CONTACTS, Phones } from '../../sip/sidecar/phones.ts';
import { PEER } from './sidecar/driver.ts';
import { datagram, sip } from './vectors.ts';

const LONG = 30_000;
const COUNT = MAX_CONTACTS;
/** A fifth of their messages. */
const MOST = (COUNT * LONG) / 5;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

test.serial('calls and their forks', (t) => {
  const calls = new OfferAnswer();
  const grown = growth((i) => {
    calls.request('phone', message('INVITE', i) as Request, undefined, 0);
    calls.response('core', message('INVITE', i, 180) as Response, undefined, 0);
  });
  t.true(grown < MOST, `${grown}`);
  t.is(calls.standing().length, COUNT + 1);
});

test.serial('contacts of phones', (t) => {
  const phones = new Phones();
  const grown = growth((i) => phones.learn(message('OPTIONS', i), PEER));
  t.true(grown < MOST, `${grown}`);
});

test.serial('registrations', (t) => {
  const registrations = new Registrations();
  const grown = growth((i) => {
    const request = message('REGISTER', i) as Request;
    registrations.response(request, message('REGISTER', i, 200) as Response, 0);
  });
  t.true(grown < MOST, `${grown}`);
  t.is(registrations.bindings(0).length, COUNT);
});

/** Octets that are kept of so many. */
function growth(take: (i: number) => void): number {
  take(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 1; i <= COUNT; i++) take(i);
  collect();
  return process.memoryUsage().heapUsed - before;
}

/** Every name in it is long enough to be no copy. */
function message(method: string, i: number, status?: number): Message {
  const user = `user-with-a-long-name-${i}`;
  const first =
    status === undefined ? `${method} sip:${user}@example.net SIP/2.0` : `SIP/2.0 ${status} Said`;
  return datagram(
    sip([
      first,
      `Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-a-long-branch-${i}`,
      `X-Long: ${'x'.repeat(LONG)}`,
      `From: <sip:${user}@example.org>;tag=a-tag-of-some-length-${i}`,
      `To: <sip:${user}@example.net>${status === undefined ? '' : `;tag=b-tag-of-some-length-${i}`}`,
      `Call-ID: a-call-of-some-length-${i}@example.org`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:${user}@10.0.0.2:5060>;+sip.instance="<urn:uuid:00000000-0000-${i}>"`,
      'Max-Forwards: 70',
    ]),
  );
}
