import test from 'ava';
import fc from 'fast-check';
import { Defragmenter, type DefragmentLimits } from '../../wire/defragment.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { hex, ipPacket, oracleChecksum, poisoned, udpDatagram, vector } from './packets.ts';
import { generator, mutate } from './standing.ts';

const SEED = { seed: 20_261_121 };
const UE = hex('c0a80107');
const AGW = hex('c6336464');
const UE6 = hex('fd00 0000 0000 0000 0000 0000 0000 0007');
const AGW6 = hex('2001 0db8 0064 0000 0000 0000 0000 0064');

/** Cuts a whole packet into fragments at the given offsets of its payload (multiples of 8). */
function cut(packet: Uint8Array, cuts: readonly number[], id = 1): Uint8Array[] {
  const six = (packet[0] ?? 0) >> 4 === 6;
  const payload = packet.subarray(six ? 40 : 20);
  const bounds = [0, ...cuts, payload.length];
  return bounds.slice(0, -1).map((from, i) => {
    const end = bounds[i + 1] ?? 0;
    const piece = payload.subarray(from, end);
    return six
      ? fragment6(packet, piece, from, end < payload.length, id)
      : fragment4(packet, piece, from, end < payload.length, id);
  });
}

function fragment4(
  packet: Uint8Array,
  piece: Uint8Array,
  from: number,
  more: boolean,
  id: number,
): Uint8Array {
  const head = Uint8Array.from(packet.subarray(0, 20));
  const length = 20 + piece.length;
  const flags = (more ? 0x2000 : 0) | (from / 8);
  head.set([length >> 8, length & 0xff, id >> 8, id & 0xff, flags >> 8, flags & 0xff], 2);
  head.set([0, 0], 10);
  const sum = oracleChecksum(head);
  head.set([sum >> 8, sum & 0xff], 10);
  return Uint8Array.from([...head, ...piece]);
}

function fragment6(
  packet: Uint8Array,
  piece: Uint8Array,
  from: number,
  more: boolean,
  id: number,
): Uint8Array {
  const head = Uint8Array.from(packet.subarray(0, 40));
  const length = 8 + piece.length;
  const kind = head[6] ?? 0;
  head.set([length >> 8, length & 0xff, 44], 4);
  const bits = from | (more ? 1 : 0);
  return Uint8Array.from([
    ...head,
    kind,
    0,
    bits >> 8,
    bits & 0xff,
    0,
    0,
    id >> 8,
    id & 0xff,
    ...piece,
  ]);
}

function packetOf(family: 4 | 6, size: number): Uint8Array {
  const [source, destination] = family === 4 ? [UE, AGW] : [UE6, AGW6];
  const payload = Uint8Array.from({ length: size }, (_, i) => (i * 7) & 0xff);
  const flow = { source, destination, sourcePort: 16_384, destinationPort: 40_000 };
  return ipPacket(source, destination, 17, udpDatagram(flow, payload));
}

/** Pushes all; gives the whole packets that came out. */
function pushAll(d: Defragmenter, packets: readonly Uint8Array[], now = 0): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const packet of packets) {
    const { b, at, end } = poisoned(packet);
    if (d.push(b, at, end, now)) out.push(Uint8Array.from(d.bytes.subarray(d.start, d.end)));
    b.fill(0xa5);
  }
  return out;
}

/** What a reassembled IPv4 packet ought to be: the identification of its fragments, no flags. */
function wanted(packet: Uint8Array, id = 1): Uint8Array {
  if ((packet[0] ?? 0) >> 4 === 6) return packet;
  return fragment4(packet, packet.subarray(20), 0, false, id);
}

const LIMITS: DefragmentLimits = { maxDatagrams: 3, maxOctets: 4_000, maxAgeMs: 1_000 };

test('fragments made by hand, with a hop-by-hop header, give packets with right checksums', (t) => {
  for (const names of [
    ['fragment4-first', 'fragment4-middle', 'fragment4-last'],
    ['fragment6-last', 'fragment6-first'],
  ]) {
    const d = new Defragmenter();
    const [whole, ...more] = pushAll(d, names.map(vector));
    t.is(more.length, 0);
    const packet = poisoned(whole ?? hex(''));
    const view = new PacketView();
    t.is(readPacket(view, packet.b, packet.at, packet.end), 0);
    t.is(checksumsRight(packet.b, view), 0);
    t.is(view.end, packet.end);
    t.is(view.payloadEnd - view.payload, 64);
    t.is(d.waiting, 0);
  }
});

for (const family of [4, 6] as const) {
  test(`IPv${family}: any cuts in any order give the packet back`, (t) => {
    const property = fc.property(
      fc.integer({ min: 100, max: 3_000 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      (size, eighths, seed) => {
        const packet = packetOf(family, size);
        const pieces = cut(
          packet,
          eighths.toSorted((a, b) => a - b).map((n) => 8 * n),
        );
        const random = generator(seed);
        const mixed = pieces.map((p) => ({ p, r: random(1_000) })).toSorted((a, b) => a.r - b.r);
        const out = pushAll(
          new Defragmenter(),
          mixed.map(({ p }) => p),
        );
        return out.length === 1 && Buffer.from(wanted(packet)).equals(out[0] ?? hex(''));
      },
    );
    t.notThrows(() => fc.assert(property, SEED));
  });

  test(`IPv${family}: datagrams are told apart by identification`, (t) => {
    const [a, b] = [packetOf(family, 100), packetOf(family, 120)];
    const [a1, a2] = cut(a, [64], 1);
    const [b1, b2] = cut(b, [64], 2);
    const out = pushAll(
      new Defragmenter(),
      [a1, b1, b2, a2].map((p) => p ?? hex('')),
    );
    t.deepEqual(out, [wanted(b, 2), wanted(a, 1)]);
  });

  test(`[RFC5722] IPv${family}: an overlap condemns the datagram, what comes later too`, (t) => {
    const packet = packetOf(family, 100);
    const [first, , last] = cut(packet, [32, 64]);
    const [, overlapping] = cut(packet, [24, 72]);
    const [whole1, whole2] = cut(packet, [32]);
    const d = new Defragmenter();
    const pieces = [first, overlapping, last, whole1, whole2].map((p) => p ?? hex(''));
    t.deepEqual(pushAll(d, pieces), []);
    t.like(d.counts, { overlapping: 1, late: 3, reassembled: 0 });
    t.is(d.waiting, 0);
  });

  test(`[RFC5722] IPv${family}: an overlap with what follows, and a copy with another flag`, (t) => {
    const packet = packetOf(family, 100);
    const [, second = hex('')] = cut(packet, [32, 64]);
    const [wide = hex('')] = cut(packet, [40]);
    const [, last = hex('')] = cut(packet.subarray(0, packet.length - 44), [32]);
    for (const pair of [
      [second, wide],
      [second, last],
      [last, second],
    ]) {
      const d = new Defragmenter();
      t.deepEqual(pushAll(d, pair), []);
      t.is(d.counts.overlapping, 1);
    }
  });

  test(`[RFC8200] IPv${family}: an exact copy is no overlap, a changed one is`, (t) => {
    const packet = packetOf(family, 100);
    const [first = hex(''), last = hex('')] = cut(packet, [64]);
    const d = new Defragmenter();
    t.deepEqual(pushAll(d, [first, first, last]), [wanted(packet)]);
    t.is(d.counts.duplicate, 1);
    const changed = Uint8Array.from(first);
    changed.set([0xee], first.length - 1);
    t.deepEqual(pushAll(d, [first, changed, last]), []);
    t.is(d.counts.overlapping, 1);
  });

  test(`IPv${family}: fragments that disagree about the end condemn the datagram`, (t) => {
    const packet = packetOf(family, 100);
    const [, , , end = hex('')] = cut(packet, [32, 64, 96]);
    const shorter = cut(packet.subarray(0, packet.length - 28), [64])[1] ?? hex('');
    const beyond = cut(packetOf(family, 200), [104, 112])[1] ?? hex('');
    for (const pair of [
      [end, shorter],
      [shorter, end],
      [end, beyond],
      [beyond, shorter],
    ]) {
      const d = new Defragmenter();
      t.deepEqual(pushAll(d, pair), []);
      t.is(d.counts.overlapping, 1);
    }
  });

  test(`IPv${family}: age, number of datagrams and octets are bounded, the oldest goes first`, (t) => {
    const d = new Defragmenter(LIMITS);
    const firsts = [1, 2, 3, 4].map((id) => cut(packetOf(family, 100), [64], id)[0] ?? hex(''));
    const lasts = [1, 2, 3, 4].map((id) => cut(packetOf(family, 100), [64], id)[1] ?? hex(''));
    t.deepEqual(pushAll(d, firsts), []);
    t.is(d.waiting, 3);
    t.is(d.counts.incomplete, 1);
    t.is(pushAll(d, lasts.slice(2), 999).length, 2);
    t.deepEqual(pushAll(d, lasts.slice(1, 2), 1_000), []);
    t.is(d.counts.incomplete, 2);

    const big = new Defragmenter(LIMITS);
    const halves = [5, 6, 7].map((id) => cut(packetOf(family, 2_000), [1_600], id)[0] ?? hex(''));
    t.deepEqual(pushAll(big, halves), []);
    t.is(big.waiting, 2);
    t.deepEqual(pushAll(big, [cut(packetOf(family, 5_000), [4_008], 8)[0] ?? hex('')]), []);
    t.is(big.waiting, 0);
    t.is(big.counts.incomplete, 4);
  });

  test(`IPv${family}: whole packets pass untouched and uncopied`, (t) => {
    const { b, at, end } = poisoned(packetOf(family, 100));
    const d = new Defragmenter();
    t.true(d.push(b, at, end, 0));
    t.is(d.bytes, b);
    t.deepEqual([d.start, d.end], [at, end]);
  });

  test(`IPv${family}: 10,000 seeded mutations neither throw nor grow`, (t) => {
    const d = new Defragmenter(LIMITS);
    const pieces = cut(packetOf(family, 300), [64, 128, 200]);
    const random = generator(20_261_121);
    const view = new PacketView();
    for (let i = 0; i < 10_000; i++) {
      const { b, at, end } = poisoned(mutate(pieces[i % 4] ?? hex(''), random));
      if (d.push(b, at, end, i)) readPacket(view, d.bytes, d.start, d.end);
      if (d.waiting > LIMITS.maxDatagrams) t.fail('grew');
    }
    t.true(d.counts.malformed > 0 && d.counts.incomplete > 0);
  });
}

test("[RFC791] don't-fragment and options of the first fragment stay", (t) => {
  const whole = Uint8Array.from(vector('udp4-router-alert'));
  const payload = whole.subarray(24);
  const piece = (from: number, end: number, more: boolean): Uint8Array => {
    const octets = Uint8Array.from([...whole.subarray(0, 24), ...payload.subarray(from, end)]);
    octets.set([0, octets.length, 0, 9, more ? 0x60 : 0x40, from / 8], 2);
    return octets;
  };
  const [out] = pushAll(new Defragmenter(), [piece(16, payload.length, false), piece(0, 16, true)]);
  const expected = Uint8Array.from(whole);
  expected.set([0, 9, 0x40, 0, expected[8] ?? 0, expected[9] ?? 0, 0, 0], 4);
  const sum = oracleChecksum(expected.subarray(0, 24));
  expected.set([sum >> 8, sum & 0xff], 10);
  t.deepEqual(out, expected);
});

test('[RFC791] a datagram longer than IP can say is malformed', (t) => {
  const d = new Defragmenter();
  const head = vector('udp4').subarray(0, 20);
  const pieces = [0, 32_768].map((from) =>
    fragment4(head, new Uint8Array(from === 0 ? 32_768 : 32_767), from, from === 0, 1),
  );
  t.deepEqual(pushAll(d, pieces), []);
  t.is(d.counts.malformed, 1);
  const beyond = fragment4(head, new Uint8Array(9), 65_528, false, 2);
  t.deepEqual(pushAll(d, [beyond]), []);
  t.is(d.counts.malformed, 2);
});

test('[RFC8200] a piece that is no multiple of eight and not the last is malformed', (t) => {
  const d = new Defragmenter();
  const head = vector('udp6').subarray(0, 40);
  t.deepEqual(pushAll(d, [fragment6(head, new Uint8Array(12), 0, true, 1)]), []);
  t.deepEqual(pushAll(d, [fragment6(head, new Uint8Array(0), 0, true, 1)]), []);
  t.is(d.counts.malformed, 2);
  t.is(d.waiting, 0);
});

test('more pieces than any datagram needs: given up', (t) => {
  const d = new Defragmenter();
  const head = vector('udp4').subarray(0, 20);
  const pieces = Array.from({ length: 1_400 }, (_, i) =>
    fragment4(head, new Uint8Array(8), 8 * (i + 1), true, 1),
  );
  t.deepEqual(pushAll(d, pieces), []);
  t.is(d.waiting, 0);
  t.is(d.counts.incomplete, 1);
});

test('a Buffer is copied like any other octets', (t) => {
  const packet = packetOf(4, 100);
  const d = new Defragmenter();
  const [first = hex(''), last = hex('')] = cut(packet, [64]);
  const b = Buffer.from(first);
  d.push(b, 0, b.length, 0);
  b.fill(0xa5);
  t.deepEqual(pushAll(d, [last]), [wanted(packet)]);
});
