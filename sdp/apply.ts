/**
 * Puts public addresses into an offer or answer (M-06, M-15, M-17; docs/sdp.md): c=, m= port,
 * a=rtcp, candidates, a=remote-candidates, the MSRP path and o= change together; every other octet
 * stays as it was. Not touched at all: m= lines with port 0, m= lines none of whose addresses has a
 * public one (they do not go through the tunnel, M-04), hold by 0.0.0.0.
 */
import { type Endpoint, MAX_PORT } from '../wire/address.ts';
import { Addresses, type Mapping, same, sameHost } from './addresses.ts';
import { type Candidate, candidatesOf, publicOf, rewriteCandidates } from './candidates.ts';
import { Edit } from './edit.ts';
import {
  type Address,
  addressText,
  endpoint,
  isUnspecified,
  readAddress,
  readConnection,
  readOrigin,
  readRtcp,
  writeConnection,
  writeMediaPort,
  writeOrigin,
  writeRtcp,
} from './fields.ts';
import { attribute, attributeValue, type Line, type SdpInput, type SdpProblem } from './lines.ts';
import { type Flow, flowOf } from './media.ts';
import { isRtp, type Media, read, type Sdp } from './read.ts';

export interface ApplyOptions {
  /**
   * a=rtcp-mux in an answer is the end of the RTCP port, in an offer only a wish (RFC 5761 clause
   * 5.1.1), so that an offer tells the RTCP port nevertheless. `offer` when absent.
   */
  readonly kind?: 'offer' | 'answer';
  /**
   * Candidates with a private address that has no public one: `remove` (when absent) hides the network
   * (M-17); `keep` lets two phones of the same network find each other.
   */
  readonly privateCandidates?: 'remove' | 'keep';
  /** Adds one to the version of o= when anything changed: for an offer made anew (RFC 3264 clause 8). */
  readonly raiseVersion?: boolean;
}

/** An address that media would need and that the mapping does not know. */
export interface Unmapped {
  readonly media: number;
  /** Number of the m= line in the text. */
  readonly line: number;
  readonly component: 'rtp' | 'rtcp';
  readonly local: Endpoint;
}

export interface Applied {
  readonly type: 'applied';
  /** Owned by the caller. */
  readonly octets: Uint8Array;
  readonly changed: boolean;
  readonly unmapped: readonly Unmapped[];
}

export function apply(
  input: SdpInput,
  mapping: Mapping,
  options: ApplyOptions = {},
): Applied | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  const addresses = new Addresses(mapping);
  const build = () => sdp.media.map((m) => planFor(sdp, m, addresses, options.kind ?? 'offer'));
  let plans = build();
  // An end that only connects is told by the address of its host, which a later m= line may have shown.
  if (plans.some((plan) => plan.unmapped.length > 0)) plans = build();
  const edit = new Edit(sdp.index);
  const ours = plans.filter((plan) => plan.ours);
  if (ours.length > 0) {
    writeConnections(edit, sdp, plans, addresses);
    for (const plan of ours) writeMedia(edit, plan, addresses, options);
    writeOriginLine(edit, sdp, addresses, options.raiseVersion === true);
  }
  return {
    type: 'applied',
    octets: edit.octets(),
    changed: edit.changes > 0,
    unmapped: plans.flatMap((plan) => plan.unmapped),
  };
}

/** One m= line: what it has and what it gets. */
interface Plan {
  readonly media: Media;
  readonly flow: Flow;
  readonly candidates: readonly Candidate[];
  /** Public address of media or RTP; undefined: stays as it is. */
  readonly rtp: Endpoint | undefined;
  readonly rtcp: Endpoint | undefined;
  /** RTCP has no port of its own. */
  readonly muxed: boolean;
  /** At least one of its addresses has a public one. */
  readonly ours: boolean;
  readonly unmapped: readonly Unmapped[];
}

function planFor(sdp: Sdp, media: Media, addresses: Addresses, kind: 'offer' | 'answer'): Plan {
  const flow = flowOf(sdp, media);
  const rtp = addresses.span(flow.rtp, media.count, media.transport);
  const muxed = flow.mux === 'only' || (flow.mux === 'offered' && kind === 'answer');
  const told = rtp !== undefined || media.count === 1;
  const rtcp = told ? addresses.endpoint(flow.rtcp, media.transport) : undefined;
  const candidates = media.live ? candidatesOf(media) : [];
  const reachable = candidates.filter(({ fields }) => publicOf(fields, addresses) !== undefined);
  const path = media.live ? pathOf(media, addresses) : undefined;
  const ours = [rtp, rtcp, path].some((one) => one !== undefined) || reachable.length > 0;
  const unmapped: Unmapped[] = [];
  const miss = (component: Unmapped['component'], local: Endpoint | undefined, to?: Endpoint) => {
    if (local === undefined || to !== undefined || addresses.isPublic(local)) return;
    unmapped.push({ media: media.index, line: media.line.number, component, local });
  };
  miss('rtp', flow.rtp, rtp);
  if (flow.mux === 'none') miss('rtcp', flow.rtcp, rtcp);
  return { media, flow, candidates, rtp, rtcp, muxed, ours, unmapped };
}

/** c= at media level where there is one; else the session's, unless its m= lines now differ. */
function writeConnections(
  edit: Edit,
  sdp: Sdp,
  plans: readonly Plan[],
  addresses: Addresses,
): void {
  const relying: Plan[] = [];
  for (const plan of plans) {
    const { connection } = plan.flow;
    if (!plan.media.live || connection === undefined) continue;
    if (connection.level === 'session') relying.push(plan);
    else writeOwnConnections(edit, plan);
  }
  const common = sessionAddress(sdp, relying, addresses);
  const line = sdp.sessionLines.find((one) => one.type === 'c');
  if (line !== undefined && common !== undefined)
    edit.replace(line, writeConnection(line.text, common));
  for (const { media, rtp } of relying) {
    const differs = rtp !== undefined && (common === undefined || !sameHost(rtp, common));
    if (differs) edit.addAfter(beforeConnection(media), connectionText(rtp));
  }
}

/** What the session's c= becomes; undefined when somebody still needs it as it is. */
function sessionAddress(sdp: Sdp, relying: readonly Plan[], addresses: Addresses) {
  if (relying.some((plan) => plan.rtp === undefined)) return undefined;
  const [first] = relying;
  if (first?.rtp !== undefined) return first.rtp;
  const line = sdp.sessionLines.find((one) => one.type === 'c');
  return line === undefined ? undefined : addresses.hostOrAny(readConnection(line.text)?.address);
}

function writeOwnConnections(edit: Edit, { media, flow, rtp }: Plan): void {
  const old = flow.connection?.fields.address;
  if (rtp === undefined || old === undefined) return;
  for (const line of media.lines) {
    const address = line.type === 'c' ? readConnection(line.text)?.address : undefined;
    if (address !== undefined && sameHost(address, old)) {
      edit.replace(line, writeConnection(line.text, rtp));
    }
  }
}

/** RFC 8866 clause 5: c= comes after m= and i=. */
function beforeConnection(media: Media): Line {
  return media.lines.find((line) => line.type === 'i') ?? media.line;
}

function connectionText(to: Address): string {
  return `c=IN IP${to.family} ${addressText(to)}`;
}

function writeMedia(edit: Edit, plan: Plan, addresses: Addresses, options: ApplyOptions): void {
  const { media, rtp } = plan;
  if (rtp !== undefined) edit.replace(media.line, writeMediaPort(media.line.text, rtp.port));
  if (isRtp(media)) writeRtcpLine(edit, plan);
  rewriteCandidates(edit, plan.candidates, addresses, options.privateCandidates ?? 'remove');
  for (const line of media.lines) {
    if (line.name === 'remote-candidates') writeRemoteCandidates(edit, line, media, addresses);
    if (line.name === 'path') writePath(edit, line, media, addresses);
  }
}

/**
 * A mapping does not keep "RTP port + 1", so a=rtcp is written whenever that is not where RTCP is
 * (RFC 3605). With multiplexing a present a=rtcp without a port of its own follows RTP (RFC 8858).
 */
function writeRtcpLine(edit: Edit, { media, flow, rtp, rtcp, muxed }: Plan): void {
  const main = rtp ?? flow.rtp;
  const line = attribute(media.lines, 'rtcp');
  const fields = line === undefined ? undefined : readRtcp(line.text);
  if (line === undefined || fields === undefined) {
    const told = main !== undefined && rtcp !== undefined && isNext(rtcp, main);
    if (muxed || rtcp === undefined || told) return;
    const elsewhere = main === undefined || !sameHost(rtcp, main);
    edit.append(media.section, writeRtcp('', rtcp.port, elsewhere ? rtcp : undefined));
    return;
  }
  const unused = fields.address !== undefined && isUnspecified(fields.address);
  const to = rtcp ?? (flow.mux === 'none' || unused ? undefined : rtp);
  if (to === undefined) return;
  const full = fields.host !== undefined || main === undefined || !sameHost(to, main);
  edit.replace(line, writeRtcp(line.text, to.port, full ? to : undefined));
}

function isNext(rtcp: Endpoint, rtp: Endpoint): boolean {
  return same(rtcp, endpoint(rtp, rtp.port + 1));
}

/** `component address port` triples: the peer's own addresses in what it gets back (RFC 8839 5.2). */
function writeRemoteCandidates(edit: Edit, line: Line, media: Media, addresses: Addresses): void {
  const words = line.text.split(' ');
  for (let i = 1; i + 1 < words.length; i += 3) {
    const address = readAddress(words[i] ?? '');
    const port = portOf(words[i + 1]);
    if (address === undefined || port === undefined) continue;
    const to = addresses.endpoint(endpoint(address, port), media.transport);
    if (to === undefined) continue;
    words[i] = addressText(to);
    words[i + 1] = String(to.port);
  }
  edit.replace(line, words.join(' '));
}

const MSRP_URI = /^(msrps?:\/\/(?:[^@/?;]*@)?)(\[[^\]]*\]|[^:/?;]+):(\d{1,5})(?=[/?;]|$)/i;

/** Only URIs with a mapped address and port: relays of others in the path stay (RFC 4975 clause 8). */
function writePath(edit: Edit, line: Line, media: Media, addresses: Addresses): void {
  const uris = urisOf(line).map((uri) => {
    const to = publicUri(uri, media, addresses);
    if (to === undefined) return uri;
    const host = to.family === 6 ? `[${addressText(to)}]` : addressText(to);
    return uri.replace(MSRP_URI, (_, head: string) => `${head}${host}:${to.port}`);
  });
  if (uris.length > 0) edit.replace(line, `a=path:${uris.join(' ')}`);
}

function pathOf(media: Media, addresses: Addresses): Endpoint | undefined {
  const uris = media.lines.filter((line) => line.name === 'path').flatMap(urisOf);
  return uris.map((uri) => publicUri(uri, media, addresses)).find((to) => to !== undefined);
}

function urisOf(line: Line): string[] {
  return attributeValue(line)?.split(' ') ?? [];
}

function publicUri(uri: string, media: Media, addresses: Addresses): Endpoint | undefined {
  const m = MSRP_URI.exec(uri);
  const address = m === null ? undefined : readAddress((m[2] ?? '').replace(/^\[|\]$/g, ''));
  const port = portOf(m?.[3]);
  if (address === undefined || port === undefined) return undefined;
  return addresses.endpointOrHost(endpoint(address, port), media.transport);
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : MAX_PORT + 1;
  return port > MAX_PORT ? undefined : port;
}

/** The address of o= only names the session, but shows the network (M-17): the same for all of it. */
function writeOriginLine(edit: Edit, sdp: Sdp, addresses: Addresses, raise: boolean): void {
  const line = sdp.sessionLines.find((one) => one.type === 'o');
  if (line === undefined) return;
  const to = addresses.hostOrAny(readOrigin(line.text)?.address);
  edit.replace(line, writeOrigin(line.text, to, raise && edit.changes > 0));
}
