/** Captures of every hop of a call, one file each, and what they tell about it. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptureRun } from '../capture.ts';
import { NET } from '../sites.ts';
import type { CallLab } from './call-lab.ts';
import { MEDIA, PCSCF, PHONE } from './call-site.ts';
import { type CallMessage, messagesIn } from './messages.ts';
import { type StreamQuality, streamsBetween } from './streams.ts';

interface Hop {
  /** Of the file, in the order of the way. */
  readonly name: string;
  readonly meaning: string;
  readonly host: string;
  readonly interface: string;
  readonly filter?: string;
}

const CORE_HOPS: readonly Hop[] = [
  hop('3-pcscf', 'the P-CSCF, as on the wire', PCSCF.host, NET),
  hop('5-media', 'TEP-S and rtpengine: tunnel, ng, media', MEDIA.host, NET),
  hop('6-tep-s-rtpengine', 'between TEP-S and rtpengine', MEDIA.host, 'lo'),
  hop('7-core-phone', 'the phone in the core', PHONE.host, NET),
];
const CLEAR = '4-pcscf-clear';
const CLEAR_MEANING = 'SIP at the P-CSCF, TLS in clear';

export interface HopFile {
  readonly meaning: string;
  readonly file: string;
}

export class HopCaptures {
  readonly files: readonly HopFile[];
  readonly #lab: CallLab;
  readonly #runs: readonly CaptureRun[];

  private constructor(lab: CallLab, files: readonly HopFile[], runs: readonly CaptureRun[]) {
    this.#lab = lab;
    this.files = files;
    this.#runs = runs;
  }

  static async start(lab: CallLab): Promise<HopCaptures> {
    const hops = [...lab.site.accesses.flatMap(({ ue }) => accessHops(ue)), ...CORE_HOPS];
    const runs = await Promise.all(
      hops.map(({ name, host, interface: at, filter }) =>
        CaptureRun.start(lab.network, {
          host,
          interface: at,
          file: fileOf(lab, name),
          ...(filter === undefined ? {} : { filter }),
        }),
      ),
    );
    const files = hops.map(({ name, meaning }) => ({ meaning, file: fileOf(lab, name) }));
    return new HopCaptures(lab, files, runs);
  }

  /** Ends them, and Kamailio, which writes its own capture to the end then. */
  async stop(): Promise<HopFile[]> {
    await Promise.all(this.#runs.map((run) => run.stop()));
    await this.#lab.kamailio.stop();
    const clear = await this.#lab.clearCaptures();
    const latest = clear.at(-1);
    if (latest === undefined) return [...this.files];
    await copyFile(latest, fileOf(this.#lab, CLEAR));
    return [...this.files, { meaning: CLEAR_MEANING, file: fileOf(this.#lab, CLEAR) }].sort(
      (a, b) => (a.file < b.file ? -1 : 1),
    );
  }
}

/** Of all hops together, in the order of time; a message that two captures have comes once. */
export async function messagesOfHops(files: readonly HopFile[]): Promise<CallMessage[]> {
  const all = await Promise.all(files.map(({ file }) => messagesIn(file)));
  const seen = new Map<string, number>();
  return all
    .flat()
    .sort((a, b) => a.timeMs - b.timeMs)
    .filter(({ text, from, to, timeMs }) => {
      const key = `${from.address}:${from.port} ${to.address}:${to.port} ${text}`;
      const before = seen.get(key);
      seen.set(key, timeMs);
      return before === undefined || timeMs - before > SAME_MS;
    });
}

/** What several captures have is the same message when so close; a retransmission waits longer (T1). */
const SAME_MS = 250;

/** Media between the phone of an access network and the one in the core. */
export function streamsOfCall(lab: CallLab, number: number = 0): Promise<StreamQuality[]> {
  const { ue } = lab.access(number);
  return streamsBetween(fileOf(lab, `1-${ue}`), fileOf(lab, '7-core-phone'));
}

function fileOf(lab: CallLab, name: string): string {
  return join(lab.folder, `${name}.pcap`);
}

function accessHops(ue: string): Hop[] {
  return [
    // Whatever way packets take inside: between phone and TEP-C, or out as they are.
    { ...hop(`1-${ue}`, 'the phone: its SIP and media', ue, 'any'), filter: 'udp' },
    hop(`2-${ue}-access`, 'what leaves its host', ue, NET),
  ];
}

function hop(name: string, meaning: string, host: string, at: string): Hop {
  return { name, meaning, host, interface: at };
}
