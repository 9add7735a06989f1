/** What TEP-S adds to the answers of rtpengine: offer, answer and delete of each call, by UDP. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../cli/demo/agent.ts';
import { readDatagram, stringOf } from '../../framing/ng/message.ts';
import type { ServerStatus } from '../../ops/status.ts';
import { startRtpengine } from '../../test/interop/rtpengine-process.ts';
import { answer, bye, offer, sdpOf } from '../../test/tep-server/ng/descriptions.ts';
import {
  command,
  type Dictionary,
  openProxy,
  type SipProxy,
} from '../../test/tep-server/ng/proxies.ts';
import { type CallOnce, compare } from './load.ts';
import type { Bench, Plan, Row } from './rows.ts';

const ADDRESS = '127.0.0.1';
/** Processes of one Kamailio. */
const PROXIES = 8;
const UE = { address: ADDRESS, port: 40_000, can: true };
const CORE = { address: ADDRESS, port: 41_000 };

const isInstalled = spawnSync('rtpengine', ['--version']).error === undefined;

export const ng: Bench = { missing: isInstalled ? undefined : 'rtpengine is not installed', run };

async function run(plan: Plan): Promise<readonly Row[]> {
  const gateway = await startRtpengine();
  const folder = mkdtempSync(join(tmpdir(), 'tep-bench-ng-'));
  const server = startServer(folder, gateway.ports.udp);
  try {
    const { ng } = await server.until((status) => status.ng?.gatewayAnswers === true, NEVER);
    const port = Number(ng?.listening[0]?.split(':').at(-1));
    const direct = await caller(gateway.ports.udp);
    const through = await caller(port);
    const { without, with: added } = await compare(plan, direct.call, through.call);
    direct.close();
    through.close();
    const p50 = round(added.p50 - without.p50);
    const p99 = round(added.p99 - without.p99);
    const figures = { addedP50Ms: p50, addedP99Ms: p99 };
    plan.tell('ng', {
      ...figures,
      directP99Ms: round(without.p99),
      throughP99Ms: round(added.p99),
    });
    const name = `ng, ${plan.callsPerSecond} calls/s, added p99`;
    return [{ name, figure: p99, unit: 'ms', aim: 1 }];
  } finally {
    await server.stop();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const NEVER = new AbortController().signal;

function startServer(folder: string, gatewayPort: number): Agent<ServerStatus> {
  const users = join(folder, 'users');
  writeFileSync(users, 'bench:a password of some length\n', { mode: 0o600 });
  const settings = {
    ...{ users, drain: '0s', listen: [`${ADDRESS}:0`], 'addresses.public': [ADDRESS] },
    'ng.listen': [`udp://${ADDRESS}:0`],
    'ng.rtpengine': [`udp://${ADDRESS}:${gatewayPort}`],
    'ng.advertise': `tcp://${ADDRESS}:80`,
  };
  return new Agent('server', settings, { folder, command: [] });
}

/** Does calls over sockets in turn; throws when an answer is not what it must be. */
async function caller(port: number): Promise<{ call: CallOnce; close(): void }> {
  const sockets = await Promise.all(Array.from({ length: PROXIES }, () => Asker.open(port)));
  let turn = 0;
  const call = async () => {
    const socket = sockets[turn++ % sockets.length];
    if (socket === undefined) throw new RangeError('no socket');
    const id = randomBytes(6).toString('hex');
    const dialog = { callId: id, fromTag: `${id}a`, toTag: `${id}b` };
    return [
      await socket.ask(offer(dialog, sdpOf(UE))),
      await socket.ask(answer(dialog, sdpOf(CORE))),
      await socket.ask(bye(dialog)),
    ];
  };
  const close = () => {
    for (const socket of sockets) socket.close();
  };
  return { call, close };
}

/** Many commands under way on one socket. */
class Asker {
  readonly #proxy: SipProxy;
  readonly #waiting = new Map<string, (refusal: string | undefined) => void>();
  #isOpen = true;

  private constructor(proxy: SipProxy) {
    this.#proxy = proxy;
    void this.#read();
  }

  static async open(port: number): Promise<Asker> {
    return new Asker(await openProxy('udp', port));
  }

  /** Milliseconds until the answer. */
  async ask(dictionary: Dictionary): Promise<number> {
    const cookie = randomBytes(6).toString('hex');
    const answered = new Promise<string | undefined>((resolve) => {
      this.#waiting.set(cookie, resolve);
    });
    const octets = command(cookie, dictionary);
    const begin = performance.now();
    this.#proxy.send(octets);
    const refusal = await answered;
    const took = performance.now() - begin;
    if (refusal !== undefined) throw new Error(`rtpengine refuses: ${refusal}`);
    return took;
  }

  close(): void {
    this.#isOpen = false;
    this.#proxy.close();
  }

  async #read(): Promise<void> {
    while (this.#isOpen) {
      const octets = await this.#proxy.next();
      const message = readDatagram(octets, 0, octets.length);
      if (typeof message === 'number') throw new Error(`fault ${message}`);
      this.#waiting.get(message.cookie)?.(stringOf(message, 'error-reason'));
      this.#waiting.delete(message.cookie);
    }
  }
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
