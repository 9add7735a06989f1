/**
 * What one writes in an afternoon: sockets of Node at both ends and one TCP connection, each packet with its
 * length before it, Nagle off, nothing else done.
 */
import { fileURLToPath } from 'node:url';
import type { Program } from '../../lab/program.ts';
import { ADDRESSES, type GroundHost } from '../link/ground.ts';
import { type At, Endpoints } from '../media/endpoints.ts';
import type { RelayPlan } from './naive-process.ts';
import { made, type Peer, type Place, startOn } from './peer.ts';

const ENTRY = fileURLToPath(new URL('./naive-process.js', import.meta.url));
const TCP_PORT = 7_000;
const FIRST_PORT = 20_000;

export const naive: Peer = {
  name: 'naive',
  title: 'two-octet framing in Node',
  isTcp: true,
  async open(ground, flows) {
    const { network } = ground;
    const phones = await Endpoints.start(network, 'ue');
    const gateways = await Endpoints.start(network, 'core');
    const ues = await phones.open(ADDRESSES.ue, flows);
    const media = await gateways.open(ADDRESSES.relay, flows);
    const { client, server, toMedia, toUes } = await startNaive(ground, ues, media);
    phones.aim(toMedia);
    gateways.aim(toUes);
    return { phones, gateways, ...made([client], [server]) };
  },
};

/** With where telephones and gateways have to send to. */
export async function startNaive(place: Place, ues: readonly At[], media: readonly At[]) {
  const at = { address: ADDRESSES.server, port: TCP_PORT };
  const server = await relay(place, 'core', { listen: at, own: ADDRESSES.relay, peers: media });
  const client = await relay(place, 'ue', { connect: at, own: ADDRESSES.ue, peers: ues });
  const toMedia = portsOf(ADDRESSES.ue, ues.length);
  const toUes = portsOf(ADDRESSES.relay, ues.length);
  return { client, server, toMedia, toUes };
}

function relay(
  place: Place,
  host: GroundHost,
  plan: Omit<RelayPlan, 'firstPort'>,
): Promise<Program> {
  const args = [ENTRY, JSON.stringify({ ...plan, firstPort: FIRST_PORT })];
  const ready = { output: /^ready$/m };
  return startOn(place, host, { command: process.execPath, args, ready });
}

function portsOf(address: string, flows: number): At[] {
  return Array.from({ length: flows }, (_, flow) => ({ address, port: FIRST_PORT + flow }));
}
