/** What an agent says of a stream while it comes, and what the bench says of it afterwards, is the same. */
import test from 'ava';
import { join } from '../../../bench/media/deliveries.ts';
import { summarise } from '../../../bench/media/summary.ts';
import { FlowQuality } from '../../../ops/flow-quality.ts';
import { type SeededRandom, seededRandom } from '../../sim/random.ts';
import { logOf } from './records.ts';

const ALL = { flow: () => true, fromMs: 0, toMs: Number.POSITIVE_INFINITY };
const WAY_MS = 20;
const PACKETS = 3_000;
/** An agent knows how late packets are to 1/16, which is up to 20 ms here (ops/histogram.ts). */
const PRECISION = 0.08;

/** One way; undefined: lost. */
type Delay = (random: SeededRandom) => number | undefined;

const SERIES: Readonly<Record<string, Delay>> = {
  clean: () => WAY_MS,
  '2 % lost': (random) => (random.chance(0.02) ? undefined : WAY_MS),
  '5 % later by 300 ms': (random) => WAY_MS + (random.chance(0.05) ? 300 : 0),
  '0.5 % later by a second': (random) => WAY_MS + (random.chance(0.005) ? 1_000 : 0),
  'anywhere between 20 and 180 ms': (random) => WAY_MS + random.below(160),
  'a tail, and 1 % lost': (random) =>
    random.chance(0.01) ? undefined : WAY_MS + random.below(40) * random.below(10),
};

for (const [name, delay] of Object.entries(SERIES)) {
  test(`[G-25] MOS of a stream: ${name}`, (t) => {
    const random = seededRandom(3);
    const sent = Array.from({ length: PACKETS }, (_, n) => ({
      sequence: n,
      sentMs: 1_000 + 20 * n,
    }));
    const received = sent
      .flatMap((packet) => {
        const ms = delay(random);
        return ms === undefined ? [] : [{ ...packet, arrivedMs: packet.sentMs + ms }];
      })
      .toSorted((a, b) => a.arrivedMs - b.arrivedMs);
    const flow = new FlowQuality();
    for (const { sequence, arrivedMs } of received) flow.packet(header(sequence), 0, arrivedMs);
    const told = flow.status(2 * WAY_MS).mos ?? Number.NaN;
    const { mos } = summarise([join(logOf(sent), logOf(received))], ALL);
    t.true(Math.abs(told - mos) <= PRECISION, `${told}, not ${mos}`);
  });
}

function header(n: number): Uint8Array {
  const b = new Uint8Array(12);
  const view = new DataView(b.buffer);
  view.setUint8(0, 0x80);
  view.setUint16(2, n);
  view.setUint32(4, 160 * n);
  view.setUint32(8, 1);
  return b;
}
