import test from 'ava';
import { SessionCache } from '../../../io/dial/session-cache.ts';

const session = (text: string) => Buffer.from(text);

test('[R-10] tickets are used once, the newest first; a session of TLS 1.2 stays', (t) => {
  const cache = new SessionCache();
  cache.keep('a', session('1'), true);
  cache.keep('a', session('2'), true);
  t.deepEqual([cache.take('a'), cache.take('a'), cache.take('a')].map(String), [
    '2',
    '1',
    'undefined',
  ]);
  cache.keep('b', session('3'), false);
  cache.keep('b', session('4'), false);
  t.deepEqual([cache.take('b'), cache.take('b')].map(String), ['4', '4']);
  t.is(cache.take('c'), undefined);
});

test('so many tickets of a server, and so many servers: the oldest go', (t) => {
  const cache = new SessionCache();
  for (let i = 0; i < 20; i++) cache.keep('many', session(String(i)), true);
  let kept = 0;
  while (cache.take('many') !== undefined) kept += 1;
  t.is(kept, 8);
  for (let i = 0; i < 20; i++) cache.keep(`server ${i}`, session('x'), false);
  t.is(cache.take('server 3'), undefined);
  t.not(cache.take('server 4'), undefined);
});
