/** TEP-S beside rtpengine and TEP-C beside softphones, with the configurations of docs/deploy. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from '../agent.ts';
import type { Certificate } from '../certificate.ts';
import { writeLabFile } from '../files.ts';
import type { Network } from '../network.ts';
import { inUri } from '../place.ts';
import { PROXY_PASSWORD, PROXY_USER, SQUID_PORT } from '../proxies.ts';
import type { Access, Family } from './access.ts';
import { MEDIA, PCSCF } from './call-site.ts';
import { type Change, deploy, withSettings } from './deployment.ts';

export interface Subscriber {
  readonly name: string;
  readonly password: string;
}

/** What somebody has to write whose phones have IPv6. */
const SERVER_BY_IPV6: readonly Change[] = [
  ...[80, 443].map((port) => {
    return { from: `  - ${MEDIA.address}:${port}`, to: `  - '[${MEDIA.address6}]:${port}'` };
  }),
  { from: `public: ${MEDIA.address}`, to: `public: ${MEDIA.address6}` },
  { from: `tcp://${MEDIA.address}:`, to: `tcp://[${MEDIA.address6}]:` },
];
const CLIENT_BY_IPV6: readonly Change[] = [
  { from: `${MEDIA.address}`, to: `[${MEDIA.address6}]` },
  { from: `${PCSCF.address}`, to: `[${PCSCF.address6}]` },
  { from: '127.0.0.1:5060', to: `'[::1]:5060'` },
];

export async function startServer(
  network: Network,
  folder: string,
  { certificate, key }: Certificate,
  subscribers: readonly Subscriber[],
  family: Family,
  more: readonly string[],
): Promise<Agent> {
  await mkdir(folder, { recursive: true });
  await copyFile(certificate, join(folder, 'certificate.pem'));
  await copyFile(key, join(folder, 'key.pem'));
  const users = subscribers.map(({ name, password }) => `${name}:${password}\n`).join('');
  await writeLabFile(join(folder, 'users'), users, 0o600);
  const file = await deploy('server.yaml', folder, family === 6 ? SERVER_BY_IPV6 : []);
  await writeLabFile(file, withSettings(await readFile(file, 'utf8'), more));
  const statusSocket = join(folder, 'server.sock');
  return Agent.start(network, { host: MEDIA.host, kind: 'server', file, folder, statusSocket });
}

export async function startClient(
  network: Network,
  folder: string,
  { ue, proxy }: Access,
  { certificate }: Certificate,
  { name, password }: Subscriber,
  family: Family,
  more: readonly string[],
): Promise<Agent> {
  await mkdir(folder, { recursive: true });
  await copyFile(certificate, join(folder, 'certificate.pem'));
  await writeSecret(join(folder, 'password'), password);
  await writeSecret(join(folder, 'proxy-password'), PROXY_PASSWORD);
  const file = await deploy('client.yaml', folder, [
    { from: 'user: alice', to: `user: ${name}` },
    ...(proxy === undefined ? [] : [proxyChange(proxy)]),
    ...(family === 6 ? CLIENT_BY_IPV6 : []),
  ]);
  await writeLabFile(file, withSettings(await readFile(file, 'utf8'), more));
  const statusSocket = join(folder, 'client.sock');
  return Agent.start(network, { host: ue, kind: 'client', file, folder, statusSocket });
}

/** What somebody behind a proxy has to add. */
function proxyChange({ address, auth }: NonNullable<Access['proxy']>): Change {
  const place = inUri({ address, port: SQUID_PORT });
  const settings =
    auth === 'open'
      ? `proxy: http://${place}`
      : `proxy: http://${PROXY_USER}@${place}\nproxy-password-file: /etc/tep/proxy-password`;
  return {
    from: 'password-file: /etc/tep/password',
    to: `password-file: /etc/tep/password\n${settings}`,
  };
}

function writeSecret(file: string, secret: string): Promise<void> {
  return writeLabFile(file, `${secret}\n`, 0o600);
}
