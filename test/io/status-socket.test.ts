import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { askStatus, type StatusSocket, serveStatus } from '../../io/status-socket.ts';

function pathOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tep-status-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'run', 'agent.sock');
}

async function serve(t: ExecutionContext, path: string, answer: () => object) {
  const socket = await serveStatus(path, answer);
  if (isIoFault(socket)) throw new Error(socket.text);
  t.teardown(() => socket.close());
  return socket;
}

test('whoever asks gets one answer, made when asked; several at a time too', async (t) => {
  const path = pathOf(t);
  let asked = 0;
  await serve(t, path, () => ({ asked: ++asked, long: 'x'.repeat(1_000_000) }));
  const answers = await Promise.all(Array.from({ length: 8 }, () => askStatus(path)));
  const numbers = answers.map((answer) => (answer as { asked: number }).asked);
  t.deepEqual(numbers.toSorted(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('nobody but owner and group may ask', async (t) => {
  const path = pathOf(t);
  await serve(t, path, () => ({}));
  t.is(statSync(path).mode & 0o777, 0o660);
});

test('a second agent on the same path is refused, and the first goes on', async (t) => {
  const path = pathOf(t);
  await serve(t, path, () => ({ first: true }));
  const second = await serveStatus(path, () => ({ first: false }));
  t.true(isIoFault(second));
  t.like(second, { code: 'EADDRINUSE', text: `another agent is running: ${path} is in use` });
  t.deepEqual(await askStatus(path), { first: true });
});

test('a socket that a killed agent left is taken over', async (t) => {
  const path = pathOf(t);
  const owner = await serve(t, path, () => ({}));
  await owner.close();
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  t.true(statSync(path).isSocket());
  await serve(t, path, () => ({ taken: true }));
  t.deepEqual(await askStatus(path), { taken: true });
});

test('two agents that find the same leftover: one gets it, the other is refused', async (t) => {
  const path = pathOf(t);
  const owner = await serve(t, path, () => ({}));
  await owner.close();
  for (let i = 0; i < 5; i++) {
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script]), 'exit');
    const names = [1, 2, 3];
    const started = await Promise.all(names.map((name) => serveStatus(path, () => ({ name }))));
    const running = started.filter((each) => !isIoFault(each)) as StatusSocket[];
    t.is(running.length, 1);
    const winner = started.findIndex((each) => !isIoFault(each)) + 1;
    t.deepEqual(await askStatus(path), { name: winner });
    await running[0]?.close();
  }
  t.false(existsSync(`${path}.lock`));
});

test('a folder that cannot be made is a fault: /proc says neither yes nor no', async (t) => {
  const fault = await serveStatus('/proc/tep/agent.sock', () => ({}));
  t.true(isIoFault(fault));
  if (isIoFault(fault)) t.regex(fault.text, /^status: E\w+: .*\/proc\/tep/);
});

test('a path that is too long for a socket is refused, not cut', async (t) => {
  const path = join(dirname(pathOf(t)), 'a'.repeat(108));
  t.like(await serveStatus(path, () => ({})), { type: 'io-fault', code: 'ENAMETOOLONG' });
  t.false(existsSync(dirname(path)));
});

test('a file that is no socket is not removed', async (t) => {
  const path = pathOf(t);
  const other = await serve(t, path, () => ({}));
  await other.close();
  writeFileSync(path, 'precious');
  const fault = await serveStatus(path, () => ({}));
  t.true(isIoFault(fault));
  t.true(statSync(path).isFile());
});

test('a reader that does not read keeps nobody from asking, nor the agent from ending', async (t) => {
  const path = pathOf(t);
  const socket: StatusSocket = await serve(t, path, () => ({ long: 'x'.repeat(4_000_000) }));
  const slow = createConnection(path).pause();
  t.teardown(() => slow.destroy());
  slow.on('error', () => {});
  await once(slow, 'connect');
  t.is(((await askStatus(path)) as { long: string }).long.length, 4_000_000);
  await socket.close();
  t.pass();
});

// Alone, for it looks at every server that begins to listen meanwhile.
test.serial('readers whom the system cannot accept do not end the agent', async (t) => {
  const path = pathOf(t);
  const listening: Server[] = [];
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    listening.push(this);
    return Reflect.apply(listen, this, args);
  } as typeof listen;
  try {
    await serve(t, path, () => ({ here: true }));
  } finally {
    Server.prototype.listen = listen;
  }
  t.is(listening.length, 1);
  // What Node says for each connection when no descriptor is left, or no memory.
  for (let i = 0; i < 3; i++) listening[0]?.emit('error', new Error('accept ENFILE'));
  t.deepEqual(await askStatus(path), { here: true });
});

test('no agent, a silent one and one that is something else are faults', async (t) => {
  const path = pathOf(t);
  t.like(await askStatus(path), { type: 'io-fault', code: 'ENOENT' });
  const odd = await serve(t, path, () => ({}));
  await odd.close();
  const server = createServer((socket) => socket.end('hello\n')).listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.like(await askStatus(path), { code: 'EPROTO' });
  const silent = `${path}2`;
  const mute = createServer((socket) => socket.resume()).listen(silent);
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  t.like(await askStatus(silent, 50), { code: 'ETIMEDOUT' });
});
