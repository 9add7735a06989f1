/**
 * Opens what the demo shows: telephones and media gateways as sockets of this process, TEP-C and TEP-S as
 * the programs that people run, on a stage that says where each of them stands.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../io/random.ts';
import type { ClientStatus, ServerStatus } from '../../ops/status.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../wire/address.ts';
import { u16, u32 } from '../../wire/bytes.ts';
import { Failure } from '../command.ts';
import { passingFolder } from '../temporary-folder.ts';
import { Agent, type AgentSettings } from './agent.ts';
import { PACKET_MS, type StreamPlan } from './media.ts';
import { type Host, openParty, type Party } from './party.ts';
import { type Call, type OpenTunnel, Simulation } from './simulation.ts';
import { MediaStream } from './stream.ts';

const USER = 'demo';
const PASSWORD_OCTETS = 18;

export interface SimulationOptions {
  readonly calls: number;
  readonly seconds: number;
}

/** Where everything stands, and what the agents must be told because of it. */
export interface Stage {
  readonly phones: Host;
  readonly gateways: Host;
  /** What comes before `node` on the command lines of the agents. */
  readonly clientCommand: readonly string[];
  readonly serverCommand: readonly string[];
  readonly serverSettings: AgentSettings;
  /** Where TEP-C finds TEP-S, which listens there. */
  server(listening: string): string;
  clientSettings(gateways: readonly Endpoint[]): AgentSettings;
}

interface Sides {
  readonly phone: Party;
  readonly gateway: Party;
  readonly up: MediaStream;
  readonly down: MediaStream;
}

/** What has been opened, in order, as functions that close it. */
export type Closers = Array<() => Promise<void>>;

/** Closes the latest first. */
export async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.toReversed()) await close();
}

/**
 * Sets everything up; nothing is sent by the calls yet. Throws `Failure` when this machine will not:
 * what is open by then is in `closers` either way.
 */
export async function openSimulation(
  options: SimulationOptions,
  stage: Stage,
  closers: Closers,
  interrupt: AbortSignal,
): Promise<Simulation> {
  const { path: folder, remove } = passingFolder('tep-demo-');
  closers.push(async () => remove());
  const sides: Sides[] = [];
  for (let i = 0; i < options.calls; i++) sides.push(await openSides(stage, closers));
  const password = Buffer.from(systemRandom(PASSWORD_OCTETS)).toString('base64');
  const server = openServer(stage, sides.length, password, folder);
  closers.push(() => server.stop());
  const { listening } = await server.until((status) => status.listening.length > 0, interrupt);
  const at = stage.server(listening[0] ?? '');
  const client = openClient(stage, sides, at, password, folder);
  closers.push(() => client.stop());
  const status = await client.until((status) => allBound(status, sides), interrupt);
  const calls = sides.map((side) => connect(side, status));
  const tunnel = { client, server, listening: at.replace(/^\w+:\/\//, ''), ...openingOf(status) };
  return new Simulation(tunnel, calls, Math.round((options.seconds * 1_000) / PACKET_MS));
}

async function openSides({ phones, gateways }: Stage, closers: Closers): Promise<Sides> {
  const up = new MediaStream(randomPlan());
  const down = new MediaStream(randomPlan());
  const phone = await openParty(phones, down);
  closers.push(() => phone.close());
  const gateway = await openParty(gateways, up);
  closers.push(() => gateway.close());
  return { phone, gateway, up, down };
}

function openServer(
  stage: Stage,
  calls: number,
  password: string,
  folder: string,
): Agent<ServerStatus> {
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${password}\n`, { mode: 0o600 });
  const ports = String(2 * calls);
  const settings = {
    users,
    drain: '0s',
    'limits.bindings-per-tunnel': ports,
    'limits.bindings-per-user': ports,
    ...stage.serverSettings,
  };
  return new Agent('server', settings, { folder, command: stage.serverCommand });
}

function openClient(
  stage: Stage,
  sides: readonly Sides[],
  server: string,
  password: string,
  folder: string,
): Agent<ClientStatus> {
  const settings = {
    servers: [server],
    user: USER,
    password,
    'media.bind': 'static',
    'media.static': sides.map(({ phone }) => `${formatEndpoint(phone.local.rtp)}+`),
    'media.max-bindings': String(sides.length),
    ...stage.clientSettings(sides.flatMap(({ gateway: { local } }) => [local.rtp, local.rtcp])),
  };
  return new Agent('client', settings, { folder, command: stage.clientCommand });
}

/** Throws `Failure` when it will not become so. */
function allBound({ tunnel, bindings }: ClientStatus, sides: readonly Sides[]): boolean {
  if (tunnel.lastFault !== undefined) throw new Failure(tunnel.lastFault);
  const granted = bindings.filter((binding) => parseEndpoint(binding.public) !== undefined);
  const ues = new Set(granted.map(({ ue }) => ue));
  const isBound = ({ phone: { local } }: Sides) => ues.has(formatEndpoint(local.rtp));
  return tunnel.state === 'up' && sides.every(isBound);
}

/** What signalling does in real life: both sides learn where the other one is. */
function connect({ phone, gateway, up, down }: Sides, status: ClientStatus): Call {
  const { rtp, rtcp } = gateway.local;
  phone.connect({ rtp: standIn(rtp, status), rtcp: standIn(rtcp, status) });
  const ue = formatEndpoint(phone.local.rtp);
  const binding = status.bindings.find((each) => each.ue === ue);
  const publicAddress = parseEndpoint(binding?.public ?? '');
  if (publicAddress === undefined) throw new Failure(`${ue} has no public address`);
  const publicRtcp = { ...publicAddress, port: publicAddress.port + 1 };
  gateway.connect({ rtp: publicAddress, rtcp: publicRtcp });
  return { phone, gateway, publicAddress, up, down };
}

/** With sockets the phone sends to one of TEP-C, which stands for the gateway. */
function standIn(gateway: Endpoint, { maps }: ClientStatus): Endpoint {
  const text = formatEndpoint(gateway);
  const local = maps.find(({ media }) => media === text)?.local;
  return (local === undefined ? undefined : parseEndpoint(local)) ?? gateway;
}

function openingOf({ tunnel, startedMs }: ClientStatus): Pick<OpenTunnel, 'outer' | 'openMs'> {
  const { outer = '', sinceMs = startedMs } = tunnel;
  return { outer, openMs: sinceMs - startedMs };
}

function randomPlan(): StreamPlan {
  const b = systemRandom(10);
  return { ssrc: u32(b, 0), firstSeq: u16(b, 4), firstTimestamp: u32(b, 6), startMs: 0 };
}
