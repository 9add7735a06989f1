/** What a worker that has the tunnel sends by one that has the TLS connection: what is late waits in the first. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { keepShort, NarrowPipe } from '../../../tep-server/workers/narrow-pipe.ts';
import { scratch } from '../../config/scratch.ts';

const PIECE = new Uint8Array(1_000);
/** What a path budget begins with (session/media/path-budget.ts). */
const FIRST_BUDGET = 16_384;

/** Takes all that it is given, and counts it. */
class Client extends Duplex {
  taken = 0;

  override _read(): void {}

  override _write(piece: Uint8Array, _encoding: string, done: () => void): void {
    this.taken += piece.length;
    setImmediate(done);
  }
}

/** What the system tells of it. */
class Tcp {
  outstanding = 0;
  rttMs = 1;
  isKnown = true;
  looks = 0;

  read(): boolean {
    this.looks += 1;
    return this.isKnown;
  }
}

/** Has always more to give. */
class Tunnel extends Duplex {
  override _read(): void {
    this.push(PIECE);
  }

  override _write(_piece: Uint8Array, _encoding: string, done: () => void): void {
    done();
  }
}

async function both(t: ExecutionContext): Promise<readonly [server: Socket, client: Socket]> {
  const path = join(scratch(t).folder, 'socket');
  const listener = createServer().listen(path);
  await once(listener, 'listening');
  const client = connect(path);
  const [server] = await once(listener, 'connection');
  t.teardown(() => {
    for (const socket of [server, client]) socket.destroy();
    listener.close();
  });
  return [server, client];
}

test('[W-7] no more is taken than the way to the client carries; when it does again, it goes on', async (t) => {
  const client = new Client();
  t.teardown(() => client.destroy());
  const tcp = new Tcp();
  new NarrowPipe(new Tunnel(), client, tcp);
  await until(() => client.taken > 10 * FIRST_BUDGET);
  tcp.outstanding = 2 ** 20;
  await looks(tcp, 2);
  const full = client.taken;
  await looks(tcp, 5);
  t.is(client.taken, full, 'nothing while it is full');
  tcp.outstanding = 0;
  await until(() => client.taken > full + FIRST_BUDGET);
  tcp.isKnown = false;
  tcp.outstanding = 2 ** 20;
  await until(() => client.taken > full + 10 * FIRST_BUDGET);
});

test('a socket between workers holds a few packets and no more', async (t) => {
  const [server] = await both(t);
  keepShort(server);
  let written = 0;
  while (server.write(PIECE) && server.writableLength === 0) written += PIECE.length;
  t.true(written <= 4_608, `${written} octets`);
});

/** It has been asked so often from now on. */
function looks(tcp: Tcp, more: number): Promise<void> {
  const before = tcp.looks;
  return until(() => tcp.looks >= before + more);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
