/**
 * The system's clock is set while the agents run, by hours and by days: calls notice nothing, for they are
 * carried by the monotonic clock; what others wrote down as a time is judged by the new one. libfaketime
 * stands between the agents and the system.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { askStatus } from '../../../io/status-socket.ts';
import type { ClientStatus } from '../../../ops/status.ts';
import { scratch } from '../../config/scratch.ts';
import { until } from '../../net/until.ts';
import { peerTest } from '../../peers.ts';
import { begin } from './scene.ts';

const FOLDERS = ['x86_64', 'aarch64'].map((arch) => `/usr/lib/${arch}-linux-gnu/faketime`);
const LIBRARY = FOLDERS.map((folder) => join(folder, 'libfaketimeMT.so.1')).find(existsSync);

/** The agents speak TLS, whose certificate openssl makes. */
function clockTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (LIBRARY !== undefined) peerTest('openssl', title, body);
  else test.skip(`${title} (libfaketime is not installed)`, body);
}

/** A clock that can be set: agents with its environment see it at once. */
class FakeClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    this.set('+0');
    this.env = {
      LD_PRELOAD: LIBRARY ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** From the real one: `+3d`, `-2h`. */
  set(offset: string): void {
    writeFileSync(this.#file, `${offset}\n`);
  }
}

async function beginWithClock(t: ExecutionContext) {
  const files = scratch(t);
  const clock = new FakeClock(files.folder);
  return { clock, ...(await begin(t, files, clock.env)) };
}

clockTest(
  '[W-7] the clock jumps by days, forth and back: the call goes on as it was',
  async (t) => {
    const { clock, folder, say } = await beginWithClock(t);
    await say('before');
    for (const offset of ['+30d', '-30d', '+0']) {
      clock.set(offset);
      await say(`at ${offset}`);
    }
    const { tunnel, drops } = (await askStatus(join(folder, 'client.sock'))) as ClientStatus;
    t.is(tunnel.state, 'up');
    t.is(tunnel.resumed, 0);
    t.deepEqual(drops, {});
  },
);

clockTest(
  '[M-09] a certificate that ends while they run: told, and good again with the clock',
  async (t) => {
    const { clock, client, server, startServer, say } = await beginWithClock(t);
    await say('before');
    // Not the credentials: those of an hour would end too.
    clock.set('+3d');
    await say('the tunnel that there is goes on');
    server.signal('SIGKILL');
    await server.ended();
    await startServer();
    await client.line(/cannot connect stage=tls code=CERT_HAS_EXPIRED/);
    clock.set('+0');
    await say('in order again');
    t.pass();
  },
);

clockTest('[M-08] credentials end by the clock of the system, however it got there', async (t) => {
  const { clock, client, server, startServer, folder, say } = await beginWithClock(t);
  await say('before');
  clock.set('+2h');
  server.signal('SIGKILL');
  await server.ended();
  clock.set('+0');
  const again = await startServer();
  clock.set('+2h');
  const state = async () =>
    ((await askStatus(join(folder, 'client.sock'))) as ClientStatus).tunnel.state;
  await client.line(/the server does not let us in .*code=401/);
  await again.line(/login refused/);
  clock.set('+0');
  await say('in order again');
  await until(async () => (await state()) === 'up');
  t.pass();
});
