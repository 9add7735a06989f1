/** Two agents on this machine, a telephone's socket at one and a gateway's socket at the other. */
import { networkInterfaces } from 'node:os';
import type { ClientTls } from '../../io/dial/client-tls.ts';
import { dial } from '../../io/dial/dial.ts';
import { DIRECT, type ServerTarget, type TransportOptions } from '../../io/dial/types.ts';
import { endpointOf } from '../../io/endpoints.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { openUdp, type UdpSocket } from '../../io/udp-socket.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { Policy } from '../../session/policy.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import type { ClientEvent } from '../../tep-client/options.ts';
import { ServerAgent } from '../../tep-server/agent.ts';
import type { ServerEvent } from '../../tep-server/options.ts';
import type { DoorOptions } from '../../tep-server/visit.ts';
import type { Endpoint } from '../../wire/address.ts';
import type { Prefix } from '../../wire/prefix.ts';
import { userTable } from '../../wire/stun/users.ts';
import { Diary } from './diary.ts';

const REALM = 'test.example';
export const PASSWORD = 'a password for tests only';
const DIAL_MS = 10_000;

/** Why a test that needs IPv6 cannot run here. */
export const ipv6Missing = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)
  ? undefined
  : '::1 is missing here';

export type Target = Pick<ServerTarget, 'host' | 'port'>;

export interface ClientWishes {
  readonly user?: string;
  readonly password?: string;
  /** Long-term when absent. */
  readonly mechanism?: 'long-term' | 'short-term';
  readonly stripes?: number;
  /** Absent: no TLS. */
  readonly tls?: ClientTls;
}

export interface PairOptions {
  readonly host?: '127.0.0.1' | '::1';
  /** The client's; the server's is always the same. */
  readonly password?: string;
  readonly stripes?: number;
  /** Whether the server answers plain STUN by UDP. */
  readonly stunUdp?: boolean;
  /** Who may enter at the server. */
  readonly door?: Partial<DoorOptions>;
  /** What stands between the two, given where the server listens. */
  readonly through?: (server: Endpoint) => Promise<Target>;
  /** How the client connects; with `tls` there it speaks that. */
  readonly transport?: (server: Endpoint) => Promise<Partial<TransportOptions>>;
}

export interface Pair {
  readonly host: string;
  readonly client: ClientAgent;
  readonly server: ServerAgent;
  /** Where the server listens. */
  readonly listening: Endpoint;
  /** The client's packet port. */
  readonly packets: UdpSockets;
  readonly clientSays: Diary<ClientEvent>;
  readonly serverSays: Diary<ServerEvent>;
  stop(): Promise<void>;
}

export function must<T extends object>(value: T | IoFault): T {
  if (isIoFault(value)) throw new Error(value.text);
  return value;
}

export async function openPair(options: PairOptions = {}): Promise<Pair> {
  const host = options.host ?? '127.0.0.1';
  const serverSays = new Diary<ServerEvent>();
  const server = openServer(host, serverSays, options);
  const [listening] = must(await server.start());
  if (listening === undefined) throw new Error('it listens nowhere');
  const target = await (options.through?.(listening) ?? { host, port: listening.port });
  const transport = await options.transport?.(listening);
  const opened = openClient(target, options, transport);
  const stop = async () => {
    await opened.client.stop();
    await server.stop();
  };
  return { server, listening, serverSays, ...opened, host, stop };
}

/** Another client of the same server; stopping it leaves the server alone. */
export function anotherClient(pair: Pair): Pair {
  const opened = openClient({ host: pair.host, port: pair.listening.port }, {});
  return { ...pair, ...opened, stop: () => opened.client.stop() };
}

/** A TEP-C of the server there. */
export function openClient(
  target: Target,
  { user = 'alice', password = PASSWORD, mechanism = 'long-term', stripes = 1, tls }: ClientWishes,
  transport: Partial<TransportOptions> = { tls },
) {
  const server = { ...target, tls: transport.tls !== undefined };
  const clientSays = new Diary<ClientEvent>();
  const packets = new UdpSockets(systemRandom);
  const client = new ClientAgent({
    dial: () => dial(server, { ...DIRECT, ...transport }, DIAL_MS),
    packets,
    observe: clientSays.add,
    tunnel: {
      auth: { mechanism, credentials: { name: user, password } },
      stripes,
    },
  });
  return { host: target.host, client, clientSays, packets };
}

function openServer(
  host: string,
  says: Diary<ServerEvent>,
  { stunUdp = false, door = {} }: PairOptions,
): ServerAgent {
  const { family, address } = endpointOf(host, 0);
  const here: Prefix = { family, address, length: address.length * 8 };
  const rules = [{ prefix: here, ports: { first: 1, last: 65_535 } }];
  return new ServerAgent({
    listen: [endpointOf(host, 0)],
    packets: new UdpSockets(systemRandom),
    observe: says.add,
    stunUdp,
    door,
    tunnel: {
      auth: {
        mechanism: 'long-term',
        realm: REALM,
        users: userTable([{ name: 'alice', password: PASSWORD }], REALM),
        nonceSecret: systemRandom(32),
        nonceLifetimeMs: 3_600_000,
        keyHashes: ['sha256'],
        anonymity: true,
      },
      policy: new Policy({ rules, maxPinholes: 1, seed: systemRandom(8) }),
      addresses: { mode: 'relay', prefixes: [here] },
    },
  });
}

interface Heard {
  readonly type: 'heard';
  readonly payload: Uint8Array;
  readonly text: string;
  readonly from: Endpoint;
}

/** An ordinary program with a UDP socket, and what it received. */
export class Talker {
  readonly socket: UdpSocket;
  readonly heard: Diary<Heard>;

  constructor(socket: UdpSocket, heard: Diary<Heard>) {
    this.socket = socket;
    this.heard = heard;
  }

  /** Waits until this text has been heard. */
  hear(text: string): Promise<Heard> {
    return this.heard.first('heard', (heard) => heard.text === text);
  }

  say(text: string, to: Endpoint): void {
    const b = Buffer.from(text);
    this.socket.send(b, 0, b.length, to.address, 0, to.port);
  }
}

export async function openTalker(host: string): Promise<Talker> {
  const heard = new Diary<Heard>();
  const socket = await openUdp(endpointOf(host, 0), (payload, from) => {
    heard.add({ type: 'heard', payload, text: Buffer.from(payload).toString(), from });
  });
  return new Talker(must(socket), heard);
}

export interface TestCall {
  readonly phone: Talker;
  readonly gateway: Talker;
  /** Where the phone sends to: TEP-C's socket that stands for the gateway. */
  readonly standIn: Endpoint;
  /** Where the gateway sends to. */
  readonly address: Endpoint;
  close(): Promise<void>;
}

export async function openCall(
  pair: Pick<Pair, 'host' | 'client' | 'packets'>,
  id = 0,
): Promise<TestCall> {
  const phone = await openTalker(pair.host);
  const gateway = await openTalker(pair.host);
  const bound = await pair.client.bind(phone.socket.local);
  if (bound.type !== 'bound') throw new Error(`${bound.type}: ${bound.reason}`);
  const at = endpointOf(pair.host, 0);
  const standIn = must(await pair.packets.listen(id, at, gateway.socket.local));
  const close = async () => {
    await Promise.all([phone.socket.close(), gateway.socket.close(), pair.packets.release(id)]);
  };
  return { phone, gateway, standIn, address: bound.address, close };
}
