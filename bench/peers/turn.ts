/** coturn, TURN over TCP or TLS with channels; every telephone has a connection and an allocation, as in WebRTC. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../../lab/certificate.ts';
import { compile } from '../compile.ts';
import { ADDRESSES, type Ground } from '../link/ground.ts';
import { type At, Endpoints, filesIn } from '../media/endpoints.ts';
import { scratchFolder } from '../scratch.ts';
import { FIRST_CHANNEL } from '../turn/turn-connection.ts';
import type { TurnPlan } from '../turn/turn-process.ts';
import { made, type Opened, type Peer, type Place, startOn } from './peer.ts';

const ENTRY = fileURLToPath(new URL('../turn/turn-process.js', import.meta.url));
export const PORTS = { tcp: 3478, tls: 5349 } as const;
export const CREDENTIALS = { name: 'bench', password: 'password' };
/** Behind standard input and both outputs. */
const FIRST_FD = 3;

export function turn(transport: 'tcp' | 'tls'): Peer {
  return {
    name: `turn-${transport}`,
    title: `coturn, TURN over ${transport.toUpperCase()}`,
    isTcp: true,
    open: (ground, flows) => open(ground, flows, transport),
  };
}

async function open(ground: Ground, flows: number, transport: 'tcp' | 'tls'): Promise<Opened> {
  const folder = scratchFolder();
  const server = await startCoturn(ground, folder);
  const gateways = await Endpoints.start(ground.network, 'core');
  const media = await gateways.open(ADDRESSES.relay, flows);
  const plan: TurnPlan = {
    server: { address: ADDRESSES.server, port: PORTS[transport], isTls: transport === 'tls' },
    credentials: CREDENTIALS,
    peers: media,
    folder,
    media: { program: await compile('bench/media/media.c'), args: filesIn(folder) },
  };
  const client = await startOn(ground, 'ue', {
    command: process.execPath,
    args: [ENTRY, JSON.stringify(plan)],
    ready: { output: /^ready$/m },
    takesInput: true,
  });
  const phones = Endpoints.of(client, folder);
  await phones.openChannels(FIRST_FD, flows, FIRST_CHANNEL);
  gateways.aim(relayedIn(client.output));
  // Without TLS the telephones speak TURN themselves: there is no process to be measured.
  const measured = transport === 'tls' ? [client] : [];
  return { phones, gateways, ...made(measured, [server]) };
}

function relayedIn(output: string): At[] {
  const lines = output.matchAll(/^relayed (.*):(\d+)$/gm);
  return [...lines].map(([, address = '', port]) => ({ address, port: Number(port) }));
}

export async function startCoturn(place: Place, folder: string) {
  const { certificate, key } = await makeCertificate(folder, ['bench']);
  return startOn(place, 'core', {
    command: 'turnserver',
    args: [
      ...['-n', '--no-cli', '--no-dtls', '--lt-cred-mech', '--realm=bench'],
      `--user=${CREDENTIALS.name}:${CREDENTIALS.password}`,
      ...['-L', ADDRESSES.server, '-E', ADDRESSES.relay],
      ...[`--listening-port=${PORTS.tcp}`, `--tls-listening-port=${PORTS.tls}`],
      ...[`--cert=${certificate}`, `--pkey=${key}`],
      ...['--log-file=stdout', '--simple-log', `--pidfile=${join(folder, 'pid')}`],
      `--userdb=${join(folder, 'users')}`,
    ],
    ready: { port: PORTS.tls, protocol: 'tcp' },
  });
}
