/** baresip, a telephone, with a recorded tone for a microphone: it speaks SIP and G.711 over RTP. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeLabFile } from './files.ts';
import type { Network } from './network.ts';
import { inUri, type Place } from './place.ts';
import type { Program } from './program.ts';
import { toneFile } from './tone.ts';

export interface PhonePlan {
  readonly host: string;
  /** Where it speaks SIP, and the address of its media. */
  readonly sip: Place;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  /** A line of its file `accounts`. */
  readonly account: string;
  /** For its settings and logs. */
  readonly folder: string;
}

const MODULES = '/usr/lib/baresip/modules';
/** A busy machine, and SIP's own retransmissions (RFC 3261 timer B: 32 s). */
const CALL_MS = 90_000;
/** More seconds in a row than it ever leaves out. */
const LATE_S = 30;

export class Phone {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  static async start(network: Network, plan: PhonePlan): Promise<Phone> {
    const { folder, host } = plan;
    await mkdir(folder, { recursive: true });
    const tone = join(folder, 'tone.wav');
    await writeLabFile(tone, toneFile());
    await writeLabFile(join(folder, 'config'), settings(plan, tone));
    await writeLabFile(join(folder, 'accounts'), `${plan.account}\n`);
    await writeLabFile(join(folder, 'contacts'), '');
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

  /** Resolves when its registrar has taken it. */
  async registered(): Promise<void> {
    await this.program.said(/registered successfully/, CALL_MS, 'could not register');
  }

  /** Resolves when the other side has answered. */
  async call(uri: string): Promise<void> {
    const before = this.#count(/Call established/g);
    this.program.write(`/dial ${uri}\n`);
    await this.#saidTimes(/Call established/, before + 1);
  }

  /** Any command of its menu, as it is typed there: `/hold`. */
  command(text: string): void {
    this.program.write(`${text}\n`);
  }

  /** Resolves when the latest call has lasted so many seconds: it tells each, but leaves some out when late. */
  async talkedFor(seconds: number): Promise<void> {
    await this.program.said(talkedPattern(seconds), CALL_MS + 1_000 * seconds);
  }

  /** The same, from now on. */
  async talkedOnFor(seconds: number): Promise<void> {
    const clocks = [...this.program.output.matchAll(/\[([0-9]+):([0-9]+):([0-9]+)\] audio/g)];
    const [, hours, minutes, now] = (clocks.at(-1) ?? []).map(Number);
    if (hours === undefined || minutes === undefined || now === undefined) {
      throw new Error('there is no call');
    }
    await this.talkedFor(3_600 * hours + 60 * minutes + now + seconds);
  }

  /** Resolves when so many calls have ended. */
  async ended(calls: number = 1): Promise<void> {
    await this.#saidTimes(/Call with .* terminated \(duration/, calls);
  }

  /** Hangs up and ends; how many packets of audio it has received, by its own count. */
  async stop(): Promise<number> {
    await this.program.stop('SIGTERM');
    const [, received] = /^packets: +[0-9]+ +([0-9]+)/m.exec(this.program.output) ?? [];
    return Number(received ?? 0);
  }

  #count(pattern: RegExp): number {
    return [...this.program.output.matchAll(pattern)].length;
  }

  async #saidTimes(pattern: RegExp, times: number): Promise<void> {
    await this.program.said(new RegExp(`(?:(?:${pattern.source})[^]*?){${times}}`), CALL_MS);
  }
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

/** What it prints once the latest call has lasted so many seconds: `[0:01:05] audio=…`. */
export function talkedPattern(seconds: number): RegExp {
  const clocks = Array.from({ length: LATE_S }, (_, late) => clockOf(seconds + late));
  const clock = `\\[(?:${clocks.join('|')})\\] audio`;
  return new RegExp(`Call established(?![^]*Call established)[^]*${clock}`);
}

function clockOf(seconds: number): string {
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`;
}
