/** OpenVPN over TCP in user space, with a small PKI: a network of its own for telephones and gateways. */
import { join } from 'node:path';
import { runTool } from '../../lab/tool.ts';
import { ADDRESSES } from '../link/ground.ts';
import { Endpoints } from '../media/endpoints.ts';
import { scratchFolder } from '../scratch.ts';
import { made, type Opened, type Peer, type Place, startOn } from './peer.ts';

const PORT = 1_194;
/** Addresses in the tunnel. */
export const INSIDE = { server: '10.8.0.1', client: '10.8.0.2' } as const;
const COMMON = [
  ...['--dev', 'tun', '--disable-dco', '--tcp-nodelay', '--verb', '3'],
  ...['--data-ciphers', 'AES-128-GCM', '--ca', 'ca.pem'],
];
const READY = { output: /Initialization Sequence Completed/ };

export const openvpn: Peer = {
  name: 'openvpn',
  title: 'OpenVPN over TCP',
  isTcp: true,
  async open(ground, flows): Promise<Opened> {
    const { network } = ground;
    const { client, server } = await startOpenvpn(ground);
    const phones = await Endpoints.start(network, 'ue');
    const gateways = await Endpoints.start(network, 'core');
    const ues = await phones.open(INSIDE.client, flows);
    const media = await gateways.open(INSIDE.server, flows);
    phones.aim(media);
    gateways.aim(ues);
    return { phones, gateways, ...made([client], [server]) };
  },
};

/** Both ends, the tunnel open. */
export async function startOpenvpn(place: Place) {
  const folder = scratchFolder();
  await makeCertificates(folder);
  const server = await startOn(place, 'core', {
    command: 'openvpn',
    args: [
      ...[...COMMON, '--proto', 'tcp-server', '--port', String(PORT), '--tls-server'],
      ...['--dh', 'none', '--cert', 'server.pem', '--key', 'server.key'],
      ...['--ifconfig', INSIDE.server, INSIDE.client],
    ],
    cwd: folder,
    ready: { port: PORT, protocol: 'tcp' },
  });
  const client = await startOn(place, 'ue', {
    command: 'openvpn',
    args: [
      ...[...COMMON, '--proto', 'tcp-client', '--remote', ADDRESSES.server, String(PORT)],
      ...['--tls-client', '--cert', 'client.pem', '--key', 'client.key'],
      ...['--ifconfig', INSIDE.client, INSIDE.server],
    ],
    cwd: folder,
    ready: READY,
  });
  await server.said(READY.output);
  return { client, server };
}

async function makeCertificates(folder: string): Promise<void> {
  const curve = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  await openssl(folder, [
    ...['req', '-x509', ...curve, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem'],
  ]);
  for (const name of ['server', 'client']) {
    await openssl(folder, [
      ...['req', '-x509', ...curve, '-subj', `/CN=${name}`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
    ]);
  }
}

function openssl(folder: string, args: readonly string[]): Promise<string> {
  // It has no option for the folder, and the names are relative.
  const inFolder = args.map((arg) => (/\.(?:pem|key)$/.test(arg) ? join(folder, arg) : arg));
  return runTool({ program: 'openssl', args: inFolder });
}
