/** TEP-C as its command runs it, with sockets as packet port, against a TEP-S on this machine. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { listenTcp } from '../../io/tcp.ts';
import { startClient } from '../../tep-client/daemon.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { scratch } from '../config/scratch.ts';
import { must, openPair, openTalker, type Talker } from '../daemon/pair.ts';
import { type CuttableWire, openWire } from '../daemon/wire.ts';
import { LogDiary, settingsOf, start, urlOf } from './started.ts';

interface Call {
  readonly phone: Talker;
  readonly gateway: Talker;
  /** Where the phone sends to. */
  readonly standIn: Endpoint;
  readonly map: string;
}

async function openCall(t: ExecutionContext): Promise<Call> {
  const phone = await openTalker('127.0.0.1');
  const gateway = await openTalker('127.0.0.1');
  const standIn = await freeAddress();
  t.teardown(() => Promise.all([phone.socket.close(), gateway.socket.close()]));
  const map = `${formatEndpoint(standIn)}=${formatEndpoint(gateway.socket.local)}`;
  return { phone, gateway, standIn, map };
}

/** A port that was free a moment ago. */
async function freeAddress(): Promise<Endpoint> {
  const { socket } = await openTalker('127.0.0.1');
  await socket.close();
  return socket.local;
}

async function openServer(t: ExecutionContext, options: Parameters<typeof openPair>[0] = {}) {
  const pair = await openPair(options);
  t.teardown(() => pair.stop());
  return pair;
}

/** The phone says it until the gateway hears it: packets wait for their tunnel for a second, and no longer. */
async function repeated({ phone, gateway, standIn }: Call, text: string) {
  const timer = setInterval(() => phone.say(text, standIn), 20);
  phone.say(text, standIn);
  try {
    return await gateway.hear(text);
  } finally {
    clearInterval(timer);
  }
}

test('[M-03] [M-07] the first packet of the phone makes its binding, and arrives', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const { log, status } = await start(t, `--servers=${urlOf(server)}`, `--maps=${call.map}`);
  t.is(status().tunnel.state, 'idle');
  const { from } = await repeated(call, 'hello');
  call.gateway.say('well?', from);
  await call.phone.hear('well?');

  const { tunnel, bindings, sent, received, port } = status();
  t.like(tunnel, { state: 'up', server: urlOf(server), resumed: 0, isOut: false });
  t.is(tunnel.connections.length, 1);
  t.is(tunnel.outer?.split(':')[0], '127.0.0.1');
  const ue = formatEndpoint(call.phone.socket.local);
  const own = bindings.find((binding) => binding.ue === ue);
  t.like(own, { public: formatEndpoint(from), origin: 'first-packet', protocol: 'udp' });
  t.is(bindings.length, 2, 'with its neighbour');
  t.true(sent.packets >= 1);
  t.is(received.packets, 1);
  t.like(port, { kind: 'sockets', sent: 1 });
  t.is(log.said('tunnel opened').length, 1);
});

test('[M-03] static bindings are there before anything is sent', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const ue = formatEndpoint(call.phone.socket.local);
  const flags = ['--media-bind=static', `--media-static=${ue}`, `--maps=${call.map}`];
  const { log, status } = await start(t, `--servers=${urlOf(server)}`, ...flags);
  const bound = await log.first('info', ({ text }) => text === 'bound');
  t.is(bound.fields.ue, ue);
  t.is(status().bindings[0]?.origin, 'static');
  call.phone.say('hello', call.standIn);
  await call.gateway.hear('hello');
  // Nobody else gets one.
  const stranger = await openTalker('127.0.0.1');
  stranger.say('me too', call.standIn);
  while (status().drops['no-binding'] === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(status().bindings.length, 1);
  await stranger.socket.close();
});

test('[M-10] a wrong password is told; the right one, read again, opens the tunnel', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const servers = `--servers=${urlOf(server)}`;
  const { running, log, status } = await start(t, servers, `--maps=${call.map}`, '--user=bob');
  call.phone.say('hello', call.standIn);
  const closed = await log.first('error', ({ text }) => text === 'the server does not let us in');
  t.is(closed.fields.code, 401);
  t.true(status().tunnel.isOut);
  t.regex(status().tunnel.lastFault ?? '', /^refused: /);
  t.is(await running.reload(settingsOf(servers, `--maps=${call.map}`)), undefined);
  await repeated(call, 'hello again');
  t.false(status().tunnel.isOut);
  t.is(log.said('tunnel opened').length, 1);
});

test('[W-7] a server that is down costs nothing but a line in the log', async (t) => {
  const down = await openPair();
  await down.stop();
  const server = await openServer(t);
  const call = await openCall(t);
  const servers = [`--servers=${urlOf(down)}`, `--servers=${urlOf(server)}`];
  const { status } = await start(t, ...servers, `--maps=${call.map}`);
  await repeated(call, 'hello');
  t.is(status().tunnel.server, urlOf(server));
});

test('[W-7] one that hangs up before it lets us in is passed over', async (t) => {
  const options = { host: '127.0.0.1', port: 0, maxConnections: 10 };
  const strange = must(await listenTcp(options, (socket) => socket.destroy()));
  t.teardown(() => strange.close());
  const server = await openServer(t);
  const call = await openCall(t);
  const servers = [
    `--servers=${urlOf({ listening: strange.local })}`,
    `--servers=${urlOf(server)}`,
  ];
  const { status } = await start(t, ...servers, `--maps=${call.map}`);
  await repeated(call, 'hello');
  t.is(status().tunnel.server, urlOf(server));
});

test('[W-7] a connection that breaks: the tunnel is resumed, the public address stays', async (t) => {
  let wire: CuttableWire | undefined;
  const server = await openServer(t);
  wire = await openWire(server.listening);
  t.teardown(() => wire?.close());
  const call = await openCall(t);
  const url = `tcp://${wire.target.host}:${wire.target.port}`;
  const { log, status } = await start(t, `--servers=${url}`, `--maps=${call.map}`);
  const before = await repeated(call, 'before');
  wire.cut();
  await log.first('info', ({ text }) => text === 'tunnel resumed');
  const after = await repeated(call, 'after');
  t.is(formatEndpoint(after.from), formatEndpoint(before.from));
  t.is(status().tunnel.resumed, 1);
});

test('[M-05] where UDP passes, plain STUN tells the public address before the call', async (t) => {
  const server = await openServer(t, { stunUdp: true });
  const call = await openCall(t);
  const { log, status } = await start(t, `--servers=${urlOf(server)}`, `--maps=${call.map}`);
  const told = await log.first('info', ({ text }) => text === 'STUN by UDP');
  t.is(told.fields.state, 'passes');
  t.regex(status().udp?.mapped ?? '', /^127\.0\.0\.1:\d+$/);
  t.is(status().tunnel.state, 'idle');
});

test('[M-05] where it is not wanted, or not answered, that is told', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const args = [`--servers=${urlOf(server)}`, `--maps=${call.map}`];
  const quiet = await start(t, ...args, '--no-stun-discover');
  t.is(quiet.status().udp, undefined);
  await quiet.running.stop();
  const asking = await start(t, ...args);
  t.deepEqual(asking.status().udp, { state: 'asking' });
});

test('a socket that cannot be opened is a fault that names it, and nothing is left open', async (t) => {
  const call = await openCall(t);
  const taken = formatEndpoint(call.gateway.socket.local);
  const other = formatEndpoint(await freeAddress());
  const maps = [`--maps=${call.map}`, `--maps=${taken}=${other}`];
  const fault = await startClient(settingsOf('--servers=tcp://127.0.0.1', ...maps), {
    log: new LogDiary(),
    failed: () => t.fail(),
  });
  t.true(isIoFault(fault));
  if (isIoFault(fault)) t.regex(fault.text, new RegExp(`^maps: ${taken}: `));
  // The first one was given back.
  const again = await start(t, '--servers=tcp://127.0.0.1', `--maps=${call.map}`);
  t.is(again.status().tunnel.state, 'idle');
});

test('draining: no new bindings, and the end as soon as nothing is bound', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const { running, status } = await start(t, `--servers=${urlOf(server)}`, `--maps=${call.map}`);
  await running.drain();
  call.phone.say('hello', call.standIn);
  while (status().drops['no-binding'] === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(status().tunnel.state, 'idle');
});

test('[M-18] stopping closes the tunnel at the server', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const { running } = await start(t, `--servers=${urlOf(server)}`, `--maps=${call.map}`);
  await repeated(call, 'hello');
  await running.stop();
  const { why } = await server.serverSays.first('tunnel-closed');
  t.is(why, 'asked');
});

test('[W-7] killed and started again: the tunnel is resumed at the same public address', async (t) => {
  const { folder } = scratch(t);
  const file = join(folder, 'client.tunnel');
  const server = await openServer(t);
  const call = await openCall(t);
  const args = [`--servers=${urlOf(server)}`, `--tunnel-file=${file}`];
  const killed = await start(t, ...args, `--maps=${call.map}`);
  const before = await repeated(call, 'before');
  t.is(statSync(file).mode & 0o777, 0o600);
  // What it leaves behind when it is killed: the file.
  const left = readFileSync(file);
  await killed.running.stop();
  t.false(existsSync(file), 'an orderly end leaves no file');
  writeFileSync(file, left);
  const next = await start(t, ...args, `--maps=${call.map}`);
  t.is(next.log.said('resuming a tunnel').length, 1);
  const after = await repeated(call, 'after');
  // The orderly end closed it: a new tunnel, and the same port by the wish for it.
  t.is(formatEndpoint(after.from), formatEndpoint(before.from));
});

test('[M-18] media that go on while it is stopped do not open the tunnel again', async (t) => {
  const server = await openServer(t);
  const call = await openCall(t);
  const { running, log } = await start(t, `--servers=${urlOf(server)}`, `--maps=${call.map}`);
  await repeated(call, 'hello');
  const timer = setInterval(() => call.phone.say('still here', call.standIn), 1);
  await running.stop();
  clearInterval(timer);
  t.is(log.said('tunnel opened').length, 1);
  t.is(log.said('connecting').length, 1);
});
