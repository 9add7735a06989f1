/** Alone in its file: it looks at every open handle of the process. */
import test from 'ava';
import { openUdp } from '../../io/udp-socket.ts';
import { must, openCall, openPair } from './pair.ts';

const KINDS = /^(?:TCP|UDP|Pipe|Timeout|Immediate)/;

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => KINDS.test(kind));
}

test('stopping both agents leaves no socket and no timer', async (t) => {
  const before = openHandles().toSorted();
  const pair = await openPair({ stripes: 3 });
  const calls = [await openCall(pair, 1), await openCall(pair, 2)];
  t.true(openHandles().filter((kind) => kind.startsWith('UDP')).length >= 4);
  for (const { close } of calls) await close();
  await pair.stop();
  // The event loop lets go of closed handles at the end of its turn.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(openHandles().toSorted(), before);
  // Sockets of our own system calls are no handles of Node: closed, their addresses are free again.
  for (const { address, standIn } of calls) {
    for (const at of [address, standIn]) await must(await openUdp(at, () => {})).close();
  }
});
