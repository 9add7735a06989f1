/**
 * What the sidecar adds to the signalling of a phone: INVITE to 200 and BYE to 200, by UDP straight to a core
 * against by UDP to the sidecar and TCP to the same core; and to the set-up of a call whose media are put
 * into the tunnel.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../cli/demo/agent.ts';
import type { ClientStatus, ServerStatus } from '../../ops/status.ts';
import { Child } from '../agents/child.ts';
import type { Core } from './core-process.ts';
import { type CallOnce, compare } from './load.ts';
import { description, field } from './messages.ts';
import type { Bench, Plan, Row } from './rows.ts';

const ADDRESS = '127.0.0.1';
const USER = 'bench';
const PASSWORD = 'a password of some length';
const NEVER = new AbortController().signal;
/** Set-ups with bindings, one after the other. */
const SET_UPS = 50;

export const sidecar: Bench = { missing: undefined, run };

async function run(plan: Plan): Promise<readonly Row[]> {
  const coreProcess = new Child<Core>('../signalling/core-process.js');
  const core = await coreProcess.ask('open', ADDRESS);
  const folder = mkdtempSync(join(tmpdir(), 'tep-bench-sip-'));
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${PASSWORD}\n`, { mode: 0o600 });
  const server = new Agent<ServerStatus>(
    'server',
    {
      ...{ users, drain: '0s', listen: [`${ADDRESS}:0`], 'addresses.public': [ADDRESS] },
      'media.allow': [`${ADDRESS}/32`],
      'packets.port': 'sockets',
      'addresses.mode': 'relay',
    },
    { folder, command: [] },
  );
  try {
    const { listening } = await server.until((status) => status.listening.length > 0, NEVER);
    const direct = await Caller.open(core);
    const plain = await loaded(plan, core, folder, `tcp://${listening[0]}`, 'native', direct);
    const setUp = await setUps(core, folder, `tcp://${listening[0]}`, direct);
    plan.tell('sidecar', { ...plain.figures, ...setUp.figures });
    direct.close();
    return [
      {
        name: `sidecar, ${plan.callsPerSecond} calls/s, added p99`,
        figure: plain.added,
        unit: 'ms',
        aim: 1,
      },
      { name: 'sidecar, call set-up, added p50', figure: setUp.added, unit: 'ms', aim: 50 },
    ];
  } finally {
    await server.stop();
    await coreProcess.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loaded(
  plan: Plan,
  core: number,
  folder: string,
  server: string,
  media: string,
  direct: Caller,
) {
  const client = startClient(folder, server, core, media);
  try {
    const through = await Caller.open(await portOf(client));
    const found = await compare(plan, direct.call, through.call);
    through.close();
    const added = round(found.with.p99 - found.without.p99);
    const figures = {
      addedP50Ms: round(found.with.p50 - found.without.p50),
      addedP99Ms: added,
      directP99Ms: round(found.without.p99),
      throughP99Ms: round(found.with.p99),
    };
    return { added, figures };
  } finally {
    await client.stop();
  }
}

/** The tunnel is opened by the first of them; it is the worst one. */
async function setUps(core: number, folder: string, server: string, direct: Caller) {
  const client = startClient(folder, server, core, 'tunnel');
  try {
    const through = await Caller.open(await portOf(client));
    const without: number[] = [];
    const times: number[] = [];
    for (let i = 0; i < SET_UPS; i++) {
      without.push((await direct.call())[0] ?? Number.NaN);
      times.push((await through.call())[0] ?? Number.NaN);
    }
    through.close();
    const first = round((times[0] ?? Number.NaN) - median(without));
    const added = round(median(times) - median(without));
    return { added, figures: { setUpAddedP50Ms: added, firstSetUpAddedMs: first } };
  } finally {
    await client.stop();
  }
}

function startClient(folder: string, server: string, core: number, media: string) {
  const password = join(folder, 'password');
  writeFileSync(password, `${PASSWORD}\n`, { mode: 0o600 });
  const settings = {
    ...{ servers: [server], user: USER, 'password-file': password, connect: 'never' },
    'packets.port': 'sockets',
    'media.max-bindings': '1000',
    'sip.listen': [`${ADDRESS}:0`],
    'sip.core': [`tcp://${ADDRESS}:${core}`],
    'sip.media': media,
  };
  return new Agent<ClientStatus>('client', settings, { folder, command: [] });
}

async function portOf(client: Agent<ClientStatus>): Promise<number> {
  const isOpen = ({ sip }: ClientStatus) => sip?.core.state === 'open';
  const { sip } = await client.until(isOpen, NEVER);
  return Number(sip?.listening[0]?.split(':').at(-1));
}

/** One phone with many calls. */
class Caller {
  readonly #socket: Socket;
  readonly #port: number;
  /** By Call-ID and method. */
  readonly #waiting = new Map<string, () => void>();

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (octets) => {
      const text = octets.toString('latin1');
      if (!text.startsWith('SIP/2.0 200')) return;
      const key = `${field(text, 'Call-ID')} ${field(text, 'CSeq').split(' ')[1]}`;
      this.#waiting.get(key)?.();
      this.#waiting.delete(key);
    });
  }

  static async open(port: number): Promise<Caller> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 });
    socket.bind(0, ADDRESS);
    await once(socket, 'listening');
    return new Caller(socket, port);
  }

  readonly call: CallOnce = async () => {
    const callId = randomBytes(8).toString('hex');
    const invite = await this.#ask('INVITE', callId, '');
    this.#send('ACK', callId, ';tag=core');
    return [invite, await this.#ask('BYE', callId, ';tag=core')];
  };

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, callId: string, tag: string): Promise<number> {
    const answered = new Promise<void>((resolve) => {
      this.#waiting.set(`${callId} ${method}`, resolve);
    });
    const begin = performance.now();
    this.#send(method, callId, tag);
    await answered;
    return performance.now() - begin;
  }

  #send(method: string, callId: string, tag: string): void {
    const { port } = this.#socket.address();
    const body = method === 'INVITE' ? description(ADDRESS, port) : '';
    const text = [
      `${method} sip:bob@example.net SIP/2.0`,
      `Via: SIP/2.0/UDP ${ADDRESS}:${port};rport;branch=z9hG4bK${callId}${method}`,
      'Max-Forwards: 70',
      'From: <sip:alice@example.org>;tag=phone',
      `To: <sip:bob@example.net>${tag}`,
      `Call-ID: ${callId}`,
      `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`,
      `Contact: <sip:alice@${ADDRESS}:${port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    this.#socket.send(Buffer.from(text, 'latin1'), this.#port, ADDRESS);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
