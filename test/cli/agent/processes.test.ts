/** `tep client` and `tep server` as their users run them: processes, files, signals, real media. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { askStatus } from '../../../io/status-socket.ts';
import type { ClientStatus, ServerStatus } from '../../../ops/status.ts';
import { parseEndpoint } from '../../../wire/address.ts';
import { scratch } from '../../config/scratch.ts';
import { openTalker, type Talker } from '../../daemon/pair.ts';
import { until } from '../../net/until.ts';
import { AgentProcess } from './agents.ts';

const PASSWORD = 'correct horse battery';
const SECRETS = [
  PASSWORD,
  Buffer.from(PASSWORD).toString('base64'),
  Buffer.from(PASSWORD).toString('hex'),
  ...['md5', 'sha256'].flatMap((hash) =>
    (['hex', 'base64'] as const).map((form) =>
      createHash(hash).update(`alice:tep:${PASSWORD}`).digest(form),
    ),
  ),
];

function serverFile(gateway: Talker, more = ''): string {
  return `
listen: "127.0.0.1:0"
users: users
addresses.public: 127.0.0.1
media.allow: 127.0.0.1:${gateway.socket.local.port}
status: server.sock
log.level: debug
stun-udp: false
${more}`;
}

function clientFile(port: string, gateway: Talker, more = ''): string {
  return `
servers: 127.0.0.1:${port}
user: alice
password: ${PASSWORD}
packets.port: sockets
maps: 127.0.0.1:0=127.0.0.1:${gateway.socket.local.port}
status: client.sock
log.level: debug
stun.discover: false
${more}`;
}

interface Running {
  readonly folder: string;
  readonly file: ReturnType<typeof scratch>['file'];
  readonly server: AgentProcess;
  readonly client: AgentProcess;
  readonly gateway: Talker;
  readonly phone: Talker;
  /** The socket of TEP-C that stands for the gateway. */
  readonly standIn: { readonly family: 4; readonly address: Uint8Array; readonly port: number };
}

async function startBoth(t: ExecutionContext): Promise<Running> {
  const { folder, file } = scratch(t);
  const gateway = await openTalker('127.0.0.1');
  const phone = await openTalker('127.0.0.1');
  t.teardown(() => Promise.all([gateway.socket.close(), phone.socket.close()]));
  file('users', `alice:${PASSWORD}\n`);
  file('server.yaml', serverFile(gateway));
  const server = new AgentProcess(t, ['server', '--config', 'server.yaml'], folder);
  const [, port = ''] = await server.line(/listening at=127\.0\.0\.1:(\d+)/);
  await server.line(/server is running/);
  const local = await freePort();
  file('client.yaml', clientFile(port, gateway).replace('127.0.0.1:0=', `127.0.0.1:${local}=`));
  const client = new AgentProcess(t, ['client', '--config', 'client.yaml'], folder);
  await client.line(/client is running/);
  const standIn = { family: 4, address: Uint8Array.of(127, 0, 0, 1), port: local } as const;
  return { folder, file, server, client, gateway, phone, standIn };
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const talker = await openTalker('127.0.0.1');
  const { port } = talker.socket.local;
  await talker.socket.close();
  return port;
}

/** Both ways; gives where the phone is reached from the gateway's side. */
async function talk({ phone, gateway, standIn }: Running, word: string) {
  const heard = gateway.hear(`${word}?`);
  const { from } = await again(() => phone.say(`${word}?`, standIn), heard);
  await again(() => gateway.say(`${word}!`, from), phone.hear(`${word}!`));
  return from;
}

/** Says it until it is heard: packets wait for a tunnel, but not for one on a machine that is very busy. */
async function again<T>(say: () => void, heard: Promise<T>): Promise<T> {
  say();
  const timer = setInterval(say, 250);
  try {
    return await heard;
  } finally {
    clearInterval(timer);
  }
}

test.serial(
  'two processes carry media both ways, tell their status, and end when told to',
  async (t) => {
    const both = await startBoth(t);
    const { folder, server, client } = both;
    const from = await talk(both, 'hello');
    const seen = (await askStatus(`${folder}/client.sock`)) as ClientStatus;
    t.true(seen.bindings.some(({ public: at }) => at === `127.0.0.1:${from.port}`));
    t.true(seen.sent.packets > 0);
    const serverSeen = (await askStatus(`${folder}/server.sock`)) as ServerStatus;
    t.is(serverSeen.tunnels[0]?.user, 'alice');
    t.is(serverSeen.tunnelCount, 1);

    const second = new AgentProcess(t, ['client', '--config', 'client.yaml'], folder);
    t.is(await second.ended(), 1);
    t.regex(second.log, /client ends why="another agent is running/);
    await talk(both, 'still there');

    client.signal('SIGINT');
    t.is(await client.ended(), 0);
    server.signal('SIGTERM');
    t.is(await server.ended(), 0);
    t.like(await askStatus(`${folder}/server.sock`), { code: 'ENOENT' });
  },
);

test.serial(
  'SIGHUP in the middle of a call: users and limits change, the call goes on',
  async (t) => {
    const both = await startBoth(t);
    const { server, client, file, gateway } = both;
    const from = await talk(both, 'before');
    file('users', `alice:${PASSWORD}\nbob:another password\n`);
    file('server.yaml', `${serverFile(gateway)}limits.tunnels-per-user: 3\nworkers: 2\n`);
    server.signal('SIGHUP');
    await server.line(/configuration read again applied=users,limits\.tunnels-per-user/);
    await server.line(/changed settings that need a restart settings=workers/);
    t.deepEqual(await talk(both, 'after'), from);

    file('server.yaml', 'listen: nonsense\nusrs: x\n');
    server.signal('SIGHUP');
    await server.line(/the old one stays/);
    t.regex(server.log, /where=server\.yaml:1 what="listen: \\"nonsense\\" must be/);
    t.regex(server.log, /where=server\.yaml:2 what="unknown key/);
    t.deepEqual(await talk(both, 'as before'), from);
    client.signal('SIGINT');
    server.signal('SIGINT');
    t.deepEqual(await Promise.all([client.ended(), server.ended()]), [0, 0]);
  },
);

test.serial('SIGTERM lets a call end, a second one does not wait for it', async (t) => {
  const both = await startBoth(t);
  const { server, client } = both;
  await talk(both, 'hello');
  server.signal('SIGTERM');
  await server.line(/draining/);
  await talk(both, 'still talking');
  client.signal('SIGINT');
  t.is(await client.ended(), 0);
  t.is(await server.ended(), 0, 'nothing is left to wait for');

  const others = await startBoth(t);
  await talk(others, 'hello');
  others.server.signal('SIGTERM');
  await others.server.line(/draining/);
  others.server.signal('SIGTERM');
  t.is(await others.server.ended(), 0);
});

test.serial('no secret, nor anything made of one, is in the log at any level', async (t) => {
  const both = await startBoth(t);
  const { server, client, file, gateway } = both;
  await talk(both, 'hello');
  // A wrong password, a wrong file and a wrong user have much to say.
  const [, port = ''] = /at=127\.0\.0\.1:(\d+)/.exec(server.log) ?? [];
  const wrong = PASSWORD.replace('horse', 'mule');
  const yaml = clientFile(port, gateway).replace('127.0.0.1:0=', `127.0.0.1:${await freePort()}=`);
  file('wrong.yaml', yaml.replace(PASSWORD, wrong).replace('client.sock', 'off'));
  const stranger = new AgentProcess(t, ['client', '--config', 'wrong.yaml'], both.folder);
  await stranger.line(/client is running/);
  const map = /maps: (127\.0\.0\.1:\d+)=/.exec(yaml.replace('127.0.0.1:0', '')) ?? [];
  const standIn = parseEndpoint(map[1] ?? '');
  if (standIn === undefined) throw new Error(yaml);
  const refused = stranger.line(/the server does not let us in .*code=401/);
  await again(() => both.phone.say('let me in', standIn), refused);
  file('users', `alice:{sha256}${PASSWORD}\n`);
  server.signal('SIGHUP');
  await server.line(/reload failed/);
  for (const { log } of [server, client, stranger]) {
    t.regex(log, / debug /);
    for (const secret of [...SECRETS, wrong, 'horse', 'mule']) t.false(log.includes(secret), log);
  }
  for (const agent of [client, stranger, server]) agent.signal('SIGINT');
  await Promise.all([client.ended(), stranger.ended(), server.ended()]);
});

test.serial('a log that nobody reads, or that finds no room, ends no calls', async (t) => {
  const { folder, file } = scratch(t);
  const gateway = await openTalker('127.0.0.1');
  t.teardown(() => gateway.socket.close());
  file('users', `alice:${PASSWORD}\n`);
  file('server.yaml', serverFile(gateway));
  const args = ['server', '--config', 'server.yaml'];

  const server = new AgentProcess(t, args, folder);
  await server.line(/server is running/);
  server.child.stderr?.destroy();
  // Each is told in the log, which is not there.
  for (const _ of [1, 2]) {
    server.signal('SIGHUP');
    t.like(await askStatus(`${folder}/server.sock`), { agent: 'server' });
  }
  server.signal('SIGTERM');
  t.is(await server.ended(), 0);
});

test.serial('[W-5] a server that is killed leaves neither workers nor their sockets', async (t) => {
  const { folder, file } = scratch(t);
  const temporary = scratch(t).folder;
  const gateway = await openTalker('127.0.0.1');
  t.teardown(() => gateway.socket.close());
  file('users', `alice:${PASSWORD}\n`);
  file('server.yaml', serverFile(gateway, 'workers: 2\n'));
  const args = ['server', '--config', 'server.yaml'];
  const server = new AgentProcess(t, args, folder, { TMPDIR: temporary });
  await server.line(/server is running/);
  const ours = () => readdirSync(temporary).filter((name) => name.startsWith('tep-server-'));
  t.is(ours().length, 1);
  server.signal('SIGKILL');
  t.is(await server.ended(), -1);
  await until(async () => ours().length === 0);
  t.is(ours().length, 0);
});
