/** Each way to get media across really does: what the benches compare are no empty rows. */
import { Ground } from '../../bench/link/ground.ts';
import { type Deliveries, join } from '../../bench/media/deliveries.ts';
import { peersFor, programsFor } from '../../bench/peers/all.ts';
import { PEER_NAMES } from '../../bench/peers/peer.ts';
import { netTest } from './net-test.ts';

const FLOWS = 3;
const LEAD_MS = 300;
const RUN_MS = 1_000;
const DRAIN_MS = 500;
const NO_SETTINGS = { client: {}, server: {} };

for (const peer of peersFor(PEER_NAMES, NO_SETTINGS)) {
  netTest(
    `${peer.name}: every flow arrives, both ways`,
    programsFor([peer.name]),
    async ({ t }) => {
      const ground = await Ground.open();
      try {
        const opened = await peer.open(ground, FLOWS);
        const both = [opened.phones, opened.gateways];
        for (const one of both) one.load(Array.from({ length: FLOWS }, () => ({ kind: 'speech' })));
        const startMs = Number(process.hrtime.bigint()) / 1e6 + LEAD_MS;
        await Promise.all(both.map((one) => one.run(startMs, RUN_MS)));
        await new Promise((resolve) => setTimeout(resolve, LEAD_MS + RUN_MS + DRAIN_MS));
        const [phones, gateways] = await Promise.all([opened.phones.end(), opened.gateways.end()]);
        await opened.close();
        t.deepEqual(arrivedFlows(join(phones.sent, gateways.received)), [0, 1, 2], 'up');
        t.deepEqual(arrivedFlows(join(gateways.sent, phones.received)), [0, 1, 2], 'down');
      } finally {
        await ground.close();
      }
    },
  );
}

/** Those of which at least half arrived. */
function arrivedFlows(run: Deliveries): number[] {
  const counts = Array.from({ length: FLOWS }, () => ({ sent: 0, arrived: 0 }));
  for (let i = 0; i < run.length; i++) {
    const count = counts[run.flows[i] ?? 0];
    if (count === undefined) continue;
    count.sent++;
    if (!Number.isNaN(run.delayMs[i])) count.arrived++;
  }
  return counts.flatMap(({ sent, arrived }, flow) => (2 * arrived >= sent ? [flow] : []));
}
