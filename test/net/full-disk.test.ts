/** TEP-C whose log and note of the tunnel stand on a disk that is full: calls matter more. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answered, clientTest } from './client-scene.ts';
import { until } from './until.ts';

const TEP = join(dirname(fileURLToPath(import.meta.url)), '../../cli/tep.js');

/** A disk of its own in a mount namespace of its own, full before the agent begins. */
const FULL_DISK = `mount -t tmpfs -o size=64k tmpfs "$1"
: >"$1/log"
dd if=/dev/zero of="$1/fill" bs=4k 2>/dev/null || true
exec "$2" "$3" client --config "$4" 2>>"$1/log"`;

clientTest(
  '[W-7] a disk that is full, for log and note: the call is made; with room again both go on',
  'web-only',
  async (scene) => {
    const { t, folder, network, site } = scene;
    const disk = join(folder, 'disk');
    const config = join(folder, 'client.yaml');
    await writeFile(
      config,
      `servers: tcp://${site.server.v4}
auth: none
media.to: [ ${site.gateway.v4}, "${site.gateway.v6}" ]
stun.discover: false
status: disk/client.sock
`,
    );
    await network.run('ue', 'mkdir', [disk]);
    await scene.startServer();
    const paths = [disk, process.execPath, TEP, config];
    const client = await network.start('ue', {
      command: 'unshare',
      args: ['--mount', 'sh', '-c', FULL_DISK, 'sh', ...paths],
    });
    const seen = (name: string) => join(`/proc/${client.pid}/root`, disk, name);
    await until(() => existsSync(seen('client.sock')));
    const phone = await scene.startPhone();
    await answered(phone);
    t.is(statSync(seen('log')).size, 0);
    t.false(existsSync(seen('client.tunnel')));
    t.false(existsSync(seen('client.tunnel.new')), 'no half of a token stays');

    rmSync(seen('fill'));
    const other = await scene.startPhone('v6');
    await answered(other);
    await until(() => existsSync(seen('client.tunnel')));
    t.regex(readFileSync(seen('log'), 'utf8'), /bound/);
    await answered(phone);
    // The phones go on talking: asked once it would wait for them.
    client.signal('SIGTERM');
    await until(() => /draining/.test(readFileSync(seen('log'), 'utf8')));
    t.is((await client.stop()).code, 0);
  },
);
