/**
 * linphonec of Linphone, a telephone with another SIP and RTP stack than baresip's. It needs neither a
 * terminal nor a sound card: commands come by standard input, and a recorded tone is its microphone.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeLabFile } from './files.ts';
import type { Network } from './network.ts';
import { inUri, type Place } from './place.ts';
import type { Program } from './program.ts';
import { toneFile } from './tone.ts';

export interface LinphonePlan {
  readonly host: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Where it speaks SIP, by UDP. */
  readonly sip: Place;
  readonly outboundProxy: Place;
  readonly rtpPort: number;
  /** For its settings and logs. */
  readonly folder: string;
}

/** A busy machine, and SIP's own retransmissions (RFC 3261 timer B: 32 s). */
const CALL_MS = 90_000;
/** Where it keeps calls and messages; without the folder it stands still for ever, with no word about it. */
const DATABASE_FOLDER = '.local/share/linphone';

export class Linphone {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  /** It takes every call. */
  static async start(network: Network, plan: LinphonePlan): Promise<Linphone> {
    const { folder, host } = plan;
    await mkdir(join(folder, DATABASE_FOLDER), { recursive: true });
    const tone = join(folder, 'tone.wav');
    const settings = join(folder, 'linphonerc');
    await writeLabFile(tone, toneFile());
    await writeLabFile(settings, settingsText(plan));
    const program = await network.start(host, {
      name: `linphonec on ${host}`,
      command: 'linphonec',
      // Only its debug log tells how registrations and calls are getting on.
      args: ['-c', settings, '-d', '6'],
      env: { HOME: folder },
      logFile: join(folder, 'linphonec.log'),
      takesInput: true,
      ready: { output: /linphonec>/ },
    });
    const linphone = new Linphone(program);
    for (const line of ['soundcard use files', `play ${tone}`, 'autoanswer enable']) {
      linphone.command(line);
    }
    return linphone;
  }

  /** Resolves when its registrar has taken it. */
  async registered(): Promise<void> {
    await this.program.said(/to \[LinphoneRegistrationOk\]/, CALL_MS);
  }

  command(text: string): void {
    this.program.write(`${text}\n`);
  }

  /** Resolves when so many calls have ended. */
  async ended(calls: number = 1): Promise<void> {
    const end = 'Call [0-9]+ with .* ended[^]*?';
    await this.program.said(new RegExp(`(?:${end}){${calls}}`), CALL_MS);
  }
}

function settingsText(plan: LinphonePlan): string {
  const { user, domain, password, sip, outboundProxy, rtpPort } = plan;
  const proxy = `<sip:${inUri(outboundProxy)};transport=udp;lr>`;
  return `[sip]
sip_port=${sip.port}
sip_tcp_port=0
sip_tls_port=0
bind_address=${sip.address}
use_ipv6=0
default_proxy=0
media_encryption=none

[rtp]
audio_rtp_port=${rtpPort}

[proxy_0]
reg_proxy=${proxy}
reg_route=${proxy}
reg_identity=<sip:${user}@${domain}>
reg_expires=600
reg_sendregister=1
publish=0

[auth_info_0]
username=${user}
passwd=${password}
domain=${domain}

[sound]
echocancellation=0

[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
`;
}
