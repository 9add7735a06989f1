import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import type { Request } from '../../../sip/message.ts';
import { MAX_OCTETS, MAX_TRANSACTIONS, Transactions } from '../../../sip/sidecar/transactions.ts';
import { request } from '../vectors.ts';
import { PEER } from './driver.ts';

const VIAS = 'SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1';

function begun(register?: Request) {
  return { vias: VIAS, peer: PEER, register };
}

function branches(transactions: Transactions, method: string, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  return all.filter((i) => transactions.of(method, `b${i}`) !== undefined);
}

test('[RFC 3261 16.7] those that have their final answer make room for new ones, oldest first', (t) => {
  const transactions = new Transactions();
  transactions.begin('INVITE', 'rings', begun());
  for (let i = 0; i < MAX_TRANSACTIONS - 1; i++) transactions.begin('OPTIONS', `b${i}`, begun());
  transactions.answered('OPTIONS', 'b7');
  transactions.answered('OPTIONS', 'b5');
  transactions.begin('BYE', 'new', begun());
  transactions.begin('BYE', 'newer', begun());
  t.truthy(transactions.of('INVITE', 'rings'));
  t.truthy(transactions.of('BYE', 'newer'));
  const left = branches(transactions, 'OPTIONS', MAX_TRANSACTIONS - 1);
  t.is(left.length, MAX_TRANSACTIONS - 3);
  t.false(left.includes(7));
  t.false(left.includes(5));
});

test('[RFC 3261 16.7] where none is answered the oldest makes room', (t) => {
  const transactions = new Transactions();
  const count = MAX_TRANSACTIONS + 3;
  for (let i = 0; i < count; i++) transactions.begin('OPTIONS', `b${i}`, begun());
  t.is(transactions.of('OPTIONS', 'b2'), undefined);
  t.is(branches(transactions, 'OPTIONS', count).length, MAX_TRANSACTIONS);
});

test('[RFC 3261 17.2] a final answer that comes again still finds who asked', (t) => {
  const transactions = new Transactions();
  for (let i = 0; i < 3 * MAX_TRANSACTIONS; i++) {
    transactions.begin('BYE', `b${i}`, begun());
    transactions.answered('BYE', `b${i}`);
    transactions.begin('BYE', `b${i}`, begun());
    t.is(transactions.of('BYE', `b${i}`)?.vias, VIAS);
  }
  t.is(branches(transactions, 'BYE', 3 * MAX_TRANSACTIONS).length, MAX_TRANSACTIONS);
});

test('[RFC 3261 10] what is kept of long REGISTERs is bounded in octets', (t) => {
  const transactions = new Transactions();
  const length = 60_000;
  const lines = [
    'REGISTER sip:example.org SIP/2.0',
    `X-Long: ${'x'.repeat(length)}`,
    'Content-Length: 0',
  ];
  const register = request(`${lines.join('\r\n')}\r\n\r\n`);
  const count = 1_000;
  for (let i = 0; i < count; i++) transactions.begin('REGISTER', `b${i}`, begun(register));
  const left = branches(transactions, 'REGISTER', count);
  t.is(left.length, Math.floor(MAX_OCTETS / (register.text.length + VIAS.length)));
  t.is(left.at(-1), count - 1);
});

test('what has come and gone leaves nothing behind', (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const transactions = new Transactions();
  const pass = (from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      transactions.begin('BYE', `b${i}`, begun());
      transactions.answered('BYE', `b${i}`);
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = pass(0, 20_000);
  const grown = pass(20_000, 100_000) - before;
  t.true(grown < 3_000_000, `${grown} octets for 100 000 requests`);
  t.truthy(transactions.of('BYE', 'b119999'));
});
