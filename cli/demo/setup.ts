/**
 * Opens the demo's little network: telephones, TEP-C, TEP-S and a media gateway in one process, joined
 * by real sockets of this machine. What crosses the firewall in real life is the TCP connection
 * between the two agents.
 */
import { now } from '../../io/clock.ts';
import { dial } from '../../io/dial/dial.ts';
import { DIRECT } from '../../io/dial/types.ts';
import type { IoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { Policy } from '../../session/policy.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import type { ClientAgentOptions } from '../../tep-client/options.ts';
import { ServerAgent } from '../../tep-server/agent.ts';
import type { Endpoint } from '../../wire/address.ts';
import { u16, u32 } from '../../wire/bytes.ts';
import type { Prefix } from '../../wire/prefix.ts';
import { userTable } from '../../wire/stun/users.ts';
import { Failure } from '../command.ts';
import { PACKET_MS, type StreamPlan } from './media.ts';
import { openParty, orFail } from './party.ts';
import { type Call, type OpenTunnel, Simulation } from './simulation.ts';
import { MediaStream } from './stream.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const HOST = '127.0.0.1';
const REALM = 'demo.example';
const USER = 'demo';
const PASSWORD_OCTETS = 18;
const SECRET_LEN = 32;
const SEED_LEN = 8;
const CONNECT_MS = 10_000;
/** Longer than any demo, so that no request has to be repeated. */
const NONCE_LIFETIME_MS = 3_600_000;
const ALL_PORTS = { first: 1, last: 65_535 };
/** Above the usual: a machine that is busy elsewhere for half a second must not cost packets. */
const SEND_QUEUE_OCTETS = 8_000_000;

export interface SimulationOptions {
  readonly calls: number;
  readonly seconds: number;
}

/**
 * Sets everything up; nothing is sent by the calls yet. Throws `Failure` when this machine will not:
 * what is open by then is in `closers` either way.
 */
export async function openSimulation(
  options: SimulationOptions,
  closers: Closers,
): Promise<Simulation> {
  const packets = new UdpSockets(systemRandom);
  const tunnel = await openTunnel(options.calls, packets, closers);
  const calls: Call[] = [];
  for (let i = 0; i < options.calls; i++) {
    calls.push(await openCall(tunnel.tepC, packets, i, closers));
  }
  return new Simulation(tunnel, calls, Math.round((options.seconds * 1_000) / PACKET_MS));
}

/** What has been opened, in order, as functions that close it. */
export type Closers = Array<() => Promise<void>>;

/** Closes the latest first. */
export async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.toReversed()) await close();
}

async function openTunnel(
  calls: number,
  packets: UdpSockets,
  closers: Closers,
): Promise<OpenTunnel> {
  const password = Buffer.from(systemRandom(PASSWORD_OCTETS)).toString('base64');
  const tepS = openServer(password, calls);
  closers.push(() => tepS.stop());
  const [server] = orFail(await tepS.start());
  if (server === undefined) throw new RangeError('TEP-S was told one address');
  // TEP-C would try again for ever, as it should on a telephone; here the first failure is the last.
  let refuse: (fault: IoFault) => void = () => {};
  const refused = new Promise<IoFault>((resolve) => {
    refuse = resolve;
  });
  const tepC = openClient(server, password, calls, packets, (event) => {
    if (event.type === 'connect-failed') refuse(event.fault);
  });
  closers.push(() => tepC.stop());
  const beganMs = now();
  const opened = orFail(await Promise.race([tepC.open(), refused]));
  const openMs = now() - beganMs;
  if (opened.type === 'closed') throw new Failure(`tunnel ${opened.why}: ${opened.reason}`);
  return { tepC, tepS, server, outer: opened.outer, openMs };
}

/** What signalling does in real life: both sides and both TEPs learn their addresses. */
async function openCall(
  tepC: ClientAgent,
  packets: UdpSockets,
  index: number,
  closers: Closers,
): Promise<Call> {
  const up = new MediaStream(randomPlan());
  const down = new MediaStream(randomPlan());
  const phone = await openParty(LOOPBACK, down);
  closers.push(() => phone.close());
  const gateway = await openParty(LOOPBACK, up);
  closers.push(() => gateway.close());
  const bound = await tepC.bind(phone.local.rtp, { pair: true });
  if (bound.type !== 'bound') throw new Failure(`no public address: ${bound.reason}`);
  const rtp = await standIn(packets, 2 * index, gateway.local.rtp);
  const rtcp = await standIn(packets, 2 * index + 1, gateway.local.rtcp);
  phone.connect({ rtp, rtcp });
  const publicRtcp = { ...bound.address, port: bound.address.port + 1 };
  gateway.connect({ rtp: bound.address, rtcp: publicRtcp });
  return { phone, gateway, publicAddress: bound.address, up, down };
}

/** A socket of TEP-C to which the phone sends as if it were the gateway. */
async function standIn(packets: UdpSockets, id: number, gateway: Endpoint): Promise<Endpoint> {
  return orFail(await packets.listen(id, { family: 4, address: LOOPBACK, port: 0 }, gateway));
}

function randomPlan(): StreamPlan {
  const b = systemRandom(10);
  return { ssrc: u32(b, 0), firstSeq: u16(b, 4), firstTimestamp: u32(b, 6), startMs: 0 };
}

function openServer(password: string, calls: number): ServerAgent {
  const here: Prefix = { family: 4, address: LOOPBACK, length: 32 };
  return new ServerAgent({
    listen: [{ family: 4, address: LOOPBACK, port: 0 }],
    packets: new UdpSockets(systemRandom),
    tunnel: {
      auth: {
        mechanism: 'long-term',
        realm: REALM,
        users: userTable([{ name: USER, password }], REALM),
        nonceSecret: systemRandom(SECRET_LEN),
        nonceLifetimeMs: NONCE_LIFETIME_MS,
        keyHashes: ['sha256'],
        anonymity: true,
      },
      policy: new Policy({
        rules: [{ prefix: here, ports: ALL_PORTS }],
        maxLearnt: 1,
        seed: systemRandom(SEED_LEN),
      }),
      addresses: { mode: 'relay', prefixes: [here] },
      sendQueueOctets: SEND_QUEUE_OCTETS,
      quota: { bindingsPerTunnel: 2 * calls, bindingsPerUser: 2 * calls },
    },
  });
}

function openClient(
  server: Endpoint,
  password: string,
  calls: number,
  packets: UdpSockets,
  observe: NonNullable<ClientAgentOptions['observe']>,
): ClientAgent {
  return new ClientAgent({
    dial: () => dial({ host: HOST, port: server.port, tls: false }, DIRECT, CONNECT_MS),
    packets,
    observe,
    tunnel: {
      auth: { mechanism: 'long-term', credentials: { name: USER, password } },
      sendQueueOctets: SEND_QUEUE_OCTETS,
      maxBindings: calls,
    },
  });
}
