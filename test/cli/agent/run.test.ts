import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { runAgent } from '../../../cli/agent/run.ts';
import { askStatus } from '../../../io/status-socket.ts';
import { scratch } from '../../config/scratch.ts';
import { notifyListener } from '../../io/notify-listener.ts';
import { fakeWorld } from '../world.ts';
import { FakeAgent, inFolder } from './fake-agent.ts';

const ALWAYS = ['--status', 'agent.sock'];

function setUp(t: ExecutionContext, yaml: string, env = {}) {
  const files = scratch(t);
  files.file('client.yaml', yaml);
  const world = inFolder(fakeWorld('', env), files.folder);
  const agent = new FakeAgent();
  const run = (...args: string[]) => runAgent(agent, [...ALWAYS, ...args], world);
  return { ...files, world, agent, run };
}

/** Waits for what the next turns of the event loop bring. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

test('SIGTERM drains, then it ends with success and leaves no socket', async (t) => {
  const { run, agent, world, folder } = setUp(t, 'live: 7\n');
  const status = run();
  await agent.started;
  t.deepEqual(await askStatus(`${folder}/agent.sock`), { agent: 'client', live: 7 });
  t.true(world.signal('SIGTERM'));
  await until(() => agent.diary.includes('drain'));
  t.deepEqual(agent.diary, ['start', 'drain']);
  t.like(await askStatus(`${folder}/agent.sock`), { agent: 'client' });
  agent.drained();
  t.is(await status, 0);
  t.deepEqual(agent.diary, ['start', 'drain', 'stop']);
  t.like(await askStatus(`${folder}/agent.sock`), { code: 'ENOENT' });
  t.false(world.signal('SIGTERM'), 'signals are given back');
  t.regex(world.err(), /info {2}draining.* signal=SIGTERM/);
});

test('a second SIGTERM, or SIGINT, ends at once; one more ends the process', async (t) => {
  for (const signals of [['SIGTERM', 'SIGTERM'], ['SIGINT'], ['SIGTERM', 'SIGINT']] as const) {
    const { run, agent, world } = setUp(t, '');
    const status = run();
    await agent.started;
    for (const name of signals) world.signal(name);
    world.signal('SIGINT');
    t.deepEqual(world.exits, [1]);
    t.is(await status, 0);
    t.is(agent.diary.at(-1), 'stop');
  }
});

test('SIGHUP applies what may change and says what needs a restart', async (t) => {
  const { run, agent, world, file } = setUp(t, 'live: 1\nfixed: 1\npassword: old\n');
  const status = run('--log-level', 'info');
  await agent.started;
  file('client.yaml', 'live: 2\nfixed: 2\npassword: new\n');
  world.signal('SIGHUP');
  await until(() => world.err().includes('need a restart'));
  t.is(agent.settings?.live, 2);
  t.is(agent.settings?.fixed, 1);
  t.is(agent.settings?.password?.reveal(), 'new');
  t.regex(world.err(), /configuration read again applied=live,password\n/);
  t.regex(world.err(), /warn .*need a restart settings=fixed\n/);
  t.notRegex(world.err(), /old|new\b/);
  world.signal('SIGINT');
  t.is(await status, 0);
});

test('SIGHUP while it starts ends nothing, and is done when it has started', async (t) => {
  const { run, agent, world, file } = setUp(t, 'live: 1\n');
  const status = run();
  t.true(world.signal('SIGHUP'));
  file('client.yaml', 'live: 2\n');
  await until(() => world.err().includes('configuration read again'));
  t.deepEqual(agent.diary, ['start', 'reload']);
  t.is(agent.settings?.live, 2);
  world.signal('SIGINT');
  t.is(await status, 0);
});

test('a bad file at SIGHUP changes nothing, and everything wrong is logged', async (t) => {
  const { run, agent, world, file } = setUp(t, 'live: 1\n');
  const status = run();
  await agent.started;
  file('client.yaml', 'live: 100\nlvie: 3\n');
  world.signal('SIGHUP');
  await until(() => world.err().includes('the old one stays'));
  t.regex(world.err(), /error configuration where=client\.yaml:1 what="live \\"100\\" must be/);
  t.regex(world.err(), /error configuration where=client\.yaml:2 what="unknown key/);
  file('client.yaml', 'live: 13\n');
  world.signal('SIGHUP');
  await until(() => world.err().includes('must not be 13'));
  t.deepEqual(agent.diary, ['start']);
  agent.reloadFault = { type: 'io-fault', code: 'EX', text: 'no such thing' };
  file('client.yaml', 'live: 5\n');
  world.signal('SIGHUP');
  await until(() => world.err().includes('reload failed'));
  t.regex(world.err(), /error reload failed, nothing changed why="no such thing"/);
  t.notRegex(world.err(), /configuration read again/);
  world.signal('SIGINT');
  t.is(await status, 0);
});

test('wrong settings: all of them on standard error, exit status 2, nothing started', async (t) => {
  const { run, agent, world } = setUp(t, 'live: x\nfoo: 1\n');
  t.is(await run('--fixde', '3'), 2);
  t.deepEqual(world.err().split('\n'), [
    'tep: unknown option --fixde (did you mean --fixed?)',
    'tep: client.yaml:1: live "x" must be a whole number from 0 to 99',
    'tep: client.yaml:2: unknown key "foo"',
    '',
  ]);
  t.deepEqual(agent.diary, []);
});

test('--check shows what holds and where it was written, secrets hidden', async (t) => {
  const yaml = 'live: 7\npassword: hunter2\n';
  const { run, agent, world } = setUp(t, yaml, { TEP_FIXED: '9' });
  t.is(await run('--check'), 0);
  t.deepEqual(agent.diary, []);
  const rows = world.out().split('\n');
  t.regex(rows[0] ?? '', /^live: 7 +# client\.yaml:1$/);
  t.regex(rows[1] ?? '', /^fixed: 9 +# TEP_FIXED$/);
  t.regex(rows[2] ?? '', /^password: "\(hidden\)" +# client\.yaml:2$/);
  t.regex(world.out(), /^log\.level: info +# default$/m);
  t.notRegex(world.out(), /hunter2/);
});

test('--check --json is one object, right or wrong', async (t) => {
  const good = setUp(t, 'live: 7\npassword: hunter2\n');
  t.is(await good.run('--check', '--json'), 0);
  const answer = JSON.parse(good.world.out());
  t.true(answer.ok);
  t.deepEqual(answer.settings.live, { value: '7', from: 'client.yaml:1' });
  t.deepEqual(answer.settings.password, { value: '(hidden)', from: 'client.yaml:2' });
  const bad = setUp(t, 'live: 700\n');
  t.is(await bad.run('--check', '--json'), 2);
  t.like(JSON.parse(bad.world.out()), { ok: false });
  t.is(bad.world.err(), '');
});

test('an agent that cannot start, or fails later, is exit status 1 with the reason', async (t) => {
  const fault = { type: 'io-fault', code: 'EACCES', text: 'port 80: not permitted' } as const;
  const first = setUp(t, '');
  first.agent.startFault = fault;
  t.is(await first.run(), 1);
  t.regex(first.world.err(), /error client ends why="port 80: not permitted"/);
  const later = setUp(t, '');
  const status = later.run();
  await later.agent.started;
  later.agent.deps?.failed(fault);
  t.is(await status, 1);
  t.deepEqual(later.agent.diary, ['start', 'stop']);
});

test('where an address is in use, it is said who knows by whom', async (t) => {
  const { run, agent, world } = setUp(t, '');
  const text = 'listen EADDRINUSE: address already in use 127.0.0.1:5060';
  agent.startFault = { type: 'io-fault', code: 'EADDRINUSE', text };
  t.is(await run(), 1);
  t.true(world.err().includes(`${text}: tep doctor client tells by whom`), world.err());
});

test('a second agent is refused before it touches anything', async (t) => {
  const { run, agent, world, folder } = setUp(t, '');
  const first = run();
  await agent.started;
  const second = new FakeAgent();
  t.is(await runAgent(second, ALWAYS, inFolder(fakeWorld(), folder)), 1);
  t.deepEqual(second.diary, []);
  world.signal('SIGINT');
  t.is(await first, 0);
});

test('systemd hears how it goes: ready, reloading, alive, stopping', async (t) => {
  const { name, received } = notifyListener(t);
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) };
  const { run, agent, world } = setUp(t, '', env);
  const heard: string[] = [];
  const hear = async (wanted: string) => {
    await until(() => {
      const text = received();
      if (text !== 'EAGAIN') heard.push(text);
      return heard.includes(wanted);
    });
  };
  const status = run();
  await hear('READY=1\nSTATUS=all is well');
  await hear('WATCHDOG=1');
  world.signal('SIGHUP');
  await hear('RELOADING=1');
  await hear('READY=1');
  world.signal('SIGTERM');
  await hear('STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=60000000');
  agent.drained();
  t.is(await status, 0);
  await hear('STOPPING=1\nSTATUS=stopping');
  t.is(agent.diary.at(-1), 'stop');
});
