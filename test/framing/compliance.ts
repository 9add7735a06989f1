/**
 * The one suite that every framing passes. A framing gives samples; what it cannot do it lists with a
 * reason (point 9).
 */
import test, { type ExecutionContext } from 'ava';
import { classify, type Speech } from '../../framing/demux.ts';
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { CHANNELS, type Channel, type Framing } from '../../framing/framing.ts';
import type { Fault } from '../../wire/faults.ts';
import { captured } from './captured.ts';
import { bordered, cutStream, everyOctetApart, random, sizeWithin } from './cut.ts';

export interface Samples {
  readonly framing: Framing;
  /** A payload of that size which the channel can carry; undefined when there is none. */
  payload(channel: Channel, length: number): Uint8Array | undefined;
  /** Whole records of different kinds, the shortest legal one among them; one at least carries IP. */
  readonly records: readonly Uint8Array[];
  /** Least octets that show a record of more than `maxFrame` octets. */
  readonly overlong: readonly Uint8Array[];
  /** Wrong types, versions and lengths: the last octet of each is the one that makes it bad. */
  readonly bad: readonly (readonly [name: string, octets: Uint8Array, fault: Fault])[];
  /** What a listener may take the records for. */
  readonly speech: readonly Speech[];
  /** A file of captures/ that `tep replay` carries through this framing. */
  readonly capture?: string;
  /** Points of the suite that the framing cannot do, with the reason. */
  readonly cannot: Readonly<Record<string, string>>;
}

const MTU = 1500;

export function complies(samples: Samples): void {
  const { framing } = samples;
  const title = (text: string) => `${framing.name}: ${text}`;
  const stream = Buffer.concat(samples.records);

  for (const [name, channel] of Object.entries(CHANNELS)) {
    for (const size of sizesOf(framing)) {
      test(title(`1. wrap then cut gives ${name} of ${size} octets back`), (t) => {
        const payload = samples.payload(channel, size);
        if (payload !== undefined) return wrapAndCut(t, framing, channel, payload);
        return t.is(framing.wrappedSize(channel, size), 0);
      });
    }
  }

  test(
    title('2. one octet above the longest is refused on both sides, and not waited for'),
    (t) => {
      for (const channel of Object.values(CHANNELS)) {
        t.is(framing.wrappedSize(channel, framing.maxFrame + 1), 0);
      }
      for (const octets of samples.overlong) {
        const cut = cutStream(framing, octets, everyOctetApart(octets));
        t.not(cut.fault, 0);
        t.is(cut.held, 0);
      }
    },
  );

  test(title('3. every split point gives the same records'), (t) => {
    for (let a = 0; a <= stream.length; a++) same(t, samples, stream, [a]);
    for (let a = 0; a < stream.length; a += 7) {
      for (let b = a; b < stream.length; b += 5) same(t, samples, stream, [a, b]);
    }
  });

  test(title('4. one octet at a time, and a thousand records at once, in linear time'), (t) => {
    let calls = 0;
    let longest = 0;
    const counted: Framing = {
      ...framing,
      frameSize(b, at, end) {
        calls += 1;
        longest = Math.max(longest, end - at);
        return framing.frameSize(b, at, end);
      },
    };
    t.is(
      cutStream(counted, stream, everyOctetApart(stream)).records.length,
      samples.records.length,
    );
    t.true(calls <= stream.length, `${calls} looks at ${stream.length} octets`);
    t.true(longest <= framing.maxHeader, `looked at ${longest} octets to find one size`);

    const thousand = Array.from({ length: 1000 }, (_, i) => recordAt(samples, i));
    calls = 0;
    t.is(cutStream(counted, Buffer.concat(thousand), []).records.length, 1000);
    t.is(calls, 1000);
  });

  test(title('5. the shortest record is delivered at once'), (t) => {
    const shortest = samples.records.reduce((a, b) => (b.length < a.length ? b : a));
    t.is(cutStream(framing, shortest, []).records.length, 1);
    t.is(cutStream(framing, shortest, everyOctetApart(shortest)).records.length, 1);
  });

  test(title('6. every prefix of a good record is "need more"'), (t) => {
    for (const record of samples.records) {
      for (let n = 0; n <= record.length; n++) {
        const size = sizeWithin(framing, record.subarray(0, n));
        const told = size === record.length || (size === 0 && n < framing.maxHeader);
        t.true(told, `${size} at ${n} octets of ${record.length}`);
      }
      t.is(sizeWithin(framing, record), record.length);
    }
  });

  for (const [name, octets, fault] of samples.bad) {
    test(title(`6. bad, and at once: ${name}`), (t) => {
      t.is(sizeWithin(framing, octets), -fault);
      t.true((sizeWithin(framing, octets.subarray(0, -1)) ?? -1) >= 0, 'one octet less is not bad');
      for (const cuts of [[], everyOctetApart(octets)]) {
        const cut = cutStream(framing, Buffer.concat([octets, stream]), cuts);
        t.is(cut.fault, fault);
        t.deepEqual(cut.records, [], 'nothing is found behind a fault');
        t.is(cut.held, 0);
      }
    });
  }

  test(title('7. ten thousand seeded mutations: no throw, no growth, no look outside'), (t) => {
    const next = random(0x7e9);
    for (let i = 0; i < 10_000; i++) {
      const octets = Buffer.from(recordAt(samples, i));
      for (let n = next(4); n >= 0; n--) octets[next(Math.min(octets.length, 64))] = next(256);
      const size = sizeWithin(framing, octets);
      if (size === undefined) return t.fail(`octets outside decide: ${octets.toString('hex')}`);
      if (size > framing.maxFrame) return t.fail(`size ${size}`);
      const cut = cutStream(framing, Buffer.concat([octets, stream]), [next(octets.length)]);
      if (cut.capacity > framing.maxFrame) return t.fail(`capacity ${cut.capacity}`);
    }
    return t.pass();
  });

  test(title('8. its stream is taken for no other protocol'), (t) => {
    for (const record of samples.records) {
      const state = { insideTls: false, turn: false };
      const speech = classify(record, 0, record.length, state);
      t.true(typeof speech === 'string' && samples.speech.includes(speech as Speech), `${speech}`);
    }
  });

  test(title('9. what it cannot do has a reason, and nothing else is excepted'), (t) => {
    for (const [what, reason] of Object.entries(samples.cannot)) t.log(`${what}: ${reason}`);
    t.deepEqual(Object.keys(samples.cannot).sort(), impossible(samples).sort());
  });

  test(title('10. a capture goes through it and is found on its stream'), async (t) => {
    if (samples.capture === undefined) return t.pass('point 9 asks for the reason');
    const { records, expected, faults } = await captured(framing, samples.capture);
    t.deepEqual(faults, [0, 0]);
    t.true(expected > 0);
    return t.is(records, expected);
  });

  test(title('an unauthenticated stream ends at the first record that is not control'), (t) => {
    const ip = samples.records.find((record) => framing.channel(record, 0) === CHANNELS.IP);
    if (ip === undefined) return t.fail('no sample carries IP');
    const buffer = new FrameBuffer(framing);
    buffer.controlOnly = true;
    buffer.append(ip, 0, Math.min(ip.length, framing.maxHeader));
    t.false(buffer.next());
    t.not(buffer.fault, 0);
    return t.is(buffer.capacity, 0);
  });
}

function sizesOf(framing: Framing): number[] {
  return [0, 1, MTU, framing.maxFrame];
}

function impossible(samples: Samples): string[] {
  const sizes = Object.entries(CHANNELS).flatMap(([name, channel]) =>
    sizesOf(samples.framing)
      .filter((size) => samples.payload(channel, size) === undefined)
      .map((size) => `${name} of ${size}`),
  );
  if (samples.overlong.length === 0) sizes.push('overlong');
  if (samples.capture === undefined) sizes.push('capture');
  return sizes;
}

function recordAt(samples: Samples, i: number): Uint8Array {
  return samples.records[i % samples.records.length] ?? new Uint8Array(0);
}

function same(t: ExecutionContext, samples: Samples, stream: Buffer, cuts: number[]): void {
  const cut = cutStream(samples.framing, stream, cuts);
  const found = cut.records.map((record) => record.octets);
  const right =
    cut.fault === 0 &&
    found.length === samples.records.length &&
    samples.records.every((record, i) => found[i]?.equals(record));
  t.true(right, `cut at ${cuts}`);
}

function wrapAndCut(
  t: ExecutionContext,
  framing: Framing,
  channel: Channel,
  payload: Uint8Array,
): void {
  const wrapped = framing.wrappedSize(channel, payload.length);
  const source = bordered(payload, 0xa5);
  const start = (source.length - payload.length) / 2;
  const out = bordered(new Uint8Array(wrapped), 0xa5);
  const at = (out.length - wrapped) / 2;
  t.is(framing.wrap(channel, source, start, start + payload.length, out, at), wrapped);
  const stream = out.subarray(at, at + wrapped);
  t.deepEqual(bordered(stream, 0xa5), out, 'the borders are untouched');
  const [record, ...more] = cutStream(framing, stream, []).records;
  t.is(record?.channel, channel);
  t.true(record?.octets.includes(Buffer.from(payload)));
  t.is(more.length, 0);
}
