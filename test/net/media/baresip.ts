/** baresip, a telephone, with a recorded tone for a microphone: it speaks SIP and G.711 over RTP. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network } from '../../../lab/network.ts';
import type { Program } from '../../../lab/program.ts';
import type { Place } from './talker.ts';
import { toneFile } from './tone.ts';

export interface PhonePlan {
  readonly host: string;
  readonly user: string;
  /** Where it speaks SIP, and the address of its media. */
  readonly sip: Place;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  /** Where it asks for the public addresses of its media. */
  readonly stunServer?: Place;
  /** For its settings and logs. */
  readonly folder: string;
}

const MODULES = '/usr/lib/baresip/modules';

export class Phone {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start(network: Network, plan: PhonePlan): Promise<Phone> {
    const { folder, host } = plan;
    await mkdir(folder, { recursive: true });
    const tone = join(folder, 'tone.wav');
    await writeFile(tone, toneFile());
    await writeFile(join(folder, 'config'), settings(plan, tone));
    await writeFile(join(folder, 'accounts'), account(plan));
    await writeFile(join(folder, 'contacts'), '');
    const program = await network.start(host, {
      name: `baresip on ${host}`,
      command: 'baresip',
      // Else it speaks IPv4 where it can.
      args: [plan.sip.address.includes(':') ? '-6' : '-4', '-f', folder],
      logFile: join(folder, 'baresip.log'),
      takesInput: true,
      ready: { output: /baresip is ready/ },
    });
    return new Phone(program);
  }

  /** Resolves when the other side has answered. */
  async call(user: string, at: Place): Promise<void> {
    this.#program.write(`/dial sip:${user}@${inUri(at)}\n`);
    await this.#program.said(/Call established/);
  }

  /** Resolves when the call has lasted so many seconds. */
  async talkedFor(seconds: number): Promise<void> {
    await this.#program.said(new RegExp(`\\[0:00:0${seconds}\\] audio`));
  }

  /** Hangs up and ends; how many packets of audio it has received, by its own count. */
  async stop(): Promise<number> {
    await this.#program.stop('SIGTERM');
    const [, received] = /^packets: +[0-9]+ +([0-9]+)/m.exec(this.#program.output) ?? [];
    return Number(received ?? 0);
  }
}

export function inUri({ address, port }: Place): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function account({ user, sip, stunServer }: PhonePlan): string {
  const stun =
    stunServer === undefined ? '' : `;medianat=stun;stunserver="stun:${inUri(stunServer)}"`;
  return `<sip:${user}@${inUri(sip)}>;regint=0;answermode=auto;audio_codecs=PCMU${stun}\n`;
}

function settings({ sip, rtpPorts }: PhonePlan, tone: string): string {
  return [
    'poll_method epoll',
    `sip_listen ${inUri(sip)}`,
    `audio_source aufile,${tone}`,
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    `rtp_ports ${rtpPorts.first}-${rtpPorts.last}`,
    'rtcp_mux no',
    'rtp_stats yes',
    `module_path ${MODULES}`,
    'module stdio.so',
    'module g711.so',
    'module aufile.so',
    'module stun.so',
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    '',
  ].join('\n');
}
