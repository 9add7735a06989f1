import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { interleaved } from '../../../io/dial/addresses.ts';
import { dial } from '../../../io/dial/dial.ts';
import { type RaceLost, race } from '../../../io/dial/race.ts';
import { DIRECT } from '../../../io/dial/types.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { libc } from '../../../io/kernel/libc.ts';
import { descriptorOf } from '../../../io/tcp-options.ts';
import { dialled, first, LONG_MS, plain, refused, timedOut } from './dialled.ts';
import { closedPort, HOST, listen } from './listening.ts';

test('by address and by name, octets both ways', async (t) => {
  for (const host of [HOST, 'localhost']) {
    const server = await listen(t, (peer) => peer.say('hello'));
    const stream = await dialled(t, plain(server.port, host));
    t.is(await first(stream), 'hello');
    stream.write('you');
    t.is(await server.peers[0]?.octets(3), 'you');
  }
});

test('a name that there is not, and what is no name', async (t) => {
  const unknown = await refused(plain(80, 'no-such-host.invalid'));
  t.is(unknown.stage, 'resolve');
  t.regex(unknown.text, /no-such-host\.invalid/);
  for (const host of ['', 'two words', 'a/b', 'x\r\ny']) {
    t.like(await refused(plain(80, host)), { stage: 'resolve', code: 'EINVAL' });
  }
});

test('nobody listens: the text says where and what may be the matter', async (t) => {
  const port = await closedPort();
  const fault = await refused(plain(port));
  t.like(fault, { stage: 'tcp', code: 'ECONNREFUSED' });
  t.regex(
    fault.text,
    new RegExp(`^127\\.0\\.0\\.1:${port}: nothing listens on port ${port} there`),
  );
});

test('abandoned at once, while connecting, and when it was just there', async (t) => {
  const server = await listen(t);
  const options = { ...DIRECT };
  const early = dial(plain(server.port), options, LONG_MS);
  early.abandon();
  t.like(await early.result, { stage: 'resolve', code: 'ECANCELED' });

  const late = dial(plain(server.port), options, LONG_MS);
  const stream = await late.result;
  late.abandon();
  t.true(!isIoFault(stream) && stream.destroyed);
});

test('what was sent may stay unacknowledged for as long as was configured', async (t) => {
  const calls = libc();
  if (isIoFault(calls)) {
    t.log(calls.text);
    t.pass();
    return;
  }
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port), { userTimeoutMs: 12_345 });
  const value = new Uint8Array(4);
  calls.getOption(descriptorOf(stream), 6, 18, value);
  t.is(new DataView(value.buffer).getInt32(0, true), 12_345);
});

/** Listens, says on which port, and never accepts: its one thread is asleep. */
const DEAF = `
const server = require('node:net').createServer().listen(0, '127.0.0.1', 1, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** A port to which SYNs are sent in vain, as behind a firewall. */
async function deafPort(t: ExecutionContext): Promise<number> {
  const deaf = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => deaf.kill('SIGKILL'));
  const port = Number(String((await once(deaf.stdout, 'data'))[0]));
  // The system accepts for it until its queue is full; from then on SYNs are not answered.
  for (let i = 0; i < 20; i++) {
    const result = await dial(plain(port), DIRECT, 500).result;
    if (isIoFault(result)) return port;
    t.teardown(() => result.destroy());
  }
  throw new Error('every attempt succeeded');
}

test('a server that does not answer: given up in time, or when nobody wants it any more', async (t) => {
  const port = await deafPort(t);
  const fault = await timedOut('tcp', plain(port));
  t.like(fault, { stage: 'tcp', code: 'ETIMEDOUT' });
  t.regex(
    fault.text,
    /connecting to 127\.0\.0\.1:\d+: no result in \d+ ms; a firewall may drop it/,
  );
  const { result, abandon } = dial(plain(port), DIRECT, LONG_MS);
  setImmediate(abandon);
  t.like(await result, { code: 'ECANCELED' });
});

test('RFC 8305 4: the families in turn, the first one first', (t) => {
  t.deepEqual(interleaved(['::1', '::2', '::3', '10.0.0.1', '10.0.0.2']), [
    '::1',
    '10.0.0.1',
    '::2',
    '10.0.0.2',
    '::3',
  ]);
  t.deepEqual(interleaved(['10.0.0.1', '::1']), ['10.0.0.1', '::1']);
  t.deepEqual(interleaved([]), []);
});

function raced(t: ExecutionContext, port: number, addresses: readonly string[]) {
  return new Promise<Socket | RaceLost>((resolve) => {
    const end = race({ addresses, port }, (outcome) => {
      if (!('failures' in outcome)) t.teardown(() => outcome.destroy());
      resolve(outcome);
    });
    t.teardown(end);
  });
}

test('RFC 8305 5: an address that does not answer is overtaken by one that does', async (t) => {
  const port = await deafPort(t);
  // The same port on another address of this machine: that one answers.
  const server = await listen(t, () => {}, { host: '127.0.0.2', port });
  const winner = await raced(t, port, [HOST, '127.0.0.2']);
  t.is('failures' in winner ? '' : winner.remoteAddress, '127.0.0.2');
  t.is(server.peers.length, 1);
});

test('RFC 8305 5: a refusal is no reason to wait for the next address', async (t) => {
  const server = await listen(t, () => {}, { host: '127.0.0.3', port: 0 });
  const winner = await raced(t, server.port, ['127.0.0.4', '127.0.0.5', '127.0.0.3']);
  t.is('failures' in winner ? '' : winner.remoteAddress, '127.0.0.3');
  const lost = await raced(t, await closedPort(), ['127.0.0.4', '127.0.0.5']);
  const failures = 'failures' in lost ? lost.failures : [];
  t.deepEqual(
    failures.map(({ address, fault }) => [address, fault.code]),
    [
      ['127.0.0.4', 'ECONNREFUSED'],
      ['127.0.0.5', 'ECONNREFUSED'],
    ],
  );
  const nothing = await raced(t, 1, []);
  t.deepEqual('failures' in nothing && nothing.failures, []);
});
