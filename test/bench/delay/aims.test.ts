import test from 'ava';
import { isMet } from '../../../bench/aims.ts';
import { delayAims } from '../../../bench/delay/aims.ts';
import type { Result } from '../../../bench/delay/measure.ts';
import type { PeerName } from '../../../bench/peers/peer.ts';

const NO_USE = { usPerPacket: 1, mb: 1 };
const AUDIO = {
  ...{ packets: 1, p50: 20, p95: 20, p99: 20, p999: 20, max: 20 },
  ...{ lostPercent: 0, latePercent: 0, mos: 4.4 },
};
const TCP_PEERS: readonly PeerName[] = ['tep', 'turn-tcp', 'openvpn'];

function result(peer: PeerName, scenario: string, audio: object, more: object = {}): Result {
  const link = { seen: 0, lost: 0, overflowed: 0 };
  const all = { ...AUDIO, ...audio };
  const ofSent = { p50: all.p50, p99: all.p99, p999: all.p999 };
  return {
    ...{ peer, scenario, audio: { ofSent, ...all } },
    ...{ client: NO_USE, server: NO_USE, link, ...more },
  };
}

/** All that the aims need, each met by a little. */
const GOOD = [
  result('udp', 'clean-200', { p50: 0.1, p99: 0.2 }),
  result('tep', 'clean-200', { p50: 0.3, p99: 1 }),
  result('turn-tcp', 'clean-200', { p50: 0.5, p99: 2 }),
  result('tep', 'loss-1', { p99: 40, p999: 110 }),
  result('turn-tcp', 'loss-1', { p99: 90 }),
  result('openvpn', 'loss-1', { p99: 100 }),
  result('tep', 'loss-3', { lostPercent: 0.2, latePercent: 0.3, mos: 3.6 }),
  result('tep', 'blackout', {}, { recoveryMs: 300 }),
  result('tep', 'narrow', { p99: 150 }, { video: { whole: 99, part: 1, none: 0 } }),
];

function missedWith(changed: Result): string[] {
  const others = GOOD.filter(
    ({ peer, scenario }) => peer !== changed.peer || scenario !== changed.scenario,
  );
  return delayAims([...others, changed], TCP_PEERS)
    .filter((aim) => !isMet(aim))
    .map(({ name }) => name);
}

test('all are met', (t) => {
  const aims = delayAims(GOOD, TCP_PEERS);
  t.is(aims.length, 10);
  t.true(aims.every(isMet));
});

const MISSES: readonly (readonly [string, Result, string])[] = [
  ['0.3 ms', result('tep', 'clean-200', { p50: 0.45, p99: 1 }), 'added delay, p50'],
  ['the best peer', result('turn-tcp', 'clean-200', { p50: 0.25, p99: 2 }), 'p50, beside'],
  ['its p99', result('turn-tcp', 'clean-200', { p50: 0.5, p99: 0.9 }), 'p99, beside'],
  ['half of the best', result('openvpn', 'loss-1', { p99: 79 }), 'half of the best'],
  ['p99.9', result('tep', 'loss-1', { p99: 40, p999: 121 }), 'p99.9'],
  ['lost and late together', result('tep', 'loss-3', { lostPercent: 0.6 }), 'lost or later'],
  ['MOS', result('tep', 'loss-3', { mos: 3.5 }), 'usable voice'],
  ['recovery', result('tep', 'blackout', {}, { recoveryMs: 310 }), 'blackout'],
];
for (const [what, changed, name] of MISSES) {
  test(`missed: ${what}`, (t) => {
    const missed = missedWith(changed);
    t.is(missed.length, 1);
    t.true(missed[0]?.includes(name), missed[0]);
  });
}

test('missed: frames in part, and audio behind video', (t) => {
  const video = { whole: 98, part: 2, none: 0 };
  t.is(missedWith(result('tep', 'narrow', { p99: 151 }, { video })).length, 2);
});

test('what is dropped is no way to be early', (t) => {
  const never = Number.POSITIVE_INFINITY;
  const ofSent = { p50: never, p99: never, p999: never };
  t.is(missedWith(result('tep', 'clean-200', { ofSent })).length, 3);
  t.is(missedWith(result('tep', 'loss-1', { p99: 40, p999: 110, ofSent })).length, 2);
  const video = { video: { whole: 99, part: 1, none: 0 } };
  t.is(missedWith(result('tep', 'narrow', { p99: 150, ofSent }, video)).length, 1);
});

test('without a figure there is no line', (t) => {
  t.deepEqual(delayAims([], TCP_PEERS), []);
});
