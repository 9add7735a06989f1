/** A busy server: a thousand tunnels, a hundred calls, a minute; nothing grows. */
import { Network } from '../../lab/network.ts';
import { siteOf } from '../../lab/sites.ts';
import { startServer } from './agents.ts';
import { netTest } from './net-test.ts';
import { type Use, useOf } from './process-use.ts';
import { nodeProgram } from './programs.ts';
import { addRow } from './table.ts';

const TUNNELS = 1_000;
const CALLS = 100;
const SECONDS = 60;
const GATEWAY_PORT = 30_000;
const SAMPLE_MS = 2_000;
/** What a process needs to have seen everything once. */
const WARM_UP_SAMPLES = 8;
/** Garbage is collected when there is enough of it: a saw, whose teeth must not rise. */
const MOST_GROWTH = 1.15;
/** What Node opens for itself, once, when it is busy for the first time. */
const NODES_OWN_HANDLES = 2;
/** Of all packets, on a machine that may do something else besides. */
const MOST_LOST = 0.001;
/** Only a hang takes so long, on however busy a machine. */
const HANG_MS = 300_000;
const HEADER = ['tunnels', 'calls', 'packets', 'lost', 'memory', 'handles', 'processor'];

netTest(
  `${TUNNELS} tunnels, ${CALLS} of them with calls, for ${SECONDS} s: memory and handles stay`,
  [],
  async ({ t, folder }) => {
    t.timeout(2 * HANG_MS);
    const site = siteOf('open');
    const network = await Network.build(site.topology);
    try {
      const more = {
        'limits.tunnels-per-user': String(TUNNELS),
        'limits.bindings-per-user': String(TUNNELS),
        'log.level': 'info',
      };
      const server = await startServer(network, { site, mode: 'relay', folder, more });
      const idle = useOf(server.program.pid);
      const at = [site.gateway.v4, String(GATEWAY_PORT)];
      const echo = nodeProgram('echo-main.js', ...at, String(CALLS));
      await network.start('gateway', { ...echo, ready: { output: /ready/ } });
      const numbers = [TUNNELS, CALLS, SECONDS].map(String);
      const load = await network.start('ue', {
        ...nodeProgram('load/load-main.js', site.server.v4, '80', ...at, ...numbers),
        takesInput: true,
      });
      await load.said(/^open$/m, HANG_MS);
      const samples = await sampleUntil(server.program.pid, () => /^\{.*\}$/m.test(load.output));
      const { sent, heard, strange } = JSON.parse((await load.said(/^\{.*\}$/m))[0]);
      const kept = samples.slice(WARM_UP_SAMPLES);
      const [first, second] = halves(kept);
      addRow('A thousand tunnels', HEADER, rowOf(sent, heard, kept));
      t.is(sent, (CALLS * SECONDS * 1_000) / 20);
      t.is(strange, 0);
      t.true(sent - heard <= sent * MOST_LOST, `${sent - heard} of ${sent} lost`);
      t.is(most(second, 'handles'), most(first, 'handles'));
      t.true(most(second, 'residentKiB') <= most(first, 'residentKiB') * MOST_GROWTH);
      load.write('end\n');
      await load.said(/^closed$/m, HANG_MS);
      await load.exited;
      const left = idle.handles + NODES_OWN_HANDLES;
      await sampleUntil(server.program.pid, ({ handles }) => handles <= left);
      t.is((await server.stop()).code, 0);
    } finally {
      await network.destroy();
    }
  },
);

/** Every two seconds, at least once. */
async function sampleUntil(pid: number, isOver: (use: Use) => boolean): Promise<Use[]> {
  const samples: Use[] = [];
  const deadline = performance.now() + HANG_MS;
  for (;;) {
    const use = useOf(pid);
    samples.push(use);
    if (isOver(use)) return samples;
    if (performance.now() > deadline) throw new Error(`not over: ${JSON.stringify(use)}`);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
}

function halves(samples: readonly Use[]): [readonly Use[], readonly Use[]] {
  const middle = Math.floor(samples.length / 2);
  return [samples.slice(0, middle), samples.slice(middle)];
}

function most(samples: readonly Use[], of: keyof Use): number {
  return Math.max(...samples.map((sample) => sample[of]));
}

function rowOf(sent: number, heard: number, samples: readonly Use[]): string[] {
  const range = (of: keyof Use, scale: number) => {
    const values = samples.map((sample) => Math.round(sample[of] / scale));
    return `${Math.min(...values)} to ${Math.max(...values)}`;
  };
  const cpuMs = (samples.at(-1)?.cpuMs ?? 0) - (samples[0]?.cpuMs ?? 0);
  const percent = (100 * cpuMs) / ((samples.length - 1) * SAMPLE_MS);
  return [
    ...[String(TUNNELS), String(CALLS), String(2 * sent), String(sent - heard)],
    ...[`${range('residentKiB', 1_024)} MiB`, range('handles', 1), `${percent.toFixed(0)} %`],
  ];
}
