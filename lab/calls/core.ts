/** The core of a call laboratory: stock Kamailio as P-CSCF and stock rtpengine as IMS-AGW. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../certificate.ts';
import type { Network } from '../network.ts';
import type { Program } from '../program.ts';
import type { Family } from './access.ts';
import { MEDIA, PCSCF } from './call-site.ts';
import { type Change, deploy } from './deployment.ts';

const TLS_PORT = 443;
const NG_PORT = 2223;
/** MiB; the laboratory has few users. */
const KAMAILIO_MEMORY = ['-m', '64', '-M', '8'];

export async function startRtpengine(
  network: Network,
  folder: string,
  family: Family,
): Promise<Program> {
  const settings = await deploy('rtpengine.conf', folder, rtpengineChanges(family));
  return network.start(MEDIA.host, {
    command: 'rtpengine',
    args: [
      ...[`--config-file=${settings}`, '--config-section=rtpengine', '--foreground'],
      ...['--log-stderr', '--log-level=6', `--pidfile=${join(folder, 'pid')}`],
    ],
    logFile: join(folder, 'rtpengine.log'),
    ready: { port: NG_PORT, protocol: 'udp' },
  });
}

/** Its SIP messages, those of TLS in clear, are in captures in `folder`. */
export async function startKamailio(
  network: Network,
  folder: string,
  { certificate, key }: Certificate,
  family: Family,
  changes: readonly Change[],
): Promise<Program> {
  await mkdir(folder, { recursive: true });
  await copyFile(certificate, join(folder, 'certificate.pem'));
  await copyFile(key, join(folder, 'key.pem'));
  await deploy('tls.cfg', folder);
  const settings = await deploy('kamailio.cfg', folder, [...kamailioChanges(family), ...changes]);
  return network.start(PCSCF.host, {
    command: 'kamailio',
    args: [
      ...['-f', settings, '-A', 'WITH_SIPDUMP', '-DD', '-E', ...KAMAILIO_MEMORY],
      ...['-w', folder, '-Y', folder, '-P', join(folder, 'pid')],
    ],
    logFile: join(folder, 'kamailio.log'),
    ready: { port: TLS_PORT, protocol: 'tcp' },
  });
}

function kamailioChanges(family: Family): Change[] {
  return family === 6 ? [{ from: PCSCF.address, to: `[${PCSCF.address6}]` }] : [];
}

function rtpengineChanges(family: Family): Change[] {
  const setting = 'interface = ';
  if (family === 4) return [];
  return [{ from: `${setting}${MEDIA.address}`, to: `${setting}${MEDIA.address6}` }];
}
