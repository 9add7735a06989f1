/** What a tunnel end is told of its connections, by sockets of this machine. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CarrierSampler } from '../../io/carrier-sampler.ts';
import type { CarrierState } from '../../session/carrier.ts';
import { dialled, plain } from './dial/dialled.ts';
import { listen, type Peer } from './dial/listening.ts';

class FakeEnd {
  readonly told: Array<CarrierState & { readonly conn: number; readonly now: number }> = [];

  carrier(conn: number, state: CarrierState, now: number): void {
    // One object serves all calls.
    this.told.push({ conn, now, ...state });
  }
}

async function connection(t: ExecutionContext) {
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port));
  while (server.peers.length === 0) await setImmediate();
  return { stream, peer: server.peers[0] as Peer };
}

test('[G-25] what is under way is told until all of it was acknowledged', async (t) => {
  const { stream, peer } = await connection(t);
  peer.socket.removeAllListeners('data').pause();
  const end = new FakeEnd();
  const sampler = new CarrierSampler(end);
  // More than the buffers of both ends hold.
  const length = 32 * 1024 * 1024;
  let now = 1_000;
  stream.write(Buffer.alloc(length));
  sampler.wrote(7, { stream, busySinceMs: 0, askedMs: 0 }, now);
  sampler.sweep(1_000);
  t.like(end.told, [{ conn: 7, now: 1_000, isTroubled: false, isSilent: false }]);
  t.true((end.told[0]?.outstanding ?? 0) > 0);
  peer.socket.resume();
  while (end.told.at(-1)?.outstanding !== 0 || stream.writableLength > 0) {
    await setImmediate();
    now += 10;
    sampler.sweep(now);
  }
  const { length: told } = end.told;
  sampler.sweep(now + 10);
  t.is(end.told.length, told);
  sampler.wrote(7, { stream, busySinceMs: 0, askedMs: 0 }, now);
  sampler.sweep(now + 20);
  t.is(end.told.length, told + 1);
});

test('[G-25] of many connections a few at a time, each in its turn', async (t) => {
  const { stream, peer } = await connection(t);
  peer.socket.removeAllListeners('data').pause();
  stream.write(Buffer.alloc(32 * 1024 * 1024));
  const end = new FakeEnd();
  const sampler = new CarrierSampler(end);
  for (let conn = 0; conn < 100; conn++)
    sampler.wrote(conn, { stream, busySinceMs: 0, askedMs: 0 }, 1_000);
  for (let ms = 0; ms < 26; ms++) sampler.sweep(1_000 + ms);
  t.deepEqual(
    end.told.map(({ conn }) => conn),
    [...Array(104).keys()].map((n) => n % 100),
  );
  sampler.gone(4);
  sampler.sweep(1_026);
  t.is(end.told[104]?.conn, 5);
});

test('[G-25] none is asked again within 8 ms', async (t) => {
  const { stream, peer } = await connection(t);
  peer.socket.removeAllListeners('data').pause();
  stream.write(Buffer.alloc(32 * 1024 * 1024));
  const end = new FakeEnd();
  const sampler = new CarrierSampler(end);
  sampler.wrote(1, { stream, busySinceMs: 0, askedMs: 0 }, 1_000);
  for (let ms = 0; ms < 20; ms++) {
    if (ms === 4) sampler.wrote(2, { stream, busySinceMs: 0, askedMs: 0 }, 1_004);
    sampler.sweep(1_000 + ms);
  }
  t.deepEqual(
    end.told.map(({ conn, now }) => [conn, now]),
    [
      [1, 1_000],
      [1, 1_008],
      [2, 1_008],
      [1, 1_016],
      [2, 1_016],
    ],
  );
});

test('a stream of which the system knows nothing is not asked for ever', async (t) => {
  const { stream } = await connection(t);
  const end = new FakeEnd();
  const sampler = new CarrierSampler(end);
  stream.destroy();
  await once(stream, 'close');
  sampler.wrote(1, { stream, busySinceMs: 0, askedMs: 0 }, 1_000);
  sampler.wrote(2, { stream: new PassThrough(), busySinceMs: 0, askedMs: 0 }, 1_000);
  sampler.sweep(1_000);
  sampler.sweep(1_010);
  t.deepEqual(end.told, []);
});
