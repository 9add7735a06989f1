/** TEP-S in two processes, each with a packet port of its own; and all of it killed under a call. */
import { MODES } from './agents.ts';
import { netTest } from './net-test.ts';
import { Call, withAgents } from './scene.ts';

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
