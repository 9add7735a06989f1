/** The program beside which the agents are measured carries packets both ways. */
import { openFloor } from '../../bench/floor/scene.ts';
import { netTest } from './net-test.ts';
import { until } from './until.ts';

netTest('the floor of the benches carries packets both ways', ['cc'], async ({ t }) => {
  const { phones, gateways, close } = await openFloor(2);
  try {
    await phones.ask('send', { perSecond: 500 });
    await gateways.ask('send', { perSecond: 500 });
    const hasReceived = async () => {
      const both = [await phones.ask('counts', {}), await gateways.ask('counts', {})];
      return both.every(({ received }) => received > 100);
    };
    await until(hasReceived);
    t.pass();
  } finally {
    await close();
  }
});
