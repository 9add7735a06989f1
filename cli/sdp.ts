/** `tep sdp show|advertise|strip|apply`: the session descriptions of a call, for people and scripts. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { suggestion } from '../config/nearest.ts';
import type { Mapped, Mapping } from '../sdp/addresses.ts';
import { apply, type Unmapped } from '../sdp/apply.ts';
import { type Address, addressText, readAddress } from '../sdp/fields.ts';
import { MAX_SDP_LEN, type SdpProblem } from '../sdp/lines.ts';
import { advertise, type Mark, strip, tepMarks } from '../sdp/marks.ts';
import { mediaAddresses } from '../sdp/media.ts';
import { isPrivate, type PrivateAddress, privateAddressesLeft } from '../sdp/private.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../wire/address.ts';
import { helpText, type Options, parseArguments } from './arguments.ts';
import { type Command, EXIT, Failure, UsageError, type World } from './command.ts';
import { complain } from './complain.ts';
import { describe, describeJson } from './sdp-show.ts';

const SHARED = {
  json: { kind: 'flag', meaning: 'the result as one JSON object' },
} as const satisfies Options;

const ADVERTISE = {
  port: {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 65_535,
    default: 80,
    meaning: 'where TEP-S listens',
  },
  transport: {
    kind: 'choice',
    choices: ['TCP', 'TLS'],
    default: 'TCP',
    meaning: 'what it speaks there',
  },
  address: { kind: 'text', value: 'ADDR', meaning: 'its address, when it is not that of c=' },
  media: { kind: 'list', value: 'N', meaning: 'only this m= line, counted from 1' },
} as const satisfies Options;

const APPLY = {
  map: { kind: 'list', value: 'LOCAL=PUBLIC', meaning: 'address:port and its public one' },
  public: { kind: 'text', value: 'ADDR', meaning: 'one public address for all, ports kept' },
  answer: { kind: 'flag', meaning: 'it is an answer: rtcp-mux is agreed, not only wished' },
  'keep-private': { kind: 'flag', meaning: 'keep private candidates that have no public address' },
  'raise-version': { kind: 'flag', meaning: 'add one to the version of o= (an offer made anew)' },
} as const satisfies Options;

export const command: Command = {
  name: 'sdp',
  summary: 'show, mark, unmark and rewrite session descriptions (SDP)',
  help: helpText({
    usage: 'sdp <show|advertise|strip|apply> [options] [FILE|-]',
    about: `Works on one session description from FILE or standard input; the result goes to standard output.
Only the lines concerned change, every other octet stays.

  show        media addresses, codecs, TEP marks and private addresses
  advertise   write the TEP marks into m= lines: --port --transport --address --media
  strip       remove every TEP mark
  apply       put public addresses in: --map --public --answer --keep-private --raise-version`,
    options: { ...ADVERTISE, ...APPLY, ...SHARED },
    notes:
      'Exit status: 0 done, 1 refused (nothing was written), 2 wrong usage. Notes about addresses\n' +
      'that stayed as they were go to standard error.',
    examples: [
      ['tep sdp show offer.sdp', 'where the media of an offer goes'],
      ['tep sdp advertise --port 443 --transport TLS answer.sdp', 'say that TEP-S can be used'],
      ['tep sdp strip < offer.sdp', 'the same description without TEP'],
      [
        'tep sdp apply --map 10.0.0.2:4000=192.0.2.1:5000 --map 10.0.0.2:4001=192.0.2.1:5001 offer.sdp',
        'RTP and RTCP at their public addresses',
      ],
      [
        'tep sdp apply --public 192.0.2.1 --json offer.sdp',
        'all media at one address, result as JSON',
      ],
    ],
  }),
  run,
};

const ACTIONS: Readonly<
  Record<string, (args: readonly string[], world: World) => Promise<number>>
> = {
  show: runShow,
  advertise: runAdvertise,
  strip: runStrip,
  apply: runApply,
};

async function run(args: readonly string[], world: World): Promise<number> {
  const [name, ...rest] = args;
  const names = Object.keys(ACTIONS);
  if (name === undefined) throw new UsageError(`sdp: one of ${names.join(', ')} is missing`);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined)
    throw new UsageError(`sdp: unknown action ${name}${suggestion(name, names)}`);
  return action(rest, world);
}

async function runShow(args: readonly string[], world: World): Promise<number> {
  const { values, positionals } = parseArguments(args, SHARED, FILE);
  const input = await load(positionals, world);
  const shown = {
    media: input.good(mediaAddresses(input.octets)),
    marks: input.good(tepMarks(input.octets)),
    privateAddresses: input.good(privateAddressesLeft(input.octets)),
  };
  world.stdout.write(values.json ? `${JSON.stringify(describeJson(shown))}\n` : describe(shown));
  return EXIT.SUCCESS;
}

async function runAdvertise(args: readonly string[], world: World): Promise<number> {
  const { values, positionals } = parseArguments(args, { ...ADVERTISE, ...SHARED }, FILE);
  const { port, transport } = values;
  const address = values.address === undefined ? undefined : addressOf('--address', values.address);
  const mark: Mark = { port, transport, ...(address === undefined ? {} : { address }) };
  const chosen = values.media.map(mediaNumber);
  const input = await load(positionals, world);
  const media = input.good(tepMarks(input.octets));
  for (const n of chosen) {
    const one = media[n - 1];
    if (one === undefined) throw input.refused(`m= line ${n}: there are ${media.length}`);
    if (!one.live) throw input.refused(`m= line ${n} has port 0 and is never changed`);
  }
  if (!media.some((one) => one.live)) throw input.refused('no m= line with a port');
  const marks = media.map((_, i) =>
    chosen.length === 0 || chosen.includes(i + 1) ? mark : undefined,
  );
  return write(world, values.json, input.octets, input.good(advertise(input.octets, marks)));
}

async function runStrip(args: readonly string[], world: World): Promise<number> {
  const { values, positionals } = parseArguments(args, SHARED, FILE);
  const input = await load(positionals, world);
  return write(world, values.json, input.octets, input.good(strip(input.octets)));
}

async function runApply(args: readonly string[], world: World): Promise<number> {
  const { values, positionals } = parseArguments(args, { ...APPLY, ...SHARED }, FILE);
  const pairs = values.map.map(pairOf);
  const all = values.public === undefined ? undefined : addressOf('--public', values.public);
  if (pairs.length === 0 && all === undefined)
    throw new UsageError('sdp apply: --map or --public is missing');
  const input = await load(positionals, world);
  const media = input.good(mediaAddresses(input.octets));
  const locals = media.flatMap((m) => [m.rtp, m.rtcp]).filter((e) => e !== undefined);
  const applied = input.good(
    apply(input.octets, mappingOf(pairs, all, locals), {
      kind: values.answer ? 'answer' : 'offer',
      privateCandidates: values['keep-private'] ? 'keep' : 'remove',
      raiseVersion: values['raise-version'],
    }),
  );
  if (!applied.changed && applied.unmapped.length > 0) {
    const [first] = applied.unmapped;
    const address = first === undefined ? '' : formatEndpoint(first.local);
    throw input.refused(`no public address is given for any media address, such as ${address}`);
  }
  const privateLeft = input.good(privateAddressesLeft(applied.octets));
  if (!values.json) complainAbout(world, input.name, applied.unmapped, privateLeft);
  const unmapped = applied.unmapped.map((u) => ({
    media: u.media + 1,
    line: u.line,
    component: u.component,
    address: formatEndpoint(u.local),
  }));
  return write(world, values.json, input.octets, applied.octets, { unmapped, privateLeft });
}

function complainAbout(
  world: World,
  name: string,
  unmapped: readonly Unmapped[],
  privateLeft: readonly PrivateAddress[],
): void {
  for (const { line, component, local } of unmapped) {
    const what = `${component.toUpperCase()} ${formatEndpoint(local)}`;
    complain(world, `note: ${name}: line ${line}: no public address for ${what}`);
  }
  for (const { line, field, address } of privateLeft) {
    complain(world, `note: ${name}: line ${line}: ${field} shows ${address}`);
  }
}

/** `--map` first; `--public` for the addresses that media really uses and for private candidates. */
function mappingOf(
  pairs: readonly Mapped[],
  all: Address | undefined,
  locals: readonly Endpoint[],
): Mapping {
  if (all === undefined) return pairs;
  const known = new Map(pairs.map((pair) => [formatEndpoint(pair.local), pair.public]));
  const hosts = new Set(locals.map(addressText));
  return (local) => {
    const own = hosts.has(addressText(local)) || isPrivate(local);
    return known.get(formatEndpoint(local)) ?? (own ? { ...all, port: local.port } : undefined);
  };
}

/** Octets as they are, or with what else is to say as one JSON object. */
function write(
  world: World,
  json: boolean,
  before: Uint8Array,
  after: Uint8Array,
  more: Readonly<Record<string, unknown>> = {},
): number {
  if (json) {
    const changed = Buffer.compare(before, after) !== 0;
    const sdp = new TextDecoder().decode(after);
    world.stdout.write(`${JSON.stringify({ changed, ...more, sdp })}\n`);
  } else {
    world.stdout.write(after);
  }
  return EXIT.SUCCESS;
}

const FILE = { name: 'FILE', min: 0, max: 1 } as const;

interface Input {
  /** For messages. */
  readonly name: string;
  readonly octets: Uint8Array;
  refused(reason: string): Failure;
  /** The value, or a throw that names file, line and reason. */
  good<T>(value: T | SdpProblem): T;
}

async function load([file = '-']: readonly string[], world: World): Promise<Input> {
  const name = file === '-' ? 'standard input' : file;
  const refused = (reason: string) => new Failure(`${name}: ${reason}`);
  const stream = file === '-' ? world.stdin : createReadStream(file);
  const octets = await readAtMost(stream, MAX_SDP_LEN + 1).catch((error: NodeJS.ErrnoException) => {
    throw refused(fileErrors[error.code ?? ''] ?? error.message);
  });
  const good = <T>(value: T | SdpProblem): T => {
    if (!isProblem(value)) return value;
    throw refused(value.line === 0 ? value.reason : `line ${value.line}: ${value.reason}`);
  };
  return { name, octets, refused, good };
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'not allowed to read it',
  EISDIR: 'is a directory',
};

function isProblem(value: unknown): value is SdpProblem {
  return (
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'sdp-problem'
  );
}

/** Stops reading above `limit`, so that a wrong file of any size is refused at once. */
async function readAtMost(stream: Readable, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const octets = Buffer.from(chunk);
    chunks.push(octets);
    length += octets.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks);
}

function pairOf(text: string): Mapped {
  const [local, to, ...more] = text.split('=').map(parseEndpoint);
  const usable = local !== undefined && to !== undefined && more.length === 0 && to.port !== 0;
  if (usable) return { local, public: to };
  throw new UsageError(`--map ${text}: must be LOCAL=PUBLIC, such as 10.0.0.2:4000=192.0.2.1:5000`);
}

function addressOf(option: string, text: string): Address {
  const address = text.includes('%') ? undefined : readAddress(text);
  if (address !== undefined) return address;
  throw new UsageError(`${option} ${text}: must be an IPv4 or IPv6 address without port`);
}

function mediaNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`--media ${text}: must be the number of an m= line, counted from 1`);
}
