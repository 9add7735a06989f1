import { Buffer } from 'node:buffer';
import test from 'ava';
import type { Endpoint } from '../../../wire/address.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { answerBinding, answerBroken, keepAlive } from '../../../wire/stun/binding.ts';
import {
  decode,
  encode,
  find,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import * as vectors from './vectors.ts';

const CLIENT: Endpoint = { family: 4, address: Uint8Array.of(192, 0, 2, 1), port: 32853 };

function read(octets: Uint8Array | undefined): StunMessage {
  const message = decode(octets ?? new Uint8Array(), 0, octets?.length ?? 0);
  if (typeof message === 'number') throw new Error(`fault ${message}`);
  return message;
}

function request(change: Partial<StunParts> = {}, fingerprint = false): StunMessage {
  const parts: StunParts = {
    class: 'request',
    method: 1,
    transactionId: vectors.TRANSACTION_ID,
    attributes: [],
  };
  return read(encode({ ...parts, ...change }, { fingerprint }));
}

test('[M-05] a plain Binding request is answered with the address that it came from', (t) => {
  for (const fingerprint of [false, true]) {
    const response = read(answerBinding(request({}, fingerprint), CLIENT, 'tep'));
    t.is(response.class, 'success');
    t.is(response.method, 1);
    t.deepEqual(response.transactionId, vectors.TRANSACTION_ID);
    t.deepEqual(response.attributes, [
      { type: 'XOR-MAPPED-ADDRESS', value: CLIENT },
      { type: 'SOFTWARE', value: 'tep' },
    ]);
    t.is(response.fingerprintAt !== 0, fingerprint);
  }
});

test('[B5] unknown required attributes, and those of RFC 5780 that we do not serve: 420', (t) => {
  const attributes: Attribute[] = [
    { type: 'unknown', number: 0x7777, value: new Uint8Array(0) },
    { type: 'RESPONSE-PORT', value: 1 },
    { type: 'PRIORITY', value: 1 },
  ];
  const response = read(answerBinding(request({ attributes }), CLIENT, 'tep'));
  t.is(response.class, 'error');
  t.is(find(response, 'ERROR-CODE')?.code, 420);
  t.deepEqual(find(response, 'UNKNOWN-ATTRIBUTES'), [0x7777, 0x0027]);
});

test('[B5] nothing but a Binding request is answered', (t) => {
  t.is(answerBinding(request({ class: 'indication' }), CLIENT, 'tep'), undefined);
  t.is(answerBinding(request({ class: 'success' }), CLIENT, 'tep'), undefined);
  t.is(answerBinding(request({ method: 3 }), CLIENT, 'tep'), undefined);
});

test('[M-19] keep-alive: a Binding indication with FINGERPRINT and nothing else', (t) => {
  t.deepEqual(keepAlive(vectors.TRANSACTION_ID), vectors.KEEP_ALIVE);
});

test('[B5] a request with a broken attribute gets a 400; what is no request gets nothing', (t) => {
  const broken = Uint8Array.from(vectors.REQUEST);
  broken[23] = 0xff;
  const { b, at, end } = vectors.poisoned(broken);
  t.is(typeof decode(b, at, end), 'number');
  const response = read(answerBroken(b, at, end));
  t.is(response.class, 'error');
  t.is(find(response, 'ERROR-CODE')?.code, 400);
  t.deepEqual(response.transactionId, vectors.TRANSACTION_ID);
  t.is(answerBroken(vectors.RESPONSE_IPV4, 0, vectors.RESPONSE_IPV4.length), undefined);
  t.is(answerBroken(vectors.KEEP_ALIVE, 0, vectors.KEEP_ALIVE.length), undefined);
  t.is(answerBroken(Buffer.from('GET / HTTP/1.1\r\n\r\n  '), 0, 20), undefined);
});
