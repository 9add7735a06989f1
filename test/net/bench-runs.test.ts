/** The benches of media over TCP, run as they are run, on a small part of what they can. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { netTest } from './net-test.ts';

const BENCH = fileURLToPath(new URL('../../bench/', import.meta.url));

netTest('bench:delay prints and writes what UDP sees', ['ethtool', 'iptables', 'cc'], async (c) => {
  const lines = run('delay', c.folder, ['--quick', '--json', 'udp', 'truth']);
  c.t.is(lines.length, 1, 'one peer, one scenario, no aim');
  const [{ peer, audio, link }] = lines;
  c.t.is(peer, 'udp');
  c.t.true(audio.p50 >= 20 && audio.p50 < 21, `${audio.p50}`);
  c.t.true(link.lost > 0 && link.lost < link.seen / 20, `${link.lost} of ${link.seen}`);
  const { results, machine } = JSON.parse(
    readFileSync(join(c.folder, 'results/delay.json'), 'utf8'),
  );
  c.t.deepEqual(results, lines);
  c.t.is(machine.node, process.version);
});

netTest(
  'bench:cost has a figure for each way and side',
  ['ethtool', 'iptables', 'cc', 'turnserver', 'udptunnel', 'openvpn', 'openssl'],
  async (c) => {
    const lines = run('cost', c.folder, ['--quick', '--json', 'floor', 'turn-tcp']);
    c.t.deepEqual(
      lines.map(({ subject, direction }) => `${subject} ${direction}`),
      ['up', 'down', 'both'].flatMap((way) => [`floor ${way}`, `turn-tcp ${way}`]),
    );
    for (const { subject, clientUs, serverUs } of lines) {
      c.t.true(serverUs > 0);
      c.t.is(clientUs > 0, subject === 'floor', 'a telephone with TURN is its own client');
    }
  },
);

/** What it printed, each line an object. The machine may be busy, so its exit status says nothing here. */
function run(bench: string, folder: string, args: readonly string[]) {
  const { stdout } = spawnSync(process.execPath, [join(BENCH, bench, 'run.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}
