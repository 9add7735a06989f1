/** baresip on loopback: a telephone with a recorded tone for a microphone, on ports that were free. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../lab/program.ts';
import { toneFile } from '../../lab/tone.ts';

export const HOST = '127.0.0.1';
const MODULES = '/usr/lib/baresip/modules';

export interface SoftphonePlan {
  readonly user: string;
  /** UDP and TCP; TLS on the next one. */
  readonly port: number;
  /** Where its requests go: `sip:127.0.0.1:5060;transport=udp`. */
  readonly outbound?: string;
  /** Domain of its account: host and port. */
  readonly domain: string;
  /** Seconds of a registration; 0: none. */
  readonly registers?: number;
  /** Address of its media; one of another interface where absent. */
  readonly mediaAddress?: string;
  /** PEM of certificate and key. */
  readonly certificate?: string;
}

export interface Softphone {
  readonly program: Program;
  stop(): Promise<void>;
}

export async function startSoftphone(plan: SoftphonePlan): Promise<Softphone> {
  const folder = await mkdtemp(join(tmpdir(), 'tep-baresip-'));
  await mkdir(folder, { recursive: true });
  const tone = join(folder, 'tone.wav');
  await writeFile(tone, toneFile());
  const certificate = join(folder, 'tls.pem');
  if (plan.certificate !== undefined) await writeFile(certificate, plan.certificate);
  await writeFile(join(folder, 'config'), settings(plan, tone, certificate));
  await writeFile(join(folder, 'accounts'), account(plan));
  await writeFile(join(folder, 'contacts'), '');
  const program = await Program.start({
    name: `baresip of ${plan.user}`,
    command: 'baresip',
    args: ['-4', '-v', '-s', '-f', folder],
    takesInput: true,
    ready: { output: /baresip is ready/ },
  });
  const stop = async () => {
    await program.stop('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  return { program, stop };
}

function account({ user, domain, outbound, registers = 0 }: SoftphonePlan): string {
  const by = outbound === undefined ? '' : `;outbound="${outbound}"`;
  return `<sip:${user}@${domain}>;regint=${registers};answermode=auto;audio_codecs=PCMU${by}\n`;
}

function settings(plan: SoftphonePlan, tone: string, file: string): string {
  const { port, certificate, mediaAddress } = plan;
  return [
    'poll_method epoll',
    `sip_listen ${HOST}:${port}`,
    ...(certificate === undefined ? [] : [`sip_certificate ${file}`]),
    ...(mediaAddress === undefined ? [] : [`net_interface ${mediaAddress}`]),
    `audio_source aufile,${tone}`,
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'rtcp_mux no',
    'rtp_stats yes',
    `module_path ${MODULES}`,
    'module stdio.so',
    'module g711.so',
    'module aufile.so',
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    '',
  ].join('\n');
}
