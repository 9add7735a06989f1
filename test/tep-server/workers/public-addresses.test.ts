import test from 'ava';
import type { PublicAddress } from '../../../tep-server/workers/messages.ts';
import { PublicAddresses } from '../../../tep-server/workers/public-addresses.ts';
import { parseEndpoint } from '../../../wire/address.ts';

function bound(text: string, isBound = true): PublicAddress {
  const address = parseEndpoint(text);
  if (address === undefined) throw new RangeError(text);
  return { type: 'public-address', address, protocol: 17, isBound };
}

test('[G-22] the others are told, and a worker that begins hears what they have', (t) => {
  const told: Array<[PublicAddress, number]> = [];
  const all = new PublicAddresses((message, from) => told.push([message, from]));
  const [first, second] = [bound('192.0.2.1:4000'), bound('192.0.2.2:4000')];
  all.take(0, first);
  all.take(1, second);
  t.deepEqual(told, [
    [first, 0],
    [second, 1],
  ]);
  t.deepEqual(all.ofOthers(0), [second]);
  t.true(all.has(second.address, 17));
  t.false(all.has(second.address, 6));
  all.take(1, bound('192.0.2.2:4000', false));
  t.deepEqual(all.ofOthers(0), []);
  t.false(all.has(second.address, 17));
  t.deepEqual(told.at(-1), [bound('192.0.2.2:4000', false), 1]);
});

test("[G-22] what a worker had that died is nobody's", (t) => {
  const told: Array<[PublicAddress, number]> = [];
  const all = new PublicAddresses((message, from) => told.push([message, from]));
  all.take(0, bound('192.0.2.1:4000'));
  all.forget(0);
  t.deepEqual(told.at(-1), [bound('192.0.2.1:4000', false), 0]);
  t.deepEqual(all.ofOthers(1), []);
  t.false(all.has(bound('192.0.2.1:4000').address, 17));
});
