import { once } from 'node:events';
import test from 'ava';
import { whenBroken } from '../../../io/dial/broken.ts';
import type { DialFault } from '../../../io/dial/types.ts';
import { dialled, plain } from './dialled.ts';
import { listen, type Peer } from './listening.ts';

for (const [name, act, words] of [
  ['ends without a word', (peer: Peer) => peer.socket.end(), /without a word: .*no TEP-S/],
  [
    'resets without a word',
    async (peer: Peer) => {
      await peer.octets(1);
      peer.socket.resetAndDestroy();
    },
    /without a word/,
  ],
  [
    'resets what was open',
    async (peer: Peer) => {
      await peer.octets(1);
      peer.say('a word');
      await peer.octets(1);
      peer.socket.resetAndDestroy();
    },
    /^the connection broke off: .*ECONNRESET/,
  ],
] as const) {
  test(`a server that ${name}: why, for people`, async (t) => {
    const server = await listen(t, act);
    const stream = await dialled(t, plain(server.port));
    const told = new Promise<DialFault>((resolve) => whenBroken(stream, resolve));
    stream.on('data', () => stream.write('x'));
    stream.write('x');
    const fault = await told;
    t.is(fault.stage, 'tcp');
    t.regex(fault.text, words);
  });
}

test('a server that said something and ends in peace has broken nothing', async (t) => {
  const server = await listen(t, (peer) => peer.socket.end('a word'));
  const stream = await dialled(t, plain(server.port));
  const told: DialFault[] = [];
  whenBroken(stream, (fault) => told.push(fault));
  stream.resume().end();
  await once(stream, 'close');
  t.deepEqual(told, []);
});
