/** `tep replay`: captures taken at a UE, carried through both ends of a tunnel and compared. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CaptureWriteError } from '../io/pcap/write.ts';
import { parseAddress } from '../wire/address.ts';
import { parsePrefix } from '../wire/prefix.ts';
import { helpText, type Options, parseArguments } from './arguments.ts';
import { type Command, EXIT, Failure, UsageError, type World } from './command.ts';
import { complain } from './complain.ts';
import { parseMediaRule } from './replay/media-rule.ts';
import type { OutputFiles } from './replay/outputs.ts';
import { type FileReplay, type ReplayOptions, replayFile } from './replay/replay-file.ts';
import { isWell, jsonReport, textReport } from './replay/report.ts';
import type { Given } from './replay/which-end.ts';

/** Of the blocks for documentation (RFC 5737, RFC 3849). */
const PUBLIC_IPV4 = '203.0.113.80';
const PUBLIC_IPV6 = '2001:db8:ffff::80';

const OPTIONS = {
  ue: { kind: 'text', value: 'ADDRESS', meaning: 'address of the UE, or a prefix; found without' },
  media: {
    kind: 'text',
    value: 'PREFIX[:PORTS]',
    meaning: 'addresses that its media go to; found without',
  },
  public: { kind: 'text', value: 'ADDRESS', meaning: `public address (${PUBLIC_IPV4})` },
  'tunnel-out': { kind: 'text', value: 'FILE', meaning: 'writes the TCP connection of the tunnel' },
  'core-out': { kind: 'text', value: 'FILE', meaning: 'writes what passes at the core' },
  'ue-out': { kind: 'text', value: 'FILE', meaning: 'writes what the UE gets' },
  seed: {
    kind: 'number',
    value: 'N',
    min: 0,
    max: 2 ** 31,
    default: 1,
    meaning: 'chooses where the octets are cut',
  },
  json: { kind: 'flag', meaning: 'prints the result as JSON' },
} as const satisfies Options;

export const command: Command = {
  name: 'replay',
  summary: 'carry captures of calls through a tunnel and compare every packet',
  help: helpText({
    usage: 'replay FILE… [options]',
    about: `Reads captures (pcap, pcapng) taken at a UE, finds the media in them by SDP, RTP, RTCP and MSRP,
and carries every media packet through TEP-C and TEP-S, the octets between them cut at random
places. What comes out is compared octet by octet: addresses, payload, checksums, order.`,
    options: OPTIONS,
    notes: `Which end is the UE: the one given; else the host that captured (Linux cooked captures tell);
else the private address; else the address in most media flows; else who registers or calls;
else who sends first.

Files are written whole or not at all, and only for one capture at a time.
Exit status: 0 nothing was lost or changed, 1 something was or a capture could not be read,
2 wrong usage.`,
    examples: [
      ['tep replay call.pcapng', 'a capture with SIP in it: everything is found'],
      ['tep replay rtp.pcap --ue 10.20.0.2', 'only the media of this address'],
      [
        'tep replay rtp.pcap --media 198.51.100.0/24:20000-29999',
        'whatever goes to these addresses; IPv6 as [2001:db8::/32]:5004',
      ],
      [
        'tep replay call.pcap --tunnel-out tunnel.pcap --core-out core.pcap',
        'to look at both sides in Wireshark',
      ],
    ],
  }),
  run,
};

async function run(args: readonly string[], world: World): Promise<number> {
  const many = Number.POSITIVE_INFINITY;
  const wanted = { name: 'capture file', min: 1, max: many };
  const { values, positionals } = parseArguments(args, OPTIONS, wanted);
  const outputs = {
    tunnel: values['tunnel-out'],
    core: values['core-out'],
    ue: values['ue-out'],
  };
  checkOutputs(positionals, outputs);
  const options: ReplayOptions = {
    given: readGiven(values.ue, values.media),
    publicAddresses: readPublic(values.public),
    outputs,
    seed: values.seed,
    interrupt: world.interrupt,
  };
  const files: FileReplay[] = [];
  try {
    for (const file of positionals) files.push(await replayFile(file, options));
  } catch (error) {
    throw error instanceof CaptureWriteError ? new Failure(error.message) : error;
  }
  return report(files, values.json, world);
}

/** Nothing may be written over the capture, nor two outputs into one file. */
function checkOutputs(captures: readonly string[], outputs: OutputFiles): void {
  const wanted = Object.values(outputs).filter((file) => file !== undefined);
  if (captures.length > 1 && wanted.length > 0) {
    throw new UsageError('files are written for one capture at a time');
  }
  const taken = new Set(captures.map(identity));
  for (const file of wanted) {
    if (file === '') throw new UsageError('the name of a file to write is empty');
    if (taken.has(identity(file))) throw new UsageError(`${file}: is in use already, give another`);
    taken.add(identity(file));
  }
}

/** The same for all names of one file. Whether it can be read or written shows later. */
function identity(file: string): string {
  try {
    const { dev, ino } = statSync(file);
    return `${dev} ${ino}`;
  } catch {
    return resolve(file);
  }
}

function report(files: readonly FileReplay[], asJson: boolean, world: World): number {
  for (const { problem } of files) if (problem !== undefined) complain(world, problem);
  const some = files.some(({ counts }) => counts.packets > 0);
  if (asJson) world.stdout.write(jsonReport(files));
  else if (some) world.stdout.write(textReport(files));
  return files.every(isWell) ? EXIT.SUCCESS : EXIT.FAILED;
}

function readGiven(ueText: string | undefined, mediaText: string | undefined): Given {
  const ue = ueText === undefined ? undefined : parsePrefix(ueText);
  if (ueText !== undefined && ue === undefined) {
    throw new UsageError(`--ue ${ueText}: must be an address such as 10.20.0.2`);
  }
  const media = mediaText === undefined ? undefined : parseMediaRule(mediaText);
  if (mediaText !== undefined && media === undefined) {
    throw new UsageError(
      `--media ${mediaText}: must be an address or prefix with ports behind it, such as 198.51.100.7:20000-20100 or [2001:db8::/32]`,
    );
  }
  return { ue, media };
}

/** The address given, and the other family's own. */
function readPublic(text: string | undefined): Uint8Array[] {
  const given = text === undefined ? undefined : parseAddress(text);
  if (text !== undefined && given === undefined) {
    throw new UsageError(`--public ${text}: must be an address such as ${PUBLIC_IPV4}`);
  }
  const own = [PUBLIC_IPV4, PUBLIC_IPV6]
    .map(parseAddress)
    .filter((address) => address !== undefined)
    .filter((address) => address.length !== given?.length);
  return given === undefined ? own : [given, ...own];
}
