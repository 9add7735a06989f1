/** What is measured for cost: each peer between the same telephones and media gateways. */
import { Child } from '../agents/child.ts';
import { openScene } from '../agents/scene.ts';
import type { Traffic } from '../agents/traffic-process.ts';
import { openFloor } from '../floor/scene.ts';
import { openSocketsFloor } from '../floor/sockets-scene.ts';
import { ADDRESSES, type GroundHost } from '../link/ground.ts';
import type { At } from '../media/endpoints.ts';
import { startNaive } from '../peers/naive.ts';
import { INSIDE, startOpenvpn } from '../peers/openvpn.ts';
import type { Place } from '../peers/peer.ts';
import { CREDENTIALS, PORTS, startCoturn } from '../peers/turn.ts';
import { FIRST_UDP_PORT, GATES, startUdptunnels } from '../peers/udptunnel.ts';
import { scratchFolder } from '../scratch.ts';
import { openPlace } from './place.ts';
import type { TurnLoad } from './turn-load-process.ts';

export const SUBJECTS = [
  'tep-rings',
  'tep-sockets',
  'floor',
  'floor-sockets',
  'turn-tcp',
  'udptunnel',
  'openvpn',
  'naive',
] as const;
export type Subject = (typeof SUBJECTS)[number];

export const TITLES: Readonly<Record<Subject, string>> = {
  'tep-rings': 'TEP-C and TEP-S, rings',
  'tep-sockets': 'TEP-C and TEP-S, sockets',
  floor: 'floor of rings: the least C program',
  'floor-sockets': 'floor of sockets: the least C program',
  'turn-tcp': 'coturn, TURN over TCP',
  udptunnel: 'udptunnel',
  openvpn: 'OpenVPN over TCP',
  naive: 'two-octet framing in Node',
};

/** One side's telephones or gateways. */
export interface Load {
  send(perSecond: number): Promise<void>;
  counts(): Promise<{ readonly sent: number; readonly received: number }>;
}

export interface CostScene {
  readonly phones: Load;
  readonly gateways: Load;
  /** Empty where a telephone itself is the client. */
  readonly pids: { readonly client: readonly number[]; readonly server: readonly number[] };
  close(): Promise<void>;
}

/** One socket for each: a call of 20 ms packets has 50 a second. */
const FLOWS = 100;

export async function openSubject(subject: Subject): Promise<CostScene> {
  if (subject === 'floor') return measured(await openFloor(FLOWS));
  if (subject === 'floor-sockets') return measured(await openSocketsFloor(FLOWS));
  if (subject === 'tep-rings') return measured(await openScene('rings', FLOWS));
  if (subject === 'tep-sockets') return measured(await openScene('sockets', FLOWS));
  const place = await openPlace();
  try {
    return await OPEN[subject](place);
  } catch (error) {
    await place.network.destroy();
    throw error;
  }
}

const OPEN = {
  'turn-tcp': openTurn,
  udptunnel: openUdptunnel,
  openvpn: openVpn,
  naive: openNaive,
} as const;

function measured(scene: Awaited<ReturnType<typeof openFloor>>): CostScene {
  const { client, server, phones, gateways, close } = scene;
  const pids = { client: [client.pid], server: [server.pid] };
  return { phones: loadOf(phones), gateways: loadOf(gateways), pids, close };
}

async function openNaive(place: Place): Promise<CostScene> {
  const phones = await sockets(place, 'ue', ADDRESSES.ue, FLOWS);
  const gateways = await sockets(place, 'core', ADDRESSES.relay, FLOWS);
  const { client, server, toMedia, toUes } = await startNaive(place, phones.at, gateways.at);
  await phones.aim(toMedia);
  await gateways.aim(toUes);
  return sceneOf(place, phones.child, gateways.child, [client], [server]);
}

async function openVpn(place: Place): Promise<CostScene> {
  const { client, server } = await startOpenvpn(place);
  const phones = await sockets(place, 'ue', INSIDE.client, FLOWS);
  const gateways = await sockets(place, 'core', INSIDE.server, FLOWS);
  await phones.aim(gateways.at);
  await gateways.aim(phones.at);
  return sceneOf(place, phones.child, gateways.child, [client], [server]);
}

/** All packets in one flow: a process for each hundredth of them would cost more. */
async function openUdptunnel(place: Place): Promise<CostScene> {
  const port = FIRST_UDP_PORT;
  const phones = await sockets(place, 'phone', ADDRESSES.phone, 1, port);
  const gateways = await sockets(place, 'gateway', ADDRESSES.gateway, 1, port);
  const { clients, servers } = await startUdptunnels(place, 1);
  await phones.aim([{ address: GATES.ue, port }]);
  await gateways.aim([{ address: GATES.core, port }]);
  return sceneOf(place, phones.child, gateways.child, clients, servers);
}

async function openTurn(place: Place): Promise<CostScene> {
  const server = await startCoturn(place, scratchFolder());
  const gateways = await sockets(place, 'core', ADDRESSES.relay, FLOWS);
  const phones = new Child<TurnLoad>('../cost/turn-load-process.js', getOnto(place, 'ue'));
  const relayed = await phones.ask('open', {
    server: { address: ADDRESSES.server, port: PORTS.tcp, isTls: false },
    credentials: CREDENTIALS,
    peers: gateways.at.map(nameOf),
  });
  await gateways.child.ask('aim', { at: gateways.at.map(() => relayed) });
  return sceneOf(place, phones, gateways.child, [], [server]);
}

type Process = Child<Traffic> | Child<TurnLoad>;

function sceneOf(
  place: Place,
  phones: Process,
  gateways: Process,
  client: readonly { readonly pid: number }[],
  server: readonly { readonly pid: number }[],
): CostScene {
  const close = async () => {
    await Promise.all([phones.end(), gateways.end()]);
    await place.network.destroy();
  };
  const pids = { client: client.map(({ pid }) => pid), server: server.map(({ pid }) => pid) };
  return { phones: loadOf(phones), gateways: loadOf(gateways), pids, close };
}

function loadOf(child: Process): Load {
  // The two have these questions in common, and nothing else.
  const either = child as Child<Pick<Traffic, 'send' | 'counts'>>;
  return {
    send: (perSecond) => either.ask('send', { perSecond }),
    counts: () => either.ask('counts', {}),
  };
}

async function sockets(
  place: Place,
  host: GroundHost,
  address: string,
  count: number,
  port?: number,
) {
  const child = new Child<Traffic>('./traffic-process.js', getOnto(place, host));
  const opened = await child.ask('open', { address, sockets: count, ...(port && { port }) });
  const at = opened.map((text) => ({
    address,
    port: Number(text.slice(text.lastIndexOf(':') + 1)),
  }));
  const aim = (targets: readonly At[]) => child.ask('aim', { at: targets.map(nameOf) });
  return { child, at, aim };
}

function getOnto({ network }: Place, host: GroundHost): string[] {
  return ['ip', 'netns', 'exec', network.namespace(host)];
}

function nameOf({ address, port }: At): string {
  return `${address}:${port}`;
}
