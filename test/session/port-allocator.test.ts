import test from 'ava';
import { PortAllocator, type PortAllocatorOptions } from '../../session/port-allocator.ts';
import { seededRandom } from '../sim/random.ts';

const UDP = 17;
const TCP = 6;
const HERE = Uint8Array.from([203, 0, 113, 1]);
const THERE = Uint8Array.from([203, 0, 113, 2]);
const SIX = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const ANY = { port: 0, pair: false };
const ANY_PAIR = { port: 0, pair: true };

function allocator(options: Partial<PortAllocatorOptions> = {}, seed = 1): PortAllocator {
  const random = seededRandom(seed);
  return new PortAllocator({
    range: { first: 20_000, last: 20_099 },
    maxPorts: 1000,
    seed: random.octets(8),
    random: random.octets,
    ...options,
  });
}

function ownerOf(
  ports: PortAllocator,
  address: Uint8Array,
  port: number,
  protocol: number,
): number {
  return ports.owners.find(address, 0, address.length, port, protocol);
}

test('[W-5] the wanted port is granted when it is free', (t) => {
  const ports = allocator();
  t.is(ports.take(HERE, UDP, { port: 20_050, pair: false }, 7), 20_050);
  t.is(ownerOf(ports, HERE, 20_050, UDP), 7);
});

test('[B8] two UEs behind one NAT that want the same port get different ones', (t) => {
  const ports = allocator();
  t.is(ports.take(HERE, UDP, { port: 20_050, pair: false }, 1), 20_050);
  const other = ports.take(HERE, UDP, { port: 20_050, pair: false }, 2);
  t.not(other, 20_050);
  t.true(other >= 20_000 && other <= 20_099);
  t.is(ownerOf(ports, HERE, 20_050, UDP), 1);
  t.is(ownerOf(ports, HERE, other, UDP), 2);
});

test('[W-5] address, protocol and family are separate port spaces', (t) => {
  const ports = allocator();
  const wish = { port: 20_050, pair: false };
  t.is(ports.take(HERE, UDP, wish, 1), 20_050);
  t.is(ports.take(HERE, TCP, wish, 2), 20_050);
  t.is(ports.take(THERE, UDP, wish, 3), 20_050);
  t.is(ports.take(SIX, UDP, wish, 4), 20_050);
});

test('[W-5] a wanted port outside the range or excluded is not granted', (t) => {
  const ports = allocator({ excluded: [20_080, 5] });
  for (const port of [80, 19_999, 20_100, 65_535, 20_080]) {
    const got = ports.take(HERE, UDP, { port, pair: false }, 1);
    t.not(got, port);
    t.true(got >= 20_000 && got <= 20_099);
  }
});

test('[RFC4787] a port that cannot be had is replaced by one of the same parity', (t) => {
  const ports = allocator();
  for (let i = 0; i < 50; i++) {
    t.is(ports.take(HERE, UDP, { port: 20_011, pair: false }, 1) % 2, 1);
  }
  // All odd ports are gone: then an even one.
  t.is(ports.take(HERE, UDP, { port: 20_011, pair: false }, 1) % 2, 0);
});

test('[W-5] a pair is an even port with its odd neighbour, each with its owner', (t) => {
  const ports = allocator();
  t.is(ports.take(HERE, UDP, { port: 20_040, pair: true }, 5, 6), 20_040);
  t.is(ownerOf(ports, HERE, 20_040, UDP), 5);
  t.is(ownerOf(ports, HERE, 20_041, UDP), 6);
  const odd = ports.take(HERE, UDP, { port: 20_051, pair: true }, 7);
  t.is(odd % 2, 0);
  t.not(odd, 20_050 + 1);
  // Wanted even port free, its neighbour not.
  t.is(ports.take(HERE, UDP, { port: 20_061, pair: false }, 8), 20_061);
  t.not(ports.take(HERE, UDP, { port: 20_060, pair: true }, 9), 20_060);
});

test('[W-5] the last free port and the last free pair are found, then 508', (t) => {
  const ports = allocator();
  const got = new Set<number>();
  for (let i = 0; i < 100; i++) got.add(ports.take(HERE, UDP, ANY, i));
  t.is(got.size, 100);
  t.false(got.has(0));
  t.is(ports.take(HERE, UDP, ANY, 1), 0);
  t.is(ports.take(HERE, UDP, { port: 20_001, pair: false }, 1), 0);
  t.true(ports.release(HERE, 20_044, UDP));
  t.true(ports.release(HERE, 20_047, UDP));
  t.is(ports.take(HERE, UDP, ANY_PAIR, 1), 0);
  t.true(ports.release(HERE, 20_045, UDP));
  t.is(ports.take(HERE, UDP, ANY_PAIR, 1), 20_044);
  t.is(ports.take(HERE, UDP, ANY, 1), 20_047);
  t.is(ports.take(HERE, UDP, ANY, 1), 0);
});

test('[W-5] a range that begins odd and ends even has its whole pairs only', (t) => {
  const ports = allocator({ range: { first: 20_001, last: 20_006 } });
  const got = [1, 2, 3].map(() => ports.take(HERE, UDP, ANY_PAIR, 1));
  t.deepEqual(got.toSorted(), [0, 20_002, 20_004]);
  t.is(allocator({ range: { first: 9, last: 9 } }).take(HERE, UDP, ANY_PAIR, 1), 0);
  t.is(allocator({ range: { first: 9, last: 9 } }).take(HERE, UDP, ANY, 1), 9);
});

test('[W-5] a full address is refused without a walk over its ports', (t) => {
  let dice = 0;
  const random = seededRandom(3);
  const ports = allocator({
    range: { first: 1024, last: 1027 },
    excluded: [1025],
    random: (length) => {
      dice += 1;
      return random.octets(length);
    },
  });
  for (let i = 0; i < 3; i++) t.not(ports.take(HERE, UDP, ANY, i), 0);
  const before = dice;
  t.is(ports.take(HERE, UDP, ANY, 9), 0);
  t.is(dice, before);
});

test('[G-22] ports are dealt by the random source, not in order', (t) => {
  const draw = (seed: number) => {
    const ports = allocator({ range: { first: 16_384, last: 65_535 } }, seed);
    return Array.from({ length: 20 }, (_, i) => ports.take(HERE, UDP, ANY, i));
  };
  const one = draw(1);
  t.notDeepEqual(one, draw(2));
  t.notDeepEqual(one, one.toSorted());
  const quarters = new Set(one.map((port) => Math.floor((port - 16_384) / 12_288)));
  t.is(quarters.size, 4);
});

test('[W-5] maxPorts bounds the ports of all addresses together', (t) => {
  const ports = allocator({ maxPorts: 3 });
  t.not(ports.take(HERE, UDP, ANY_PAIR, 1), 0);
  t.is(ports.take(THERE, UDP, ANY_PAIR, 1), 0);
  t.not(ports.take(THERE, UDP, ANY, 1), 0);
  t.is(ports.take(SIX, UDP, ANY, 1), 0);
  t.is(ports.owners.size, 3);
});

test('[W-5] 30 000 random takes and releases: one owner a port, nothing leaks', (t) => {
  const random = seededRandom(11);
  const ports = allocator({ excluded: [20_010] }, 12);
  const model = new Map<string, number>();
  const addresses = [HERE, THERE, SIX];
  for (let i = 0; i < 30_000; i++) {
    const address = addresses[random.below(3)] ?? HERE;
    const protocol = random.chance(0.5) ? UDP : TCP;
    const key = (port: number) => `${address} ${port} ${protocol}`;
    if (random.chance(0.5)) {
      const wish = {
        port: random.chance(0.5) ? 0 : 19_995 + random.below(110),
        pair: random.chance(0.3),
      };
      const port = ports.take(address, protocol, wish, i);
      if (port === 0) continue;
      const taken = wish.pair ? [port, port + 1] : [port];
      for (const p of taken) {
        if (model.has(key(p)) || p === 20_010 || p < 20_000 || p > 20_099) t.fail(`${p} at ${i}`);
        model.set(key(p), i);
      }
    } else {
      const port = 20_000 + random.below(100);
      if (ports.release(address, port, protocol) !== model.delete(key(port))) t.fail(`at ${i}`);
    }
  }
  t.is(ports.owners.size, model.size);
  for (const address of addresses) {
    for (let port = 20_000; port < 20_100; port++) {
      ports.release(address, port, UDP);
      ports.release(address, port, TCP);
    }
  }
  t.is(ports.owners.size, 0);
  t.is(ports.take(HERE, UDP, { port: 20_000, pair: true }, 1), 20_000);
});

test('ranges that cannot be are refused', (t) => {
  for (const range of [
    { first: 0, last: 10 },
    { first: 10, last: 9 },
    { first: 10, last: 65_536 },
    { first: 1.5, last: 9 },
  ]) {
    t.throws(() => allocator({ range }), { instanceOf: RangeError });
  }
});
