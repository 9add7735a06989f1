/** Alone in its file: it looks at every open handle of the process. */
import test from 'ava';
import { dial } from '../../../io/dial/dial.ts';
import { DIRECT, type ServerTarget, type TransportOptions } from '../../../io/dial/types.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { LONG_MS } from './dialled.ts';
import { closedPort, HOST, listen } from './listening.ts';
import { clientTls } from './tls-server.ts';

const KINDS = /^(?:TCP|TLS|Pipe|Timeout)/;

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => KINDS.test(kind));
}

test('whatever becomes of an attempt, no socket and no timer of it is left', async (t) => {
  const closed = await closedPort();
  const silent = await listen(t);
  const refusing = await listen(t, async (peer) => {
    await peer.head();
    peer.socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const junk = await listen(t, (peer) => peer.socket.end('junk'));
  const there = (port: number): ServerTarget => ({ host: HOST, port, tls: true });
  const tls = clientTls({});
  const through = (port: number) => ({ proxy: { host: HOST, port } });
  for (let i = 0; i < 3; i++) await turn();
  const before = openHandles().toSorted();

  const cases: ReadonlyArray<readonly [ServerTarget, Partial<TransportOptions>, number]> = [
    [there(closed), {}, LONG_MS],
    [{ ...there(closed), host: 'no-such-host.invalid' }, {}, LONG_MS],
    [there(junk.port), {}, LONG_MS],
    [there(silent.port), {}, 300],
    [there(closed), through(silent.port), 300],
    [there(closed), through(refusing.port), LONG_MS],
    [there(closed), through(junk.port), LONG_MS],
  ];
  for (const [target, options, timeoutMs] of cases) {
    const result = await dial(target, { ...DIRECT, tls, ...options }, timeoutMs).result;
    t.true(isIoFault(result));
  }
  for (let i = 0; i < 50; i++) {
    const { result, abandon } = dial(there(silent.port), { ...DIRECT, tls }, LONG_MS);
    // Somewhere between its first and its last step.
    for (let turns = 0; turns < i % 10; turns++) await turn();
    abandon();
    t.true(isIoFault(await result));
  }
  for (const { peers } of [silent, refusing, junk])
    for (const { socket } of peers) socket.destroy();
  // The event loop lets go of closed handles at the end of its turn.
  for (let i = 0; i < 1_000 && openHandles().length > before.length; i++) await turn();
  t.deepEqual(openHandles().toSorted(), before);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
