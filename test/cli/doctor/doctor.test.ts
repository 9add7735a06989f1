import test, { type ExecutionContext } from 'ava';
import { dispatch } from '../../../cli/dispatch.ts';
import { reachFindings } from '../../../cli/doctor/reach.ts';
import { readSettings } from '../../../config/read.ts';
import { CLIENT_KEYS, checkClient } from '../../../tep-client/settings.ts';
import { scratch } from '../../config/scratch.ts';
import { openPair } from '../../daemon/pair.ts';
import { fakeWorld } from '../world.ts';

const PASSWORD = 'a password for tests only';

function clientSettings(server: string, password: string) {
  const args = ['--servers', server, '--user', 'alice', '--packets-port', 'sockets'];
  const reading = readSettings(CLIENT_KEYS, checkClient, {
    args: [...args, '--maps', '127.0.0.1:1=192.0.2.1:1'],
    env: { TEP_PASSWORD: password },
    folder: '/',
    defaultFile: '/nonexistent',
  });
  if (reading.settings === undefined) throw new Error(JSON.stringify(reading.problems));
  return reading.settings;
}

async function reach(t: ExecutionContext, password: string) {
  const pair = await openPair({ stunUdp: true });
  t.teardown(() => pair.stop());
  const settings = clientSettings(`127.0.0.1:${pair.listening.port}`, password);
  return { pair, findings: await reachFindings(settings, {}) };
}

test('the way to a server: a tunnel is opened, and closed again', async (t) => {
  const { pair, findings } = await reach(t, PASSWORD);
  const [tunnel, udp] = findings;
  t.is(tunnel?.result, 'ok');
  t.regex(udp?.text ?? '', /plain STUN by UDP passes, and sees this machine as 127/);
  t.regex(tunnel?.text ?? '', /opened a tunnel in \d+ ms and sees this machine as 127/);
  await pair.serverSays.first('tunnel-closed', () => true);
});

test('a wrong password, a closed port and a silent server are told apart', async (t) => {
  const { findings } = await reach(t, 'wrong');
  t.regex(findings[0]?.text ?? '', /does not know this user or password/);
  const [closed, udp] = await reachFindings(clientSettings('127.0.0.1:1', PASSWORD), {});
  t.regex(udp?.text ?? '', /not answered: the tunnel tells/);
  t.regex(closed?.text ?? '', /nothing listens on port 1 there.*\(tcp\)/);
  t.is(closed?.result, 'problem');
});

const SERVER = `
listen: "127.0.0.1:0"
users: users
addresses.public: [ 127.0.0.1, 192.0.2.77 ]
media.allow: 203.0.113.0/24
`;

test('a server: everything that is found, as text and as JSON, and the exit status', async (t) => {
  const { folder, file } = scratch(t);
  file('users', 'alice:secret\n');
  const config = file('server.yaml', SERVER);
  const world = fakeWorld('', { XDG_RUNTIME_DIR: folder });
  t.is(await dispatch(['doctor', 'server', '--config', config], world), 1);
  t.regex(world.out(), /^ok {6}users: 1 user in /m);
  t.regex(
    world.out(),
    /^PROBLEM addresses: 192\.0\.2\.77 is no address of this machine\n {8}→ relay/m,
  );
  t.regex(world.out(), /\n1 problem, /);
  t.notRegex(world.out(), /secret/);
  file('server.yaml', SERVER.replace(', 192.0.2.77', ''));
  const json = fakeWorld('', { XDG_RUNTIME_DIR: folder });
  t.is(await dispatch(['doctor', 'server', '--config', config, '--json'], json), 0);
  const { ok, findings } = JSON.parse(json.out());
  t.true(ok);
  t.true(findings.every((f: { result: string }) => f.result !== 'problem'));
});

test('a configuration that is wrong is a problem, with its line', async (t) => {
  const { file } = scratch(t);
  const config = file('server.yaml', 'lisen: 80\n');
  const world = fakeWorld();
  t.is(await dispatch(['doctor', 'server', '--config', config], world), 1);
  t.regex(world.out(), /^PROBLEM configuration: server\.yaml:1: unknown key "lisen"/m);
});

test('users that cannot be read are named by line, never with the password', async (t) => {
  const { file } = scratch(t);
  file('users', 'alice:{md5}topsecret\nbob\n');
  const config = file('server.yaml', SERVER);
  const world = fakeWorld();
  t.is(await dispatch(['doctor', 'server', '--config', config], world), 1);
  t.regex(world.out(), /^PROBLEM users: .*users: line 1: /m);
  t.regex(world.out(), /^PROBLEM users: .*users: line 2: not name:password/m);
  t.notRegex(world.out(), /topsecret/);
});

test('wrong usage', async (t) => {
  for (const args of [['sever'], ['--config', 'x'], ['client', 'server']]) {
    t.is(await dispatch(['doctor', ...args], fakeWorld()), 2);
  }
});
