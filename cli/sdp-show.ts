/** What `tep sdp show` says about a session description, for people and as JSON. */
import type { MediaMark } from '../sdp/marks.ts';
import type { MediaAddress } from '../sdp/media.ts';
import type { PrivateAddress } from '../sdp/private.ts';
import type { Codec } from '../sdp/read.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';

export interface Shown {
  readonly media: readonly MediaAddress[];
  readonly marks: readonly MediaMark[];
  readonly privateAddresses: readonly PrivateAddress[];
}

export function describe({ media, marks, privateAddresses }: Shown): string {
  const parts = media.map((m, i) => mediaText(m, marks[i]));
  if (media.length === 0) parts.push('no m= line\n');
  if (privateAddresses.length > 0) {
    const rows = privateAddresses.map((p) => `  line ${p.line}  ${p.field}  ${p.address}\n`);
    parts.push(`private addresses\n${rows.join('')}`);
  }
  return printable(parts.join('\n'));
}

/** m= lines are counted from 1, as in the text form. Absent values are left out. */
export function describeJson({ media, marks, privateAddresses }: Shown) {
  return {
    media: media.map((m, i) => ({
      media: m.media + 1,
      line: m.line,
      kind: m.kind,
      protocol: m.protocol,
      transport: m.transport,
      live: m.live,
      hold: m.hold,
      direction: m.direction,
      host: m.host,
      rtp: endpointText(m.rtp),
      rtcp: endpointText(m.rtcp),
      rtcpMux: m.mux,
      mid: m.mid,
      bundle: m.bundle,
      codecs: [...m.codecs].map(([payloadType, codec]) => ({ payloadType, ...codec })),
      tep: tepJson(marks[i]),
    })),
    privateAddresses,
  };
}

function tepJson(mark: MediaMark | undefined) {
  return {
    marked: mark?.marked === true,
    token: mark?.token,
    attribute: mark?.mark !== undefined,
    listener: endpointText(mark?.listener),
    transport: mark?.listener?.transport,
    unreadableLine: mark?.unreadable,
  };
}

function mediaText(m: MediaAddress, mark: MediaMark | undefined): string {
  const rows = [
    ['media', mediaRow(m)],
    ['RTCP', rtcpRow(m)],
    ['codecs', [...m.codecs].map(([type, codec]) => codecText(type, codec)).join(', ')],
    ['bundle', m.bundle === undefined ? '' : `${m.bundle.join(' ')} (this is ${m.mid})`],
    ['TEP', mark === undefined ? '' : tepRow(mark)],
  ];
  const head = `m= line ${m.media + 1} (line ${m.line}): ${m.kind} ${m.protocol}, ${m.direction}\n`;
  const filled = rows.filter(([, value]) => value !== '');
  return head + filled.map(([name = '', value]) => `  ${name.padEnd(6)}  ${value}\n`).join('');
}

function mediaRow(m: MediaAddress): string {
  if (!m.live) return 'none: port 0';
  if (m.hold) return `none: ${m.host} (on hold, or candidates come later)`;
  if (m.rtp === undefined) return `${m.host ?? 'no c= line'} is no unicast address`;
  const count = m.count === 1 ? '' : ` and ${m.count - 1} more, two ports apart`;
  return `${formatEndpoint(m.rtp)} ${m.transport}${count}`;
}

function rtcpRow(m: MediaAddress): string {
  if (m.mux === 'only') return 'multiplexed with RTP only';
  const mux = m.mux === 'offered' ? ', or multiplexed with RTP' : '';
  return m.rtcp === undefined ? '' : `${formatEndpoint(m.rtcp)} ${m.transport}${mux}`;
}

function codecText(type: number, { name, rate, channels }: Codec): string {
  return `${type} ${name}/${rate}${channels > 1 ? `/${channels}` : ''}`;
}

function tepRow({ token, mark, listener, live, unreadable }: MediaMark): string {
  const broken = unreadable === undefined ? '' : `; line ${unreadable} is no a=3gpp-tep`;
  const marks = [
    token === undefined ? [] : [`token (${token} level)`],
    mark === undefined ? [] : ['a=3gpp-tep'],
  ].flat();
  if (marks.length === 0) return `not marked${broken}`;
  const where =
    listener === undefined
      ? 'listens nowhere'
      : `TEP-S at ${formatEndpoint(listener)} ${listener.transport}`;
  return `${marks.join(' and ')}: ${live ? where : 'no effect, port 0'}${broken}`;
}

function endpointText(e: Endpoint | undefined): string | undefined {
  return e === undefined ? undefined : formatEndpoint(e);
}

/** Texts of strangers on a terminal: what is not printable ASCII or a line end is shown as `?`. */
function printable(text: string): string {
  return text.replace(/[^\n\x20-\x7e]/g, '?');
}
