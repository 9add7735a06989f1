/** An agent with no more rights than its unit of systemd gives it: a user and two capabilities. */
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serviceUnit } from '../../cli/service/units.ts';
import { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { siteOf } from '../../lab/sites.ts';
import { netTest } from './net-test.ts';
import { stateOf } from './traces.ts';

const TEP = join(dirname(fileURLToPath(import.meta.url)), '../../cli/tep.js');
const NOBODY = 65_534;

const SETTINGS = `
servers: 192.0.2.80
user: alice
password: secret
media.to: [ 203.0.113.0/24, "2001:db8:113::/64" ]
stun.discover: false
`;

/** The words of setpriv(1) for what the unit says, as systemd would do it. */
function asService(): string[] {
  const unit = serviceUnit({ agent: 'client', node: process.execPath, program: TEP, rings: true });
  const [, names = ''] = /^AmbientCapabilities=(.*)$/m.exec(unit) ?? [];
  const caps = names.split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
  return [
    ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'],
    ...['--inh-caps', '--ambient-caps'].map((option) => `${option}=${caps.join(',')}`),
    `--bounding-set=-all,${caps.join(',')}`,
    process.execPath,
    TEP,
  ];
}

/** A folder that the user may enter, with a configuration and a place for the socket. */
async function prepare(folder: string): Promise<string> {
  const file = join(folder, 'client.yaml');
  const run = join(folder, 'run');
  await chmod(folder, 0o755);
  await mkdir(run);
  await chown(run, NOBODY, NOBODY);
  await writeFile(file, `${SETTINGS}status: run/client.sock\n`, { mode: 0o600 });
  await chown(file, NOBODY, NOBODY);
  return file;
}

netTest(
  'rings work for an ordinary user with two capabilities, and leave nothing behind',
  [],
  async ({ t, folder }) => {
    const network = await Network.build(siteOf('open').topology);
    try {
      const file = await prepare(folder);
      const before = await stateOf(network, 'ue');
      const client = await network.start('ue', {
        command: 'setpriv',
        args: [...asService(), 'client', '--config', file],
        // As systemd tells a service where its folder is.
        env: { RUNTIME_DIRECTORY: join(folder, 'run') },
        ready: { output: /client is running/ },
      });
      t.regex(await network.run('ue', 'ip', ['rule']), /to 203\.0\.113\.0\/24 .*proto 84/);
      await client.stop();
      t.deepEqual(await stateOf(network, 'ue'), before);
    } finally {
      await network.destroy();
    }
  },
);

netTest(
  'doctor sees what is in the way of rings, and changes nothing',
  [],
  async ({ t, folder }) => {
    const network = await Network.build(siteOf('open').topology);
    try {
      const file = await prepare(folder);
      await network.run('ue', 'ip', 'link add tep0 type veth peer name other'.split(' '));
      const before = await stateOf(network, 'ue');
      const doctor: Program = await network.start('ue', {
        command: 'setpriv',
        args: [...asService(), 'doctor', 'client', '--config', file],
      });
      t.is((await doctor.exited).code, 1);
      t.regex(doctor.output, /^ok {6}privileges: CAP_NET_ADMIN and CAP_NET_RAW$/m);
      t.regex(doctor.output, /^PROBLEM clashes: interface tep0 is there and not ours/m);
      t.regex(doctor.output, /^PROBLEM server: tcp:\/\/192\.0\.2\.80:80: .*\(tcp\)$/m);
      t.deepEqual(await stateOf(network, 'ue'), before);
      const bare = await network.start('ue', {
        command: 'setpriv',
        args: [
          `--reuid=${NOBODY}`,
          '--clear-groups',
          process.execPath,
          TEP,
          'client',
          '--config',
          file,
        ],
      });
      t.is((await bare.exited).code, 1);
      t.regex(bare.output, /client ends why=.*CAP_NET_ADMIN and CAP_NET_RAW missing/);
    } finally {
      await network.destroy();
    }
  },
);
