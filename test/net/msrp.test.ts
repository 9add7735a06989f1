/**
 * MSRP, which is TCP, through the two agents: an application connects to the media gateway as if there were
 * no firewall, and every message comes back whole. Modes without a socket of TEP-S in between; a relay
 * cannot carry TCP.
 */
import { blackhole, END_OF_BLACKHOLE } from '../../lab/rulesets.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { type Scene, watchOutside, withAgents } from './scene.ts';

const PORT = 2855;
const MESSAGES = 20;
const BLACKHOLE_MS = 5_000;

for (const mode of ['pool', 'reflexive'] as const) {
  netTest(
    `[G-05] MSRP over TCP, both ways, public addresses by ${mode}`,
    ['tcpdump'],
    ({ t, folder }) =>
      withAgents({ kind: 'web-only', mode, folder }, async (scene) => {
        const outside = await watchOutside(scene);
        const { from, result } = await chat(scene, MESSAGES, async () => {});
        t.deepEqual(result, { confirmed: result.confirmed, back: MESSAGES, changed: 0 });
        t.true(Number(result.confirmed) > MESSAGES);
        const { pool, publicUe } = scene.site;
        if (mode === 'reflexive') t.is(from, publicUe.v4);
        else t.true(from.startsWith('198.18.128.'), `${from} is not of ${pool.v4}`);
        t.is(await outside.stop(), 0, 'packets outside the tunnel');
      }),
  );
}

netTest(
  '[G-05] [G-13] MSRP goes on after five seconds of blackhole',
  ['tcpdump'],
  ({ t, folder }) =>
    withAgents({ kind: 'web-only', mode: 'pool', folder }, async (scene) => {
      const { network } = scene;
      const { result } = await chat(scene, 10 * MESSAGES, async () => {
        await network.run('firewall', 'nft', ['-f', '-'], blackhole());
        await new Promise((resolve) => setTimeout(resolve, BLACKHOLE_MS));
        await network.run('firewall', 'nft', ['-f', '-'], END_OF_BLACKHOLE);
      });
      t.deepEqual(result, { confirmed: result.confirmed, back: 10 * MESSAGES, changed: 0 });
    }),
);

/** What the application says of a conversation, and where the gateway saw it come from. */
async function chat({ network, site }: Scene, messages: number, disturb: () => Promise<void>) {
  const at = [site.gateway.v4, String(PORT)];
  const listener = nodeProgram('msrp/msrp-main.js', 'listen', ...at);
  const gateway = await network.start('gateway', { ...listener, ready: { output: /ready/ } });
  const caller = nodeProgram('msrp/msrp-main.js', 'call', ...at, String(messages));
  const phone = await network.start('ue', caller);
  const [, from = ''] = await gateway.said(/^from ([0-9.]+) /m);
  await disturb();
  const [line] = await phone.said(/^\{.*\}$/m);
  return { from, result: JSON.parse(line) as Record<string, number> };
}
