/**
 * The two TEP marks of an m= line (tep-wire 8; M-03, M-04):
 *
 *     a=ice-options:tep                                  token, media or session level
 *     a=3gpp-tep:<port> <TCP|TLS> [IN IP4|IP6 <address>] where TEP-S listens, media level
 *
 * They are written together and either is enough when read, because gateways on the way drop one or the
 * other. An offerer that listens nowhere writes port 9, as TCP ends that only connect do.
 */
import { Buffer } from 'node:buffer';
import { type Endpoint, MAX_PORT } from '../wire/address.ts';
import { Edit } from './edit.ts';
import { type Address, addressText, endpoint, isUnicast, NO_PORT, readAddress } from './fields.ts';
import { attribute, attributeValue, type Line, type SdpInput, type SdpProblem } from './lines.ts';
import { flowOf } from './media.ts';
import { type Media, read, type Sdp } from './read.ts';

/** ice-char has no hyphen: `3gpp-tep` would not be a legal token (RFC 8839 clause 5.6). */
const TOKEN = 'tep';
const ATTRIBUTE = '3gpp-tep';
/** Where TEP-S listens when only the token came through. */
export const DEFAULT_PORT = 80;

export type TepTransport = 'TCP' | 'TLS';

export interface Mark {
  /** 1 to 65535; 9 says "I listen nowhere". */
  readonly port: number;
  readonly transport: TepTransport;
  /** Absent: the address of c=. */
  readonly address?: Address;
}

export interface MediaMark {
  /** Place of the m= line, from 0. */
  readonly media: number;
  /** False for port 0: what the marks say then has no effect. */
  readonly live: boolean;
  readonly token: 'media' | 'session' | undefined;
  /** The a=3gpp-tep line as read; undefined when absent or unreadable. */
  readonly mark: Mark | undefined;
  /** Line number of an a=3gpp-tep that could not be read; it counts as absent. */
  readonly unreadable: number | undefined;
  /** The m= line is live and has at least one mark. */
  readonly marked: boolean;
  /** Where TEP-S listens, defaults filled in; undefined for nowhere, a name, a group or 0.0.0.0. */
  readonly listener: (Endpoint & { readonly transport: TepTransport }) | undefined;
}

export function tepMarks(input: SdpInput): readonly MediaMark[] | SdpProblem {
  const sdp = read(input);
  return sdp.type === 'sdp-problem' ? sdp : sdp.media.map((m) => marksOf(sdp, m));
}

/**
 * Writes both marks into live m= lines: one mark for all, or one per m= line (undefined leaves a line
 * as it is). Saying it twice changes nothing; another port or address replaces the first.
 */
export function advertise(
  input: SdpInput,
  marks: Mark | readonly (Mark | undefined)[],
): Uint8Array | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  const edit = new Edit(sdp.index);
  for (const m of sdp.media) {
    const mark = 'port' in marks ? marks : marks[m.index];
    if (mark !== undefined && m.live) writeMark(edit, m, markText(mark));
  }
  return edit.octets();
}

/** A quick look: most descriptions have none. Both marks have the token in them. */
export function mayHaveMarks(sdp: Uint8Array): boolean {
  return Buffer.from(sdp.buffer, sdp.byteOffset, sdp.byteLength).includes(TOKEN);
}

/** Removes every trace of both marks, at every level and whatever the port. */
export function strip(input: SdpInput): Uint8Array | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  const edit = new Edit(sdp.index);
  for (const line of sdp.index.lines) {
    if (line.name === ATTRIBUTE) edit.remove(line);
    else if (hasToken(line)) removeToken(edit, line);
  }
  return edit.octets();
}

function marksOf(sdp: Sdp, m: Media): MediaMark {
  const lines = m.lines.filter((line) => line.name === ATTRIBUTE);
  const mark = lines.map(readMark).find((one) => one !== undefined);
  const token = m.lines.some(hasToken)
    ? 'media'
    : sdp.sessionLines.some(hasToken)
      ? 'session'
      : undefined;
  const marked = m.live && (token !== undefined || mark !== undefined);
  return {
    media: m.index,
    live: m.live,
    token,
    mark,
    unreadable: lines.find((line) => readMark(line) === undefined)?.number,
    marked,
    listener: marked ? listenerOf(sdp, m, mark) : undefined,
  };
}

function listenerOf(sdp: Sdp, m: Media, mark: Mark | undefined): MediaMark['listener'] {
  const port = mark?.port ?? DEFAULT_PORT;
  const address = mark?.address ?? flowOf(sdp, m).connection?.fields.address;
  // Nothing is told on hold by 0.0.0.0; a host that connects to it reaches itself.
  if (address === undefined || !isUnicast(address) || port === NO_PORT) return undefined;
  return { ...endpoint(address, port), transport: mark?.transport ?? 'TCP' };
}

const MARK = /^a=3gpp-tep:(\d{1,5}) +(TCP|TLS)(?: +IN +(IP[46]) +([^ ]+))? *$/;

function readMark(line: Line): Mark | undefined {
  const m = MARK.exec(line.text);
  const port = Number(m?.[1] ?? 0);
  if (m === null || port === 0 || port > MAX_PORT) return undefined;
  const transport = m[2] === 'TLS' ? 'TLS' : 'TCP';
  if (m[4] === undefined) return { port, transport };
  const address = readAddress(m[4], m[3]);
  return address === undefined ? undefined : { port, transport, address };
}

/** Throws for a mark that would not be one: numbers and octets only, so no text can be smuggled in. */
function markText({ port, transport, address }: Mark): string {
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT)
    throw new RangeError('port of a mark');
  if (transport !== 'TCP' && transport !== 'TLS') throw new RangeError('transport of a mark');
  const where = address === undefined ? '' : ` IN IP${address.family} ${addressText(address)}`;
  return `a=${ATTRIBUTE}:${port} ${transport}${where}`;
}

function writeMark(edit: Edit, m: Media, text: string): void {
  const options = attribute(m.lines, 'ice-options');
  if (!m.lines.some(hasToken)) {
    // A list without a single token is left as it is, so that `strip` finds it so again.
    const joins = options !== undefined && (attributeValue(options) ?? '').trim() !== '';
    if (joins) edit.replace(options, `${options.text} ${TOKEN}`);
    else edit.append(m.section, `a=ice-options:${TOKEN}`);
  }
  const [first, ...more] = m.lines.filter((line) => line.name === ATTRIBUTE);
  if (first === undefined) edit.append(m.section, text);
  else edit.replace(first, text);
  for (const line of more) edit.remove(line);
}

function tokensOf(line: Line): string[] {
  return line.name === 'ice-options' ? (attributeValue(line) ?? '').split(' ') : [];
}

function hasToken(line: Line): boolean {
  return tokensOf(line).includes(TOKEN);
}

/** One space goes with the token, others stay: `strip` undoes `advertise` octet by octet. */
function removeToken(edit: Edit, line: Line): void {
  const others = tokensOf(line).filter((token) => token !== TOKEN);
  if (others.every((token) => token === '')) edit.remove(line);
  else edit.replace(line, `a=ice-options:${others.join(' ')}`);
}
