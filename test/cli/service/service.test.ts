import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { dispatch } from '../../../cli/dispatch.ts';
import { isOurs, stamped } from '../../../cli/service/stamp.ts';
import { mayBeHidden, serviceUnit } from '../../../cli/service/units.ts';
import { writeWhole } from '../../../cli/service/whole-file.ts';
import { scratch } from '../../config/scratch.ts';
import { peerOutput, peerTest } from '../../peers.ts';
import { fakeWorld } from '../world.ts';

async function service(...args: string[]) {
  const world = fakeWorld();
  const status = await dispatch(['service', ...args], world);
  return { status, out: world.out(), err: world.err() };
}

function tree(t: ExecutionContext) {
  const { folder } = scratch(t);
  const unit = (name: string) => join(folder, 'etc/systemd/system', name);
  return { folder, unit, config: (name: string) => join(folder, 'etc/tep', name) };
}

test('installed, installed again, and taken away; the configuration stays', async (t) => {
  const { folder, unit, config } = tree(t);
  const first = await service('install', 'server', '--root', folder);
  t.is(first.status, 0, first.err);
  t.true(existsSync(unit('tep-server.service')));
  t.true(existsSync(unit('tep-server.socket')));
  t.is(statSync(config('server.yaml')).mode & 0o777, 0o640);
  t.regex(first.out, /systemctl enable --now tep-server/);
  writeFileSync(config('server.yaml'), '# mine\n');
  t.is((await service('install', 'server', '--root', folder)).status, 0);
  t.is(readFileSync(config('server.yaml'), 'utf8'), '# mine\n');
  t.is((await service('install', 'client', '--root', folder)).status, 0);
  t.is((await service('uninstall', 'server', '--root', folder)).status, 0);
  t.false(existsSync(unit('tep-server.service')));
  t.false(existsSync(unit('tep-server.socket')));
  t.true(existsSync(join(folder, 'etc/sysusers.d/tep.conf')), 'the client has the same user');
  t.is((await service('uninstall', 'client', '--root', folder)).status, 0);
  t.false(existsSync(join(folder, 'etc/sysusers.d/tep.conf')));
  t.true(existsSync(config('server.yaml')));
});

test('what a person has edited, or somebody else made, is not overwritten without --force', async (t) => {
  const { folder, unit } = tree(t);
  await service('install', 'client', '--root', folder);
  const file = unit('tep-client.service');
  const edited = `${readFileSync(file, 'utf8')}# mine\n`;
  writeFileSync(file, edited);
  for (const verb of ['install', 'uninstall']) {
    const refused = await service(verb, 'client', '--root', folder);
    t.is(refused.status, 1);
    t.regex(refused.err, /not ours, or edited: .*tep-client\.service; --force/);
    t.is(readFileSync(file, 'utf8'), edited);
  }
  t.is((await service('install', 'client', '--root', folder, '--force')).status, 0);
  t.notRegex(readFileSync(file, 'utf8'), /# mine/);
});

test('a file that cannot be written is told in one line, and nothing of it stays', async (t) => {
  const { folder, unit } = tree(t);
  await service('install', 'server', '--root', folder);
  const file = unit('tep-server.service');
  rmSync(file);
  writeFileSync(`${file}.${process.pid}.part`, '');
  const { status, err } = await service('install', 'server', '--root', folder);
  t.is(status, 1);
  t.is(
    err,
    `tep: cannot write ${file}: EEXIST: file already exists, open '${file}.${process.pid}.part'\n`,
  );
  t.false(existsSync(file));
});

test('half a file never has the name of the whole', (t) => {
  const { folder, file } = scratch(t);
  const path = file('unit', 'before');
  mkdirSync(join(folder, 'taken'));
  t.throws(() => writeWhole(join(folder, 'taken'), 'text', 0o644));
  writeWhole(path, 'after', 0o640);
  t.is(readFileSync(path, 'utf8'), 'after');
  t.is(statSync(path).mode & 0o777, 0o640);
  t.deepEqual(readdirSync(folder).sort(), ['taken', 'unit']);
});

test('--dry-run and --print do nothing; without root nothing is done to this machine', async (t) => {
  const { folder } = tree(t);
  const dry = await service('install', 'client', '--root', folder, '--dry-run');
  t.is(dry.status, 0);
  t.regex(dry.out, /^write .*tep-client\.service$/m);
  t.false(existsSync(join(folder, 'etc')));
  const printed = await service('install', 'server', '--print');
  t.regex(printed.out, /^# \/etc\/systemd\/system\/tep-server\.socket$/m);
  const world = fakeWorld();
  const user = { ...world, process: { ...world.process, uid: 1_000 } };
  t.is(await dispatch(['service', 'install', 'client'], user), 1);
  t.regex(world.err(), /this needs root: sudo tep service/);
});

test('privileges only for rings', (t) => {
  const wishes = { agent: 'client', node: '/usr/bin/node', program: '/opt/tep.js' } as const;
  const rings = serviceUnit({ ...wishes, rings: true });
  t.regex(rings, /^AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW$/m);
  t.regex(rings, /^CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW$/m);
  t.regex(rings, /^RestrictAddressFamilies=.* AF_PACKET AF_XDP$/m);
  const sockets = serviceUnit({ ...wishes, rings: false });
  t.regex(sockets, /^AmbientCapabilities=$/m);
  t.regex(sockets, /^CapabilityBoundingSet=$/m);
  t.notRegex(sockets, /AF_PACKET|AF_XDP/);
});

test('odd paths are quoted as systemd reads them', (t) => {
  const unit = serviceUnit({
    agent: 'client',
    node: '/usr/bin/node',
    program: '/home/a b/100%/"x"/tep.js',
    rings: false,
  });
  t.regex(unit, /^ExecStart=\/usr\/bin\/node "\/home\/a b\/100%%\/\\"x\\"\/tep\.js" client$/m);
  t.regex(unit, /^ProtectHome=read-only$/m);
});

test('a program in a home or among temporary files is one that the service may not see', (t) => {
  for (const folder of ['/home/a', '/root', '/run/user/7', '/tmp', '/var/tmp/a']) {
    t.true(mayBeHidden(`${folder}/tep.js`), folder);
  }
  for (const path of ['/opt/tep/tep.js', '/usr/bin/node', '/tmpfiles/tep.js', '/opt/tmp/tep.js']) {
    t.false(mayBeHidden(path), path);
  }
});

test('a stamp tells our files from edited ones', (t) => {
  t.true(isOurs(stamped('a\n')));
  t.false(isOurs(`${stamped('a\n')}b\n`));
  t.false(isOurs('a\n'));
  t.false(isOurs(''));
});

test('wrong usage', async (t) => {
  for (const args of [[], ['install'], ['instal', 'client'], ['install', 'sever']]) {
    t.is((await service(...args)).status, 2);
  }
});

peerTest('systemd-analyze', 'systemd takes the units, and finds them well shut', async (t) => {
  const { folder, unit } = tree(t);
  await service('install', 'server', '--root', folder);
  await service('install', 'client', '--root', folder);
  const units = ['tep-client.service', 'tep-server.service', 'tep-server.socket'].map(unit);
  await t.notThrowsAsync(peerOutput('systemd-analyze', ['verify', ...units]));
  for (const [name, most] of [
    // Of it 0.1 is AF_XDP, which is not among the families that everybody has.
    ['tep-client.service', 2.6],
    ['tep-server.service', 1.8],
  ] as const) {
    const text = await peerOutput('systemd-analyze', ['security', '--offline=yes', unit(name)]);
    const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(text)?.[1]);
    t.true(exposure <= most, `${name}: ${exposure}`);
  }
});
