import test from 'ava';
import { Connection } from '../../session/connection.ts';
import { carrierFor, isAvoided } from '../../session/stripe-choice.ts';

const NOW = 10_000;

interface Known {
  readonly outstanding?: number;
  readonly waiting?: number;
  readonly isWriting?: boolean;
  readonly isStuck?: boolean;
  readonly mediaMs?: number;
}

function connections(...known: readonly Known[]): Connection[] {
  return known.map((one, i) => {
    const { outstanding = 0, waiting = 0, isWriting = false, isStuck = false } = one;
    const c = new Connection(i, 'ready', {}, 0);
    c.queue.push(new Uint8Array(waiting), 0, waiting);
    const state = { outstanding: outstanding + Number(isStuck), isTroubled: isStuck, rttMs: 1 };
    c.carrier.learn({ ...state, outstanding: 0 }, 0);
    c.carrier.learn(state, isStuck ? NOW : 0);
    if (isWriting) c.carrier.began(NOW);
    c.carrier.lastMediaMs = one.mediaMs ?? 0;
    return c;
  });
}

const TABLE: readonly (readonly [string, readonly Known[], number])[] = [
  ['the only one', [{}], 0],
  ['the only one, stuck as it is', [{ isStuck: true }], 0],
  ['none while the only one is being written', [{ isWriting: true }], -1],
  ['the one with least outstanding', [{ outstanding: 500 }, { outstanding: 300 }], 1],
  ['what waits counts as outstanding', [{ waiting: 500 }, { outstanding: 300 }], 1],
  ['of equals the one that rested longest', [{ mediaMs: 5 }, { mediaMs: 3 }, { mediaMs: 4 }], 1],
  ['of equals the first', [{}, {}], 0],
  ['not the one being written', [{ isWriting: true }, { outstanding: 9_000 }], 1],
  ['not the stuck one', [{ isStuck: true }, { outstanding: 9_000 }], 1],
  ['none while only the stuck one could take it', [{ isStuck: true }, { isWriting: true }], -1],
  [
    'the stuck one with least where all are',
    [{ isStuck: true, outstanding: 9 }, { isStuck: true }],
    1,
  ],
  ['the one with room', [{ waiting: 16_300 }, { outstanding: 60_000 }], 1],
  ['none where none has room', [{ waiting: 16_300 }, { waiting: 16_300 }], -1],
];

for (const [what, known, expected] of TABLE) {
  test(`[G-25] a packet takes: ${what}`, (t) => {
    t.is(carrierFor(connections(...known), 200, NOW)?.conn ?? -1, expected);
  });
}

test('[G-25] a packet of any length goes to a connection that has nothing waiting', (t) => {
  t.is(carrierFor(connections({ waiting: 1 }, {}), 65_535, NOW)?.conn, 1);
});

test('[G-25] a stuck connection is passed by only while another one is not', (t) => {
  const [stuck, well] = connections({ isStuck: true }, {});
  if (stuck === undefined || well === undefined) throw new Error('two were made');
  t.true(isAvoided(stuck, [stuck, well], NOW));
  t.false(isAvoided(well, [stuck, well], NOW));
  t.false(isAvoided(stuck, [stuck], NOW));
});
