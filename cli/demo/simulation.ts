/**
 * The demo's little network: telephones, TEP-C, TEP-S and a media gateway in one process, joined by
 * real sockets of this machine. What crosses the firewall in real life is the TCP connection between
 * the two agents.
 */
import { now } from '../../io/clock.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import type { Counters } from '../../session/counters.ts';
import { Policy } from '../../session/policy.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import { ServerAgent } from '../../tep-server/agent.ts';
import type { Endpoint } from '../../wire/address.ts';
import { u16, u32 } from '../../wire/bytes.ts';
import type { Prefix } from '../../wire/prefix.ts';
import { userTable } from '../../wire/stun/users.ts';
import { PACKET_MS, type StreamPlan } from './media.ts';
import { Pacer } from './pacer.ts';
import { openParty, type Party } from './party.ts';
import { MediaStream } from './stream.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const HOST = '127.0.0.1';
const REALM = 'demo.example';
const USER = 'demo';
const PASSWORD_OCTETS = 18;
const SECRET_LEN = 32;
const SEED_LEN = 8;
/** Longer than any demo, so that no request has to be repeated. */
const NONCE_LIFETIME_MS = 3_600_000;
const ALL_PORTS = { first: 1, last: 65_535 };

/** The end: how long to wait for packets in flight when none comes any more. */
const QUIET_MS = 1_000;
const DRAIN_STEP_MS = 10;
/** Above the usual: a machine that is busy elsewhere for half a second must not cost packets. */
const SEND_QUEUE_OCTETS = 8_000_000;

export interface Call {
  readonly phone: Party;
  readonly gateway: Party;
  /** What the phone's SDP says after TEP-C: where the gateway sends to. */
  readonly publicAddress: Endpoint;
  readonly up: MediaStream;
  readonly down: MediaStream;
}

export class Simulation {
  readonly calls: readonly Call[];
  readonly server: Endpoint;
  /** The TCP address of TEP-C as TEP-S sees it. */
  readonly outer: Endpoint;
  /** From the first octet to a tunnel that can carry packets, with authentication. */
  readonly openMs: number;
  /** How long the calls have talked. */
  talkedMs = 0;
  readonly #tepC: ClientAgent;
  readonly #tepS: ServerAgent;
  readonly #pacer: Pacer;

  constructor(tunnel: OpenTunnel, calls: readonly Call[], packets: number) {
    this.calls = calls;
    this.#pacer = new Pacer({
      periodMs: PACKET_MS,
      packets,
      streams: 2 * calls.length,
      send: (stream, n) => this.#send(stream, n),
    });
    this.server = tunnel.server;
    this.outer = tunnel.outer;
    this.openMs = tunnel.openMs;
    this.#tepC = tunnel.tepC;
    this.#tepS = tunnel.tepS;
  }

  /** Octets and records of the tunnel as TEP-C counts them. */
  get counters(): Counters {
    return this.#tepC.counters;
  }

  get drops(): number {
    return this.#tepC.counters.dropped + this.#tepS.counters.dropped;
  }

  /** Talks until all is said or `interrupt`, then waits for what is still on its way. */
  async run(interrupt: AbortSignal): Promise<void> {
    const stop = () => this.#pacer.stop();
    interrupt.addEventListener('abort', stop, { once: true });
    const startMs = now();
    const streams = this.#streams();
    for (const [i, stream] of streams.entries()) stream.begin(this.#pacer.offsetMs(i) + startMs);
    if (!interrupt.aborted) await this.#pacer.run(startMs);
    interrupt.removeEventListener('abort', stop);
    this.talkedMs = now() - startMs;
    await this.#drain();
    for (const stream of streams) stream.end();
  }

  /** Ends the tunnel and closes every socket. */
  async close(): Promise<void> {
    await this.#tepC.stop();
    await this.#tepS.stop();
    await Promise.all(this.calls.flatMap(({ phone, gateway }) => [phone.close(), gateway.close()]));
  }

  /** In the order of the pacer: both directions of a call after one another. */
  #streams(): MediaStream[] {
    return this.calls.flatMap(({ up, down }) => [up, down]);
  }

  #send(stream: number, n: number): void {
    const call = this.calls[stream >> 1];
    if (stream % 2 === 0) call?.phone.send(call.up, n);
    else call?.gateway.send(call.down, n);
  }

  async #drain(): Promise<void> {
    const streams = this.#streams();
    let arrived = -1;
    let quietSinceMs = now();
    while (!streams.every((stream) => stream.complete)) {
      const total = streams.reduce((sum, s) => sum + s.stats.received + s.reportsReceived, 0);
      if (total !== arrived) quietSinceMs = now();
      else if (now() - quietSinceMs > QUIET_MS) return;
      arrived = total;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
    }
  }
}

export interface SimulationOptions {
  readonly calls: number;
  readonly seconds: number;
}

/** Sets everything up; nothing is sent by the calls yet. */
export async function openSimulation(options: SimulationOptions): Promise<Simulation> {
  const tunnel = await openTunnel(options.calls);
  const calls = await Promise.all(
    Array.from({ length: options.calls }, (_, i) => openCall(tunnel, i)),
  );
  return new Simulation(tunnel, calls, Math.round((options.seconds * 1_000) / PACKET_MS));
}

interface OpenTunnel {
  readonly tepC: ClientAgent;
  readonly tepS: ServerAgent;
  /** The packet port of TEP-C. */
  readonly packets: UdpSockets;
  readonly server: Endpoint;
  readonly outer: Endpoint;
  readonly openMs: number;
}

async function openTunnel(calls: number): Promise<OpenTunnel> {
  const password = Buffer.from(systemRandom(PASSWORD_OCTETS)).toString('base64');
  const tepS = openServer(password, calls);
  const server = await tepS.start();
  if (isIoFault(server)) throw new Error(server.text);
  const packets = new UdpSockets(systemRandom);
  const tepC = openClient(server, password, calls, packets);
  const beganMs = now();
  const opened = await tepC.open();
  const openMs = now() - beganMs;
  if (opened.type === 'closed') throw new Error(`tunnel ${opened.why}: ${opened.reason}`);
  return { tepC, tepS, packets, server, outer: opened.outer, openMs };
}

/** What signalling does in real life: both sides and both TEPs learn their addresses. */
async function openCall({ tepC, packets }: OpenTunnel, index: number): Promise<Call> {
  const up = new MediaStream(randomPlan());
  const down = new MediaStream(randomPlan());
  const phone = await openParty(LOOPBACK, down);
  const gateway = await openParty(LOOPBACK, up);
  const bound = await tepC.bind(phone.local.rtp, { pair: true });
  if (bound.type !== 'bound') throw new Error(`no public address: ${bound.reason}`);
  const rtp = await standIn(packets, 2 * index, gateway.local.rtp);
  const rtcp = await standIn(packets, 2 * index + 1, gateway.local.rtcp);
  phone.connect({ rtp, rtcp });
  const publicRtcp = { ...bound.address, port: bound.address.port + 1 };
  gateway.connect({ rtp: bound.address, rtcp: publicRtcp });
  return { phone, gateway, publicAddress: bound.address, up, down };
}

/** A socket of TEP-C to which the phone sends as if it were the gateway. */
async function standIn(packets: UdpSockets, id: number, gateway: Endpoint): Promise<Endpoint> {
  const local = await packets.listen(id, { family: 4, address: LOOPBACK, port: 0 }, gateway);
  if (isIoFault(local)) throw new Error(local.text);
  return local;
}

function randomPlan(): StreamPlan {
  const b = systemRandom(10);
  return { ssrc: u32(b, 0), firstSeq: u16(b, 4), firstTimestamp: u32(b, 6), startMs: 0 };
}

function openServer(password: string, calls: number): ServerAgent {
  const here: Prefix = { family: 4, address: LOOPBACK, length: 32 };
  return new ServerAgent({
    host: HOST,
    port: 0,
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
): ClientAgent {
  return new ClientAgent({
    server: { host: HOST, port: server.port },
    packets,
    tunnel: {
      auth: { mechanism: 'long-term', credentials: { name: USER, password } },
      sendQueueOctets: SEND_QUEUE_OCTETS,
      maxBindings: calls,
    },
  });
}
