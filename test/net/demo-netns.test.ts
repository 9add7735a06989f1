/** `tep demo --netns` as people call it: what it shows, and that nothing stays. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { FIREWALLS } from '../../cli/demo/netns-stage.ts';
import { netTest } from './net-test.ts';
import { until } from './until.ts';

const BIN = fileURLToPath(new URL('../../cli/tep.js', import.meta.url));

for (const firewall of FIREWALLS) {
  netTest(
    `the demo through a firewall that is ${firewall}: closed directly, open by the tunnel`,
    firewall === 'proxy-only' ? ['tinyproxy'] : [],
    async ({ t }) => {
      const args = [
        BIN,
        'demo',
        '--netns',
        '--firewall',
        firewall,
        '--calls',
        '2',
        '--seconds',
        '1',
        '--json',
      ];
      const tep = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      const [out, err, [status]] = await Promise.all([
        text(tep.stdout),
        text(tep.stderr),
        once(tep, 'exit'),
      ]);
      t.deepEqual(namespacesOf(tep.pid), []);
      t.is(err, '');
      t.is(status, 0);
      t.like(JSON.parse(out), {
        ok: true,
        firewall,
        directSent: 5,
        directArrived: 0,
        sent: 200,
        received: 200,
        corrupted: 0,
        rtcpReceived: 4,
      });
    },
  );
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  netTest(
    `${signal} ends the demo with its picture, and takes its network down`,
    [],
    async ({ t }) => {
      const asTerminal = 'data:text/javascript,process.stdout.isTTY=true';
      const args = ['--import', asTerminal, BIN, 'demo', '--netns', '--seconds', '3600'];
      const tep = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      tep.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        out += chunk;
      });
      await until(async () => /phones .*, [1-9][\d,]* heard/.test(out));
      tep.kill(signal);
      const [status] = await once(tep, 'close');
      t.is(status, 0);
      t.regex(out, /firewall +UDP ╳ {2}of 5 sent directly 0 arrived/);
      t.regex(out, /Every packet arrived whole/);
      t.deepEqual(namespacesOf(tep.pid), []);
    },
  );
}

/** Left of the lab of that process. */
function namespacesOf(pid = 0): string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith(`tep-lab-${pid}-`));
}
