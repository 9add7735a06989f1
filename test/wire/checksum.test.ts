import test from 'ava';
import fc from 'fast-check';
import * as checksum from '../../wire/checksum.ts';
import { hex, oracleChecksum, poisoned } from './packets.ts';

const SEED = { seed: 20_261_121 };

test('[RFC1071] the example of section 3', (t) => {
  const { b, at, end } = poisoned(hex('0001 f203 f4f5 f6f7'));
  t.is(checksum.sumOf(b, at, end), 0x2ddf0);
  t.is(checksum.fold(0x2ddf0), 0xddf2);
  t.is(checksum.checksumOf(0x2ddf0), 0x220d);
});

test('[RFC1071] an odd octet is the upper half of a word', (t) => {
  const { b, at, end } = poisoned(hex('0102 03'));
  t.is(checksum.sumOf(b, at, end), 0x0102 + 0x0300);
  t.is(checksum.sumOf(b, at, at), 0);
});

test('[RFC1071] any octets: equal to the remainder by 65535', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 700 }), (octets) => {
    const { b, at, end } = poisoned(octets);
    return checksum.checksumOf(checksum.sumOf(b, at, end)) === oracleChecksum(octets);
  });
  t.notThrows(() => fc.assert(property, SEED));
});

test('[RFC1071] any part of the same buffer again: equal to the remainder by 65535', (t) => {
  const b = Uint8Array.from({ length: 800 }, (_, i) => (i * 151) ^ (i >> 3)).subarray(3);
  for (let at = 0; at < 9; at++) {
    for (let end = at; end <= b.length; end++) {
      const expected = oracleChecksum(b.subarray(at, end));
      t.is(checksum.checksumOf(checksum.sumOf(b, at, end)), expected, `${at} to ${end}`);
    }
  }
});

test('[RFC1071] the longest packet of all ones does not overflow', (t) => {
  const octets = new Uint8Array(65_535).fill(0xff);
  t.is(checksum.checksumOf(checksum.sumOf(octets, 0, octets.length)), oracleChecksum(octets));
  t.is(checksum.fold(0xffff_ffff), 0xffff);
});

test('[RFC1624] the example of section 4: equation 3 gives 0000, not FFFF', (t) => {
  t.is(checksum.update(0xdd2f, checksum.wordDelta(0x5555, 0x3285)), 0x0000);
});

test('[RFC1624] update equals recomputation for 4 and 16 octets', (t) => {
  const property = fc.property(
    fc.constantFrom(4, 16),
    fc.uint8Array({ minLength: 40, maxLength: 60 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    (n, octets, replacement) => {
      const { b, at, end } = poisoned(octets);
      const before = checksum.checksumOf(checksum.sumOf(b, at, end));
      const delta = checksum.replace(b, at + 8, replacement, 0, n);
      const after = checksum.checksumOf(checksum.sumOf(b, at, end));
      const allZero = b.subarray(at, end).every((octet) => octet === 0);
      return allZero || octets.every((o) => o === 0) || checksum.update(before, delta) === after;
    },
  );
  t.notThrows(() => fc.assert(property, SEED));
});

test('[RFC1624] every word to every edge value on every edge checksum', (t) => {
  const edges = [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff];
  for (const rest of edges.slice(1)) {
    for (const before of edges) {
      for (const after of edges) {
        const old = checksum.checksumOf(rest + before);
        const wanted = checksum.checksumOf(rest + after);
        const updated = checksum.update(old, checksum.wordDelta(before, after));
        t.is(updated, wanted, `${rest} ${before} ${after}`);
      }
    }
  }
});

test('[RFC768] a computed zero is sent as ones', (t) => {
  t.is(checksum.udpWire(0), 0xffff);
  t.is(checksum.udpWire(1), 1);
  t.is(checksum.udpWire(0xffff), 0xffff);
});

test('[RFC768] the pseudo header of both IP versions', (t) => {
  const four = poisoned(hex('c0a80107 c6336464'));
  t.is(
    checksum.pseudoHeaderSum(four.b, four.at, 4, 17, 12),
    0xc0a8 + 0x0107 + 0xc633 + 0x6464 + 17 + 12,
  );
  const six = poisoned(
    hex('20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 ffff0002'),
  );
  t.is(
    checksum.pseudoHeaderSum(six.b, six.at, 16, 6, 65_535),
    0x2001 + 0x0db8 + 1 + 0x2001 + 0x0db8 + 0xffff + 2 + 6 + 65_535,
  );
});
