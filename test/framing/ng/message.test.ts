import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import {
  encodeMessage,
  MAX_COOKIE_LEN,
  type NgMessage,
  octetsOf,
  readDatagram,
  readMessage,
  stringOf,
  withValues,
} from '../../../framing/ng/message.ts';
import { faultName } from '../../../wire/faults.ts';
import { generator, mutate } from '../../wire/standing.ts';
import { NAMES, vector } from './vectors.ts';

function read(text: string | Uint8Array): NgMessage {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const message = readDatagram(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error(faultName(message));
  return message;
}

function fault(text: string): string {
  const octets = Buffer.from(text, 'latin1');
  const message = readDatagram(octets, 0, octets.length);
  return typeof message === 'number' ? faultName(message) : 'none';
}

function text(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}

test('cookie, command, session description', (t) => {
  const message = read('12_ab d7:command5:offer3:sdp5:v=0\r\n2:noi1ee');
  t.is(message.cookie, '12_ab');
  t.is(stringOf(message, 'command'), 'offer');
  t.deepEqual(octetsOf(message, 'sdp'), Buffer.from('v=0\r\n'));
  t.is(stringOf(message, 'no'), undefined);
  t.is(octetsOf(message, 'call-id'), undefined);
});

test('what is no ng message', (t) => {
  t.is(fault(''), 'bencode-short');
  t.is(fault('cookie'), 'bencode-short');
  t.is(fault('c d1:a'), 'bencode-short');
  t.is(fault(' de'), 'ng-cookie');
  t.is(fault('a\nb de'), 'ng-cookie');
  t.is(fault('\xff de'), 'ng-cookie');
  t.is(fault(`${'c'.repeat(MAX_COOKIE_LEN)} de`), 'none');
  t.is(fault(`${'c'.repeat(MAX_COOKIE_LEN + 1)} de`), 'ng-cookie');
  t.is(fault('c le'), 'bencode-type');
  t.is(fault('c de\n'), 'bencode-rest');
  t.is(fault('c {"json":1}'), 'bencode-type');
});

test('on a stream each message tells where it ends', (t) => {
  const all = ['1 d7:command4:pinge', '2 d6:result4:ponge'];
  const octets = Buffer.from(all.join(''), 'latin1');
  const first = readMessage(octets, 0, octets.length);
  if (typeof first !== 'object') return t.fail();
  const second = readMessage(octets, first.end, octets.length);
  t.is(typeof second === 'object' ? second.cookie : '', '2');
  for (let n = 0; n < first.end; n++) t.is(readMessage(octets, 0, n), 'need-more', `${n}`);
  return t.pass();
});

test('every recorded message is read whole and comes out as it is', (t) => {
  t.true(NAMES.length >= 8);
  for (const name of NAMES) {
    const octets = vector(name);
    const message = read(octets);
    t.true(Buffer.from(withValues(message, new Map())).equals(octets), name);
  }
});

test('another description: all other octets of a recorded offer stay', (t) => {
  const octets = vector('1-offer');
  const message = read(octets);
  const sdp = stringOf(message, 'sdp') ?? '';
  const longer = sdp.replace('a=sendrecv', 'a=sendrecv\r\na=ice-options:tep\r\na=3gpp-tep:443 TLS');
  const after = withValues(message, new Map([['sdp', Buffer.from(longer, 'latin1')]]));
  const was = `3:sdp${sdp.length}:${sdp}`;
  t.is(text(after), octets.toString('latin1').replace(was, `3:sdp${longer.length}:${longer}`));
});

test('a value is replaced, a key taken out, a new one goes to the end', (t) => {
  const message = read('c d1:bi1e1:ale1:c1:xe');
  const after = withValues(
    message,
    new Map<string, string | number | undefined>([
      ['d', 'new'],
      ['a', 7],
      ['b', undefined],
    ]),
  );
  t.is(text(after), 'c d1:ai7e1:c1:x1:d3:newe');
});

test('a request of our own', (t) => {
  const octets = encodeMessage(
    '7',
    new Map([
      ['command', 'list'],
      ['limit', '10'],
    ]),
  );
  t.is(text(octets), '7 d7:command4:list5:limit2:10e');
});

test('any change of any message: it reads as the new value, all other octets are the same', (t) => {
  const key = fc.constantFrom('sdp', 'call-id', 'flags', 'other key', 'é');
  const pairs = fc.uniqueArray(fc.tuple(key, fc.uint8Array({ maxLength: 9 })), {
    selector: ([k]) => k,
  });
  fc.assert(
    fc.property(pairs, key, fc.uint8Array(), (before, changed, bytes) => {
      const message = read(encodeMessage('c', new Map(before)));
      const latin1Key = Buffer.from(changed).toString('latin1');
      if (changed !== latin1Key) return true;
      const wanted = new Map(before).set(changed, bytes);
      const after = withValues(message, new Map([[changed, bytes]]));
      return text(after) === text(encodeMessage('c', wanted));
    }),
    { seed: 20_261_125, numRuns: 500 },
  );
  t.pass();
});

test('10,000 seeded mutations of recorded messages: no throw, no octet outside', (t) => {
  const random = generator(11);
  const vectors = NAMES.map(vector);
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    const b = mutate(vectors[i % vectors.length] ?? Buffer.alloc(0), random);
    const message = readDatagram(b, 0, b.length);
    if (typeof message === 'number') refused += 1;
    else if (withValues(message, new Map([['sdp', 'x']])).length > b.length + 16) t.fail();
  }
  t.true(refused > 500 && refused < 9_500, `${refused}`);
});
