/** The programs beside which the agents are measured carry packets both ways. */
import type { MeasuredScene } from '../../bench/agents/scene.ts';
import { openFloor } from '../../bench/floor/scene.ts';
import { openSocketsFloor } from '../../bench/floor/sockets-scene.ts';
import { netTest } from './net-test.ts';
import { until } from './until.ts';

const FLOWS = 3;

for (const [port, open] of [
  ['rings', openFloor],
  ['sockets', openSocketsFloor],
] as const) {
  netTest(`the floor of ${port} carries packets both ways`, ['cc'], async ({ t }) => {
    const scene = await open(FLOWS);
    try {
      await carries(scene);
      t.pass();
    } finally {
      await scene.close();
    }
  });
}

async function carries({ phones, gateways }: MeasuredScene): Promise<void> {
  await phones.ask('send', { perSecond: 500 });
  await gateways.ask('send', { perSecond: 500 });
  await until(async () => {
    const both = [await phones.ask('counts', {}), await gateways.ask('counts', {})];
    return both.every(({ received }) => received > 100);
  });
}
