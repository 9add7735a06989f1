/** udptunnel of Debian: a pair of processes and a TCP connection for each flow. */
import type { Program } from '../../lab/program.ts';
import { ADDRESSES } from '../link/ground.ts';
import { type At, Endpoints } from '../media/endpoints.ts';
import { made, type Opened, type Peer, type Place, startOn } from './peer.ts';

const FIRST_TCP_PORT = 7_000;
/** It listens on the port that it sends to: telephone and tunnel have the same, on two hosts. */
export const FIRST_UDP_PORT = 20_000;
/** Processes started at a time. */
const AT_ONCE = 20;

export const udptunnel: Peer = {
  name: 'udptunnel',
  title: 'udptunnel',
  isTcp: true,
  async open(ground, flows): Promise<Opened> {
    const { network } = ground;
    const ports = Array.from({ length: flows }, (_, flow) => FIRST_UDP_PORT + flow);
    const phones = await Endpoints.start(network, 'phone');
    const gateways = await Endpoints.start(network, 'gateway');
    await phones.open(ADDRESSES.phone, flows, ports);
    await gateways.open(ADDRESSES.gateway, flows, ports);
    const { clients, servers } = await startUdptunnels(ground, flows);
    phones.aim(at(GATES.ue, ports));
    gateways.aim(at(GATES.core, ports));
    return { phones, gateways, ...made(clients, servers) };
  },
};

/** A pair for each flow, connected. */
export async function startUdptunnels(place: Place, flows: number) {
  const servers = await startAll(flows, (flow) =>
    startOn(place, 'core', {
      command: 'udptunnel',
      args: ['-s', String(FIRST_TCP_PORT + flow), `${ADDRESSES.gateway}/${FIRST_UDP_PORT + flow}`],
      ready: { port: FIRST_TCP_PORT + flow, protocol: 'tcp' },
    }),
  );
  const clients = await startAll(flows, (flow) =>
    startOn(place, 'ue', {
      command: 'udptunnel',
      args: [
        ...['-c', `${ADDRESSES.server}/${FIRST_TCP_PORT + flow}`],
        `${ADDRESSES.phone}/${FIRST_UDP_PORT + flow}`,
      ],
      ready: { port: FIRST_UDP_PORT + flow, protocol: 'udp' },
    }),
  );
  return { clients, servers };
}

/** Addresses of the tunnels' hosts, as telephones and gateways see them. */
export const GATES = { ue: '10.0.1.1', core: ADDRESSES.relay } as const;

function at(address: string, ports: readonly number[]): At[] {
  return ports.map((port) => ({ address, port }));
}

async function startAll(
  count: number,
  start: (flow: number) => Promise<Program>,
): Promise<Program[]> {
  const programs: Program[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
    programs.push(...(await Promise.all(some.map(start))));
  }
  return programs;
}
