/** What the kernel tells of a loss, on a link that loses segments and on one that does not. */
import { ADDRESSES, Ground } from '../../bench/link/ground.ts';
import { congestionFault, PREFERRED_CONGESTION } from '../../io/tcp-options.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';

const PORT = 7_100;
const PROGRAMS = ['ethtool', 'iptables', 'cc'] as const;

for (const [way, what] of [
  ['sent', 'a connection that loses a segment is told to be in trouble; far away it has bbr'],
  ['came', 'a segment that is lost on its way to us is told'],
] as const)
  netTest(`[G-25] ${what}`, PROGRAMS, ({ t }) =>
    withGround(async (ground) => {
      const [near, congestion, ofSystem] = await verdict(ground, way, 200);
      t.is(near, 'clean');
      t.is(congestion, ofSystem);
      // Of so many packets one is lost for certain.
      await ground.spoil({ delayMs: 5, lossPercent: 5 }, 7);
      const isThere = congestionFault(PREFERRED_CONGESTION) === undefined;
      const [far, ...chosen] = await verdict(ground, way, 2_000);
      t.is(far, 'troubled');
      t.deepEqual(chosen, [isThere ? PREFERRED_CONGESTION : ofSystem, ofSystem]);
    }),
  );

async function verdict(
  { network }: Ground,
  way: 'sent' | 'came',
  count: number,
): Promise<string[]> {
  const { command, args } = nodeProgram(
    'trouble-main.js',
    way,
    ADDRESSES.server,
    `${PORT}`,
    `${count}`,
  );
  const program = await network.start('ue', { command, args });
  const [said] = await program.said(/^(?:troubled|clean) \w+ \w+$/m);
  return said.split(' ');
}

async function withGround(body: (ground: Ground) => Promise<void>): Promise<void> {
  const ground = await Ground.open();
  try {
    const ready = { output: /^ready$/m };
    await ground.network.start('core', {
      ...nodeProgram('trouble-main.js', 'listen', `${PORT}`),
      ready,
    });
    await body(ground);
  } finally {
    await ground.close();
  }
}
