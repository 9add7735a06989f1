import test from 'ava';
import { EndpointTable } from '../../session/endpoint-table.ts';
import { hashKey, keyedHash } from '../../session/keyed-hash.ts';
import { seededRandom } from '../sim/random.ts';

const SEED = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]);
const UDP = 17;
const TCP = 6;

/** HalfSipHash written again from its definition, on octets and with free round counts. */
function halfSipHash(c: number, d: number, key: Uint8Array, message: Uint8Array): number {
  const le = (b: Uint8Array, at: number) => Buffer.from(b).readUInt32LE(at);
  const rotl = (x: number, n: number) => ((x << n) | (x >>> (32 - n))) >>> 0;
  const v: [number, number, number, number] = [
    le(key, 0),
    le(key, 4),
    (0x6c796765 ^ le(key, 0)) >>> 0,
    (0x74656462 ^ le(key, 4)) >>> 0,
  ];
  const round = () => {
    v[0] = (v[0] + v[1]) >>> 0;
    v[1] = (rotl(v[1], 5) ^ v[0]) >>> 0;
    v[0] = rotl(v[0], 16);
    v[2] = (v[2] + v[3]) >>> 0;
    v[3] = (rotl(v[3], 8) ^ v[2]) >>> 0;
    v[0] = (v[0] + v[3]) >>> 0;
    v[3] = (rotl(v[3], 7) ^ v[0]) >>> 0;
    v[2] = (v[2] + v[1]) >>> 0;
    v[1] = (rotl(v[1], 13) ^ v[2]) >>> 0;
    v[2] = rotl(v[2], 16);
  };
  const absorb = (word: number, rounds: number) => {
    v[3] = (v[3] ^ word) >>> 0;
    for (let i = 0; i < rounds; i++) round();
    v[0] = (v[0] ^ word) >>> 0;
  };
  const whole = message.length - (message.length % 4);
  for (let at = 0; at < whole; at += 4) absorb(le(message, at), c);
  let last = (message.length << 24) >>> 0;
  for (let i = whole; i < message.length; i++) {
    last = (last | ((message[i] ?? 0) << (8 * (i - whole)))) >>> 0;
  }
  absorb(last, c);
  v[2] = (v[2] ^ 0xff) >>> 0;
  for (let i = 0; i < d; i++) round();
  return (v[1] ^ v[3]) >>> 0;
}

function wordsSwapped(b: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.from(b).swap32());
}

test('the hash is HalfSipHash-1-3 over address, port and protocol', (t) => {
  // First published vector of HalfSipHash-2-4: the judge itself is right.
  t.is(halfSipHash(2, 4, SEED, new Uint8Array(0)), 0x5b9f35a9);
  const random = seededRandom(7);
  for (let i = 0; i < 200; i++) {
    const key = random.octets(8);
    const length = i % 2 === 0 ? 4 : 16;
    const b = random.octets(40);
    const tail = random.below(2 ** 24);
    const message = Buffer.concat([
      wordsSwapped(b.slice(9, 9 + length)),
      Buffer.from([tail & 0xff, (tail >> 8) & 0xff, tail >> 16]),
    ]);
    const hash = keyedHash(hashKey(key), b, 9, length, tail) >>> 0;
    t.is(hash, halfSipHash(1, 3, wordsSwapped(key), message));
  }
});

test('what was set is found, by protocol, port, address and family', (t) => {
  const table = new EndpointTable({ seed: SEED, maxEntries: 100 });
  const b = Uint8Array.from([0xa5, 192, 0, 2, 1, 0xa5]);
  t.is(table.find(b, 1, 4, 5000, UDP), -1);
  t.true(table.set(b, 1, 4, 5000, UDP, 7));
  t.is(table.find(b, 1, 4, 5000, UDP), 7);
  t.is(table.find(b, 1, 4, 5000, TCP), -1);
  t.is(table.find(b, 1, 4, 5001, UDP), -1);
  t.is(table.find(b, 0, 4, 5000, UDP), -1);
  // The IPv6 address that begins with the same octets is another key.
  const six = new Uint8Array(16);
  six.set([192, 0, 2, 1]);
  t.is(table.find(six, 0, 16, 5000, UDP), -1);
  t.true(table.set(six, 0, 16, 5000, UDP, 0x7fff_ffff));
  t.is(table.find(six, 0, 16, 5000, UDP), 0x7fff_ffff);
  t.true(table.set(b, 1, 4, 5000, UDP, 0));
  t.is(table.find(b, 1, 4, 5000, UDP), 0);
  t.is(table.size, 2);
});

test('at its maximum the table refuses new keys and still changes old ones', (t) => {
  const table = new EndpointTable({ seed: SEED, maxEntries: 40 });
  const b = Uint8Array.from([10, 0, 0, 1]);
  for (let port = 0; port < 40; port++) t.true(table.set(b, 0, 4, port, UDP, port));
  t.false(table.set(b, 0, 4, 40, UDP, 40));
  t.is(table.find(b, 0, 4, 40, UDP), -1);
  t.true(table.set(b, 0, 4, 39, UDP, 1));
  t.is(table.size, 40);
  t.is(table.octets, 128 * 24);
  t.true(table.delete(b, 0, 4, 0, UDP));
  t.true(table.set(b, 0, 4, 40, UDP, 40));
});

test('the table behaves as a Map does under 60 000 random operations', (t) => {
  const random = seededRandom(20);
  const table = new EndpointTable({ seed: random.octets(8), maxEntries: 300 });
  const model = new Map<string, number>();
  for (let i = 0; i < 60_000; i++) {
    // Few addresses and ports: long runs, wrap-around and re-use of freed slots all happen.
    const length = random.below(2) === 0 ? 4 : 16;
    const b = new Uint8Array(24).fill(0xa5);
    b[3] = random.below(8);
    const port = random.below(32);
    const protocol = random.below(2) === 0 ? UDP : TCP;
    const key = `${length} ${b[3]} ${port} ${protocol}`;
    const value = random.below(1000);
    const kind = random.below(5);
    if (kind < 2) {
      const fits = model.has(key) || model.size < 300;
      if (fits) model.set(key, value);
      if (table.set(b, 3, length, port, protocol, value) !== fits) t.fail(`set ${key} at ${i}`);
    } else if (kind < 4) {
      if (table.delete(b, 3, length, port, protocol) !== model.delete(key)) {
        t.fail(`delete ${key} at ${i}`);
      }
    }
    if (table.find(b, 3, length, port, protocol) !== (model.get(key) ?? -1)) {
      t.fail(`find ${key} at ${i}`);
    }
  }
  t.is(table.size, model.size);
  t.true(table.octets <= 1024 * 24);
});

test('[G-22] keys that collide under one seed do not under another', (t) => {
  const b = new Uint8Array(4);
  const first = hashKey(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
  const second = hashKey(SEED);
  const colliding: number[] = [];
  for (let port = 0; port < 65_536; port++) {
    if ((keyedHash(first, b, 0, 4, (port << 8) | UDP) & 0xff) === 0) colliding.push(port);
  }
  t.true(colliding.length > 200);
  const homes = new Set(
    colliding.map((port) => keyedHash(second, b, 0, 4, (port << 8) | UDP) & 0xff),
  );
  t.true(homes.size > 128, `${homes.size} of 256 homes`);
});

test('find allocates nothing', (t) => {
  const table = new EndpointTable({ seed: SEED, maxEntries: 5000 });
  const b = Uint8Array.from([10, 0, 0, 1]);
  for (let port = 0; port < 5000; port++) table.set(b, 0, 4, port, UDP, port);
  let found = 0;
  const ask = () => {
    for (let i = 0; i < 400_000; i++) found += table.find(b, 0, 4, i & 0x1fff, UDP) >= 0 ? 1 : 0;
  };
  ask();
  const before = process.memoryUsage().heapUsed;
  ask();
  const grown = process.memoryUsage().heapUsed - before;
  t.true(grown < 400_000, `${grown} octets for 400 000 questions`);
  t.true(found > 0);
});

test('our own wrong arguments throw', (t) => {
  const b = new Uint8Array(16);
  const table = new EndpointTable({ seed: SEED, maxEntries: 4 });
  t.throws(() => table.set(b, 0, 5, 1, UDP, 1), { instanceOf: RangeError });
  t.throws(() => table.set(b, 13, 4, 1, UDP, 1), { instanceOf: RangeError });
  t.throws(() => table.set(b, 0, 4, 65_536, UDP, 1), { instanceOf: RangeError });
  t.throws(() => table.set(b, 0, 4, 1, 256, 1), { instanceOf: RangeError });
  t.throws(() => table.set(b, 0, 4, 1, UDP, -1), { instanceOf: RangeError });
  t.throws(() => new EndpointTable({ seed: b, maxEntries: 4 }), { instanceOf: RangeError });
  t.throws(() => new EndpointTable({ seed: SEED, maxEntries: 0 }), { instanceOf: RangeError });
});
