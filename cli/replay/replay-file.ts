/**
 * One capture, from the file to the counts. It is read twice, record by record: first to find the media,
 * then to carry them. Memory does not grow with the file. At most: 0.6 MB of file octets, 32,768 flows
 * under observation and 65,536 with a sign of media (about 1 KB each), 1,024 session descriptions, 4 MB
 * of fragments, 2,048 packets on their way.
 */
import type { PacketRecord } from '../../io/pcap/format.ts';
import type { CaptureTime } from '../../io/pcap/port.ts';
import { captureFaultText, readCapture } from '../../io/pcap/read.ts';
import { Policy } from '../../session/policy.ts';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import { Arrivals } from './arrivals.ts';
import { boundAddresses, wantedBindings } from './bindings.ts';
import { Carry } from './carry.ts';
import { type Counts, noCounts } from './counts.ts';
import { endpointKey } from './descriptions.ts';
import { type Found, type MediaFlow, MediaSearch } from './find-media.ts';
import { type MappedFlow, MediaMap } from './media-map.ts';
import { type OutputFiles, Outputs } from './outputs.ts';
import { millisecondsOf, ReplayClock } from './replay-clock.ts';
import { Seeded } from './seeded.ts';
import { ToldAddresses } from './told-addresses.ts';
import { Tunnel } from './tunnel.ts';
import type { Given } from './which-end.ts';

export interface ReplayOptions {
  readonly given: Given;
  /** One of each family. */
  readonly publicAddresses: readonly Uint8Array[];
  readonly outputs: OutputFiles;
  readonly seed: number;
  readonly interrupt: AbortSignal;
}

export interface FileReplay {
  readonly file: string;
  readonly counts: Counts;
  readonly ue: readonly string[];
  readonly media: readonly string[];
  /** Pairs of endpoints between which media went. */
  readonly flows: number;
  readonly descriptions: number;
  /** What the capture has frames of that are not read: link types, other tunnels. */
  readonly unread: readonly string[];
  /** What kept the file from being replayed whole, in one line. */
  readonly problem: string | undefined;
}

/** Ports of the tunnel's own connection: where TEP-S listens, and one of TEP-C. */
const SERVER_PORT = 80;
const CLIENT_PORT = 49_152;

const POLICY_SEED_LEN = 8;

export async function replayFile(file: string, options: ReplayOptions): Promise<FileReplay> {
  const search = new MediaSearch(options.given);
  let begin: CaptureTime | undefined;
  const fault = await readThrough(file, options.interrupt, (record) => {
    begin ??= { seconds: record.seconds, nanoseconds: record.nanoseconds };
    search.take(record, millisecondsOf(record));
  });
  const found = search.found();
  const problem = fault ?? shortcoming(file, found, options);
  const nothingToDo = found.flows.length === 0 || isTaken(found, options);
  if (begin === undefined || nothingToDo || options.interrupt.aborted) {
    return result(file, found, noCounts(), problem ?? `${file}: no packets`);
  }
  const outputs = new Outputs(options.outputs);
  try {
    const carried = await carryAll(file, found, begin, outputs, options);
    if (!options.interrupt.aborted) outputs.finish();
    return result(file, found, carried.counts, problem ?? carried.problem);
  } finally {
    outputs.discard();
  }
}

interface Carried {
  readonly counts: Counts;
  /** Interrupted, or some flow had no binding and was left out. */
  readonly problem: string | undefined;
}

/** Second reading. */
async function carryAll(
  file: string,
  found: Found,
  begin: CaptureTime,
  outputs: Outputs,
  options: ReplayOptions,
): Promise<Carried> {
  const counts = noCounts();
  const random = new Seeded(options.seed);
  const clock = new ReplayClock(begin);
  const outer = outerEnds(found, options);
  const arrivals = new Arrivals({ counts, outputs, clock, ...outer });
  const seed = random.octets(POLICY_SEED_LEN);
  const policy = new Policy({ rules: [], maxPinholes: found.flows.length, seed });
  const tunnel = new Tunnel(
    {
      random,
      publicAddresses: options.publicAddresses,
      policy,
      stunAt: found.stunServers.map(({ media }) => media),
      outer: outer.client,
    },
    arrivals,
  );
  for (const { ue, protocol, pair } of wantedBindings(found.flows, found.descriptions)) {
    tunnel.bind(ue, protocol, pair, clock.now);
  }
  const bound = boundAddresses(tunnel.bound);
  openWays(policy, found.flows, bound);
  const map = mediaMap(found, bound);
  const carry = new Carry({ counts, tunnel, map, clock, arrivals, outputs });
  const fault = await readThrough(file, options.interrupt, (record) => carry.take(record));
  carry.end();
  const reason = tunnel.problem ?? (isTouched(counts) ? undefined : 'no packet of the media found');
  return { counts, problem: fault ?? (reason && `${file}: ${reason}`) };
}

/** What the first reading found, the second must meet again. */
function isTouched({ mediaPackets, answeredLocally, damaged }: Counts): boolean {
  return mediaPackets + answeredLocally + damaged > 0;
}

/** Reads every record; gives what kept the file from being read to its end. */
async function readThrough(
  file: string,
  interrupt: AbortSignal,
  take: (record: PacketRecord) => void,
): Promise<string | undefined> {
  const capture = readCapture(file);
  for await (const batch of capture) {
    for (const record of batch) take(record);
    if (interrupt.aborted) return `${file}: interrupted`;
  }
  return capture.fault === undefined ? undefined : captureFaultText(capture.fault);
}

/** Media may go to exactly the addresses that were found. */
function openWays(
  policy: Policy,
  flows: readonly MediaFlow[],
  bound: ReadonlyMap<string, Endpoint>,
): void {
  for (const [i, { ue, media, protocol }] of flows.entries()) {
    const local = bound.get(endpointKey(ue, protocol));
    if (local !== undefined) policy.setPinholes(`${i}`, [{ local, remote: media, protocol }]);
  }
}

/** A flow without a binding is left out; the tunnel has said why. */
function mediaMap(found: Found, bound: ReadonlyMap<string, Endpoint>): MediaMap {
  const told = new ToldAddresses(found.descriptions, bound);
  const mapped = (flow: MediaFlow): MappedFlow[] => {
    const address = bound.get(endpointKey(flow.ue, flow.protocol));
    if (address === undefined) return [];
    return [{ ...flow, address, otherwiseTold: told.isOther(flow.ue, flow.protocol, address) }];
  };
  return new MediaMap(found.flows.flatMap(mapped), found.stunServers.flatMap(mapped));
}

/** The ends of the tunnel's connection: the UE's host, and the public address of the same family. */
function outerEnds(
  { flows }: Found,
  { publicAddresses }: ReplayOptions,
): { client: Endpoint; server: Endpoint } {
  const [first] = flows;
  const address = publicAddresses.find(({ length }) => length === first?.ue.address.length);
  if (first === undefined || address === undefined) throw new RangeError('no flow, or no address');
  const { family } = first.ue;
  return {
    client: { ...first.ue, port: CLIENT_PORT },
    server: { family, address, port: SERVER_PORT },
  };
}

function shortcoming(file: string, found: Found, options: ReplayOptions): string | undefined {
  const { given } = options;
  if (found.flows.length === 0) return `${file}: ${nothingFound(found, given)}`;
  if (isTaken(found, options)) {
    return `${file}: the public address is in the capture itself; give another with --public`;
  }
  if (found.beyondLimit > 0) {
    return `${file}: ${found.beyondLimit} flows or session descriptions too many were left out; narrow it with --ue or --media`;
  }
  return undefined;
}

function nothingFound({ special, unread: names }: Found, given: Given): string {
  const fits = given.ue === undefined && given.media === undefined ? '' : ' that fits';
  const elsewhere = special > 0 ? ' but at multicast or similar addresses' : '';
  const unread = names.length > 0 ? ` (what is in ${names.join(', ')} is not read)` : '';
  return `no media found${fits}${elsewhere}${unread}; name the UE with --ue ADDRESS, or where its media go with --media PREFIX[:PORTS]`;
}

function isTaken({ flows }: Found, { publicAddresses }: ReplayOptions): boolean {
  const ends = flows.flatMap(({ ue, media }) => [ue.address, media.address]);
  return publicAddresses.some((one) =>
    ends.some((end) => end.length === one.length && equal(end, 0, one, 0, one.length)),
  );
}

function result(
  file: string,
  { flows, descriptions, unread }: Found,
  counts: Counts,
  problem: string | undefined,
): FileReplay {
  const texts = (ends: readonly Endpoint[]) =>
    [...new Set(ends.map(({ address }) => formatAddress(address, 0, address.length)))].sort();
  return {
    file,
    counts,
    ue: texts(flows.map(({ ue }) => ue)),
    media: texts(flows.map(({ media }) => media)),
    flows: flows.length,
    descriptions: descriptions.length,
    unread,
    problem,
  };
}
