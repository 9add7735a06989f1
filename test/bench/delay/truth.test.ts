import test from 'ava';
import type { Result } from '../../../bench/delay/measure.ts';
import type { Scenario } from '../../../bench/delay/scenarios.ts';
import { untruths } from '../../../bench/delay/truth.ts';

const NO_USE = { usPerPacket: 0, mb: 0 };

function scenarioOf(faults: Scenario['faults']): Scenario {
  return { name: 'test', title: '', faults, traffic: [], seconds: 1 };
}

function seen(p50: number, p999: number, overflowed = 0): Result {
  const ofSent = { p50: 20, p99: 20, p999: 20 };
  const loss = { lostPercent: 0, latePercent: 0, mos: 4, ofSent };
  return {
    ...{ peer: 'udp', scenario: 'test', client: NO_USE, server: NO_USE },
    audio: { packets: 1, p50, p95: p50, p99: p50, p999, max: p999, ...loss },
    link: { seen: 1, lost: 0, overflowed },
  };
}

test('what was set was seen', (t) => {
  t.deepEqual(untruths(scenarioOf({ delayMs: 20 }), seen(20.9, 25)), []);
  t.deepEqual(untruths(scenarioOf({ delayMs: 20, jitterMs: 8 }), seen(24, 30)), []);
});

test('another delay, packets held up, packets without room are told', (t) => {
  const told = (result: Result) => untruths(scenarioOf({ delayMs: 20 }), result).length;
  t.is(told(seen(22, 25)), 1);
  t.is(told(seen(20, 60)), 1);
  t.is(told(seen(20, 21, 3)), 1);
});

test('behind a bottleneck nothing is known beforehand', (t) => {
  t.deepEqual(untruths(scenarioOf({ rate: { kbit: 1, queueMs: 1 } }), seen(900, 999, 9)), []);
});
