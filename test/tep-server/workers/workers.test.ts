/** TEP-S in two real processes besides this one. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ClientTls } from '../../../io/dial/client-tls.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { systemRandom } from '../../../io/random.ts';
import { SILENT } from '../../../ops/log.ts';
import { placeOfUser } from '../../../session/placement.ts';
import { startServer } from '../../../tep-server/daemon.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { ClientAuth } from '../../../wire/stun/client-auth.ts';
import { decode } from '../../../wire/stun/message.ts';
import { METHODS } from '../../../wire/stun/registry.ts';
import { TestAuthority } from '../../certificates.ts';
import { scratch } from '../../config/scratch.ts';
import { type ClientWishes, openCall, openClient, openTalker } from '../../daemon/pair.ts';
import { peerTest } from '../../peers.ts';
import { type Service, settingsOf, startService } from '../service.ts';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const OPEN: Attribute = { type: 'TEP-TUNNEL', value: new Uint8Array(0) };
const PASSWORD = 'a password for tests only';
/** Above those that the system gives to sockets of gateways. */
const PORTS = '61440-65535';
const SECOND_HALF = 63_488;

function settings(t: ExecutionContext, ...flags: readonly string[]) {
  const users = NAMES.map((name) => `${name}:${PASSWORD}\n`).join('');
  const file = scratch(t).file('users', users);
  const ports = flags.includes('--ports') ? [] : ['--ports', PORTS];
  return settingsOf(t, '--workers', '2', '--users', file, ...ports, ...flags);
}

function clientOf({ at }: Service, user: string, wishes: ClientWishes = {}) {
  return openClient({ host: '127.0.0.1', port: at.port }, { user, password: PASSWORD, ...wishes });
}

/** Process ids of the workers, by number, the latest ones. */
function pids({ lines }: Service): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of lines) {
    const [, index, pid] = /^worker is running worker=(\d+) pid=(\d+)$/.exec(line) ?? [];
    if (pid !== undefined) found.set(Number(index), Number(pid));
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.serial(
  '[W-5] users are spread over two processes; a call of each, and the sum of both',
  async (t) => {
    const service = await startService(t, settings(t));
    t.is(new Set(NAMES.map((name) => placeOfUser(name, 2))).size, 2);
    const clients = NAMES.map((name) => clientOf(service, name));
    const calls = await Promise.all(clients.map((tep) => openCall(tep)));
    for (const { phone, gateway, standIn, address } of calls) {
      phone.say('up', standIn);
      await gateway.hear('up');
      gateway.say('down', address);
      await phone.hear('down');
    }
    const status = await service.server.status();
    t.like(status, {
      workers: 2,
      tunnelCount: NAMES.length,
      bindingCount: NAMES.length,
      connections: { all: NAMES.length, unauthenticated: 0 },
      sent: { packets: NAMES.length },
      received: { packets: NAMES.length },
      port: { kind: 'sockets' },
      drops: {},
      turnedAway: {},
    });
    t.deepEqual(status.tunnels.map(({ user }) => user).sort(), NAMES);
    const ports = calls.map(({ address }) => address.port);
    // Each process has its half of the ports.
    for (const [i, port] of ports.entries()) {
      t.is(port >= SECOND_HALF ? 1 : 0, placeOfUser(NAMES[i] ?? '', 2), NAMES[i]);
    }
    for (const each of calls) await each.close();
    for (const { client } of clients) await client.stop();
  },
);

test.serial(
  '[W-5] a quota holds over all processes: the tunnels of a user are in one',
  async (t) => {
    const service = await startService(t, settings(t, '--limits-tunnels-per-user', '2'));
    for (const name of NAMES.slice(0, 2)) {
      const clients = [clientOf(service, name), clientOf(service, name), clientOf(service, name)];
      const answers = await Promise.all(clients.map(({ client }) => client.open()));
      t.deepEqual(answers.map(({ type }) => type).sort(), ['closed', 'opened', 'opened']);
      for (const { client } of clients) await client.stop();
    }
  },
);

test.serial('[W-7] stripes of one tunnel meet in its process', async (t) => {
  const service = await startService(t, settings(t));
  const clients = NAMES.map((name) => clientOf(service, name, { stripes: 3 }));
  for (const tep of clients) {
    const call = await openCall(tep);
    for (let i = 0; i < 30; i++) call.phone.say(`packet ${i}`, call.standIn);
    for (let i = 0; i < 30; i++) await call.gateway.hear(`packet ${i}`);
    await call.close();
  }
  for (;;) {
    const { tunnels } = await service.server.status();
    if (tunnels.every(({ connections }) => connections.length === 3)) break;
  }
  for (const { client } of clients) await client.stop();
  t.pass();
});

peerTest('openssl', '[W-5] in TLS: what one process decrypts another one may have', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const { certificateFile, keyFile } = await authority.issue();
  const files = ['--tls-certificate', certificateFile, '--tls-key', keyFile];
  const service = await startService(t, settings(t, ...files));
  const tls = new ClientTls({ ca: authority.certificate }, { verify: true });
  const clients = NAMES.map((name) => clientOf(service, name, { tls }));
  for (const tep of clients) {
    const { phone, gateway, standIn, address, close } = await openCall(tep);
    phone.say('up in TLS', standIn);
    await gateway.hear('up in TLS');
    gateway.say('x'.repeat(20_000), address);
    await phone.hear('x'.repeat(20_000));
    await close();
  }
  const { connections, tunnels } = await service.server.status();
  t.is(tunnels.length, NAMES.length);
  // Those that are passed on are connections of two processes.
  t.true(connections.all > NAMES.length);
  t.is(connections.unauthenticated, 0);
  for (const { client } of clients) await client.stop();
});

test.serial(
  '[W-7] a process that dies is started again; its clients open new tunnels, others notice nothing',
  async (t) => {
    const service = await startService(t, settings(t));
    const victim = clientOf(service, NAMES[0] ?? '');
    const place = placeOfUser(NAMES[0] ?? '', 2);
    const other = clientOf(service, NAMES.find((name) => placeOfUser(name, 2) !== place) ?? '');
    const [lost, kept] = [await openCall(victim), await openCall(other)];
    const before = pids(service).get(place) ?? 0;
    const mark = victim.clientSays.events.length;
    process.kill(before, 'SIGKILL');
    const again = await victim.clientSays.first('bound', () => true, mark);
    t.is(again.ue.port, lost.phone.socket.local.port);
    lost.phone.say('here again', lost.standIn);
    const { from } = await lost.gateway.hear('here again');
    lost.gateway.say('welcome back', from);
    await lost.phone.hear('welcome back');
    t.not(pids(service).get(place), before);
    t.deepEqual(other.clientSays.events.filter(({ type }) => type === 'opened').length, 1);
    kept.phone.say('undisturbed', kept.standIn);
    await kept.gateway.hear('undisturbed');
    for (const each of [lost, kept]) await each.close();
    for (const { client } of [victim, other]) await client.stop();
  },
);

test.serial(
  '[G-22] no packet of a tunnel goes to a public address of another process',
  async (t) => {
    const service = await startService(t, settings(t));
    const [sender, other] = await twoPlaces(service);
    const at = { ...sender.standIn, port: 0 };
    const standIn = await sender.packets.listen(1, at, other.address);
    if (isIoFault(standIn)) throw new Error(standIn.text);
    sender.phone.say('to somebody else', standIn);
    for (;;) {
      const { drops, sent } = await service.server.status();
      t.is(sent.packets, 0);
      if ((drops['destination-own'] ?? 0) > 0) break;
    }
    other.gateway.say('from a gateway', other.address);
    await other.phone.hear('from a gateway');
    t.deepEqual(
      other.phone.heard.events.map(({ text }) => text),
      ['from a gateway'],
    );
    for (const { close, client } of [sender, other]) {
      await close();
      await client.stop();
    }
  },
);

test.serial('[W-7] connections on their way to a process that dies are closed', async (t) => {
  const service = await startService(t, settings(t));
  const all = [...pids(service).values()];
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  const { address, port } = service.at;
  const sockets = Array.from({ length: 5 }, () => connect(port, address.join('.')));
  const closed = sockets.map((socket) => {
    socket.on('error', () => {}).resume();
    return new Promise<void>((resolve) => socket.once('close', () => resolve()));
  });
  // They are given away in the turns in which they are accepted.
  while (sockets.some(({ connecting }) => connecting)) await turn();
  for (let i = 0; i < 100; i++) await turn();
  for (const pid of all) process.kill(pid, 'SIGKILL');
  await Promise.all(closed);
  t.pass();
});

test.serial(
  '[W-5] a process that starts while settings are reloaded gets the new ones',
  async (t) => {
    const service = await startService(t, settings(t));
    const name = NAMES[0] ?? '';
    const before = pids(service).get(placeOfUser(name, 2)) ?? 0;
    process.kill(before, 'SIGKILL');
    await childBesides([...pids(service).values()]);
    t.is(await service.server.reload(settings(t, '--limits-tunnels-per-user', '1')), undefined);
    while (pids(service).get(placeOfUser(name, 2)) === before) await turn();
    const clients = [clientOf(service, name), clientOf(service, name)];
    const answers = await Promise.all(clients.map(({ client }) => client.open()));
    t.deepEqual(answers.map(({ type }) => type).sort(), ['closed', 'opened']);
    for (const { client } of clients) await client.stop();
  },
);

test.serial('[W-5] reload and drain reach all processes; stopping leaves none', async (t) => {
  const service = await startService(t, settings(t, '--drain', '1h'));
  const clients = NAMES.map((name) => clientOf(service, name));
  for (const { client } of clients) t.is((await client.open()).type, 'opened');
  const bad = scratch(t).file('users', 'no colon');
  const wrong = settingsOf(t, '--workers', '2', '--users', bad);
  t.regex((await service.server.reload(wrong))?.text ?? '', /line 1: not name:password/);
  t.is(await service.server.reload(settings(t, '--limits-tunnels-per-user', '1')), undefined);
  for (const name of NAMES) {
    const second = clientOf(service, name);
    t.like(await second.client.open(), { type: 'closed', code: 486 });
    await second.client.stop();
  }
  const drained = service.server.drain();
  t.true((await service.server.status()).draining);
  for (const { client } of clients) await client.stop();
  await drained;
  const all = [...pids(service).values()];
  t.is(all.length, 2);
  t.true(all.every(isAlive));
  await service.server.stop();
  t.false(all.some(isAlive));
});

test.serial('[W-5] a worker that hangs keeps nobody from ending', async (t) => {
  const service = await startService(t, settings(t, '--drain', '0s'));
  const [hanging = 0] = pids(service).values();
  process.kill(hanging, 'SIGSTOP');
  await service.server.drain();
  process.kill(hanging, 'SIGCONT');
  await service.server.stop();
  t.false(isAlive(hanging));
});

test.serial(
  '[W-5] a worker that hangs keeps no status, no reload and no connection waiting',
  async (t) => {
    const service = await startService(t, settings(t, '--drain', '0s'));
    const hangs = pids(service).get(0) ?? 0;
    const other = NAMES.find((name) => placeOfUser(name, 2) === 1) ?? '';
    const { client } = clientOf(service, other);
    t.is((await client.open()).type, 'opened');
    process.kill(hangs, 'SIGSTOP');
    t.like(await service.server.status(), { workers: 2, silentWorkers: 1, tunnelCount: 1 });
    t.true(service.lines.includes('a worker does not answer worker=0 asked=status'));
    t.is(await service.server.reload(settings(t, '--limits-tunnels-per-user', '1')), undefined);
    const second = clientOf(service, other);
    t.like(await second.client.open(), { type: 'closed', code: 486 });
    process.kill(hangs, 'SIGCONT');
    // What it was asked while it hung, it does now.
    for (const name of NAMES.filter((each) => placeOfUser(each, 2) === 0).slice(0, 1)) {
      const clients = [clientOf(service, name), clientOf(service, name)];
      const answers = await Promise.all(clients.map((each) => each.client.open()));
      t.deepEqual(answers.map(({ type }) => type).sort(), ['closed', 'opened']);
      for (const each of clients) await each.client.stop();
    }
    t.like(await service.server.status(), { silentWorkers: 0 });
    await client.stop();
    await second.client.stop();
  },
);

test.serial('[M-05] plain STUN by TCP and by UDP on the same port', async (t) => {
  const service = await startService(t, settings(t));
  const talker = await openTalker('127.0.0.1');
  t.teardown(() => talker.socket.close());
  const request = Buffer.from('000100002112a442070707070707070707070707', 'hex');
  const { address, port } = service.at;
  talker.socket.send(request, 0, request.length, address, 0, port);
  const { payload } = await talker.heard.first('heard');
  t.is(Buffer.from(payload).readUInt16BE(0), 0x0101);
});

test.serial(
  '[W-1] behind a balancer connections go to the workers in turn, with their real peers',
  async (t) => {
    const service = await startService(t, settings(t, '--proxy-protocol-from', '127.0.0.1'));
    for (const name of NAMES) {
      const socket = connect(service.at.port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      socket.write('PROXY TCP4 192.0.2.7 198.51.100.1 1234 80\r\n');
      const client = new ClientAuth({
        mechanism: 'long-term',
        credentials: { name, password: PASSWORD },
        reliable: true,
      });
      const parts = { class: 'request', method: METHODS.BINDING, attributes: [OPEN] } as const;
      let request = client.request({ ...parts, transactionId: systemRandom(12) });
      for (;;) {
        socket.write(request.octets);
        const [octets] = await once(socket, 'data');
        const answer = decode(octets, 0, octets.length);
        if (typeof answer === 'number') return t.fail();
        const verdict = client.digest(request, answer, octets, 0);
        if (verdict.type === 'success') break;
        if (verdict.type !== 'retry') return t.fail(verdict.type);
        request = client.retry(request, systemRandom(12));
      }
    }
    const { tunnels } = await service.server.status();
    t.is(tunnels.length, NAMES.length);
    t.true(tunnels.every(({ connections: [c] }) => c?.peer === '192.0.2.7:1234'));
  },
);

test.serial('a worker that cannot be started keeps the server from starting', async (t) => {
  const deps = { log: SILENT, failed: () => {} };
  const few = await startServer(settings(t, '--ports', '50000-50001'), deps);
  t.true(isIoFault(few) && few.text === 'ports: too few for 2 workers');
  const bad = scratch(t).file('users', 'no colon');
  const users = await startServer(settingsOf(t, '--workers', '2', '--users', bad), deps);
  t.true(isIoFault(users) && /line 1/.test(users.text));
});

/** Calls of two users whose tunnels are in different processes. */
async function twoPlaces(service: Service) {
  const [first = ''] = NAMES;
  const second = NAMES.find((name) => placeOfUser(name, 2) !== placeOfUser(first, 2)) ?? '';
  const [a, b] = [clientOf(service, first), clientOf(service, second)];
  return [
    { ...a, ...(await openCall(a)) },
    { ...b, ...(await openCall(b)) },
  ] as const;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for a child process of ours that is none of these. */
async function childBesides(known: readonly number[]): Promise<void> {
  const tasks = `/proc/${process.pid}/task`;
  for (;;) {
    const children = readdirSync(tasks).flatMap((thread) => childrenOf(`${tasks}/${thread}`));
    if (children.some((pid) => !known.includes(pid))) return;
    await turn();
  }
}

/** None of a thread that has ended since it was listed. */
function childrenOf(task: string): number[] {
  try {
    return (readFileSync(`${task}/children`, 'utf8').match(/\d+/g) ?? []).map(Number);
  } catch {
    return [];
  }
}
