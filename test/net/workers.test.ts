/** TEP-S in two processes, each with a packet port of its own; and all of it killed under a call. */

import { askStatus } from '../../io/status-socket.ts';
import type { ServerStatus } from '../../ops/status.ts';
import { placeOfUser } from '../../session/placement.ts';
import { MODES } from './agents.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { addUser, Call, withAgents } from './scene.ts';
import { until } from './until.ts';

const WORKERS = '2';

for (const mode of MODES) {
  netTest(`[W-5] a call through two workers, public addresses by ${mode}`, [], ({ t, folder }) =>
    withAgents({ kind: 'web-only', mode, folder, server: { workers: WORKERS } }, async (scene) => {
      const call = await Call.begin(scene);
      await call.goesOn();
      const { up, down } = await call.end();
      t.true(up.packets > 0 && down.packets > 0);
    }),
  );
}

netTest(
  '[W-7] killed as a whole, two workers leave nothing that the next ones do not replace',
  [],
  ({ t, folder }) =>
    withAgents(
      { kind: 'web-only', mode: 'reflexive', folder, server: { workers: WORKERS } },
      async (scene) => {
        const call = await Call.begin(scene);
        await scene.server.kill();
        scene.server = await scene.startServer();
        await call.goesOn();
        await call.end();
        t.pass();
      },
    ),
);

netTest(
  '[G-22] a tunnel of one worker reaches no public address of the other, however it got it',
  [],
  ({ t, folder }) => {
    const server = { workers: WORKERS, 'media.allow': ['0.0.0.0/0'] };
    return withAgents({ kind: 'open', mode: 'reflexive', folder, server }, async (scene) => {
      t.not(placeOfUser('alice', 2), placeOfUser('mallory', 2));
      await addUser(scene, 'mallory', 'let me in');
      const call = await Call.begin(scene);
      const { address, port } = call.publicAddress;
      const [gateway, victim] = [`${scene.site.gateway.v4}:9999`, `${address}:${port}`];
      const args = ['forge', scene.site.server.v4, '80', victim, gateway, victim];
      const forger = await scene.network.start('ue', {
        ...nodeProgram('hostile/hostile-main.js', ...args),
        takesInput: true,
      });
      await until(async () => {
        const { drops } = (await askStatus(scene.server.statusSocket)) as ServerStatus;
        return (drops['destination-own'] ?? 0) > 0;
      });
      forger.write('end\n');
      await call.goesOn();
      const { up, down } = await call.end();
      t.is(up.missing + down.missing, 0);
    });
  },
);
