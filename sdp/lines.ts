/**
 * The line index of a session description (RFC 8866 clause 5; RFC 4566): which octets are which line of
 * which section. Rewriting changes single lines through this index, so that every other octet stays.
 * The text is held as latin1, one character per octet: octets that are not UTF-8 survive.
 *
 * Line ends: CRLF, LF or CR, and the last may be missing. A CR that ends no line in a text that has
 * LF line ends is refused: readers disagree on it, which lets a line hide from one of them.
 */
import { Buffer } from 'node:buffer';

/** A body of a SIP message in one UDP datagram cannot be longer. */
export const MAX_SDP_LEN = 65_535;
export const MAX_LINE_LEN = 8_192;
export const MAX_LINES = 4_096;
export const MAX_MEDIA = 64;
/** Per m= line. RFC 8445 clause 6.1.2.5 has agents check 100 pairs in all. */
export const MAX_CANDIDATES = 128;

export type ProblemCode =
  | 'too-long'
  | 'line-too-long'
  | 'too-many-lines'
  | 'too-many-media'
  | 'too-many-candidates'
  | 'nul'
  | 'bare-cr'
  | 'not-sdp'
  | 'bad-line'
  | 'bad-media';

/** Why a session description was refused. Nothing of it has been used. */
export interface SdpProblem {
  readonly type: 'sdp-problem';
  readonly code: ProblemCode;
  /** Counted from 1; 0 when the whole text is meant. */
  readonly line: number;
  /** A sentence part for people; repeats nothing of the text. */
  readonly reason: string;
}

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without its line end. */
  readonly text: string;
  /** CRLF, LF, CR, or nothing at the end of the text. */
  readonly eol: string;
  /** The letter before `=`; nothing for an empty line. */
  readonly type: string;
  /** Name of the attribute, up to the colon; nothing unless the type is `a`. */
  readonly name: string;
}

/** Lines `from` to `to` (exclusive) of the index. */
export interface Section {
  readonly from: number;
  readonly to: number;
}

export interface LineIndex {
  readonly type: 'lines';
  readonly text: string;
  readonly lines: readonly Line[];
  readonly session: Section;
  readonly media: readonly Section[];
}

/** Octets, or text taken as UTF-8. */
export type SdpInput = Uint8Array | string;

export function indexLines(input: SdpInput): LineIndex | SdpProblem {
  if (input.length > MAX_SDP_LEN) return tooLong();
  const octets = typeof input === 'string' ? Buffer.from(input, 'utf8') : view(input);
  if (octets.length > MAX_SDP_LEN) return tooLong();
  const text = octets.toString('latin1');
  const lines = cut(text);
  return 'type' in lines ? lines : sections(text, lines);
}

/** The octets of a text in which each character stands for one octet. */
export function octetsOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function linesOf(index: LineIndex, section: Section): readonly Line[] {
  return index.lines.slice(section.from, section.to);
}

/** First attribute of this exact name (`rtcp` is not `rtcp-mux`). */
export function attribute(lines: readonly Line[], name: string): Line | undefined {
  return lines.find((line) => line.name === name);
}

/** What follows `a=name:`; undefined when the attribute has no colon. */
export function attributeValue(line: Line): string | undefined {
  const at = 2 + line.name.length;
  return line.text[at] === ':' ? line.text.slice(at + 1) : undefined;
}

export function problem(code: ProblemCode, line: number, reason: string): SdpProblem {
  return { type: 'sdp-problem', code, line, reason };
}

function view(b: Uint8Array): Buffer {
  return Buffer.from(b.buffer, b.byteOffset, b.byteLength);
}

function tooLong(): SdpProblem {
  return problem('too-long', 0, `longer than ${MAX_SDP_LEN} octets`);
}

function cut(text: string): Line[] | SdpProblem {
  const newline = text.includes('\n') ? '\n' : '\r';
  const lines: Line[] = [];
  for (let at = 0; at < text.length; ) {
    const number = lines.length + 1;
    if (number > MAX_LINES)
      return problem('too-many-lines', number, `more than ${MAX_LINES} lines`);
    const found = text.indexOf(newline, at);
    const next = found === -1 ? text.length : found + 1;
    let end = found === -1 ? text.length : found;
    if (newline === '\n' && found > at && text[found - 1] === '\r') end -= 1;
    const line = readLine(text.slice(at, end), text.slice(end, next), number);
    if ('code' in line) return line;
    lines.push(line);
    at = next;
  }
  return lines;
}

function readLine(text: string, eol: string, number: number): Line | SdpProblem {
  if (text.length > MAX_LINE_LEN) {
    return problem('line-too-long', number, `line longer than ${MAX_LINE_LEN} octets`);
  }
  if (text.includes('\0')) return problem('nul', number, 'NUL octet');
  if (text.includes('\r')) return problem('bare-cr', number, 'CR that ends no line');
  if (number === 1 && !/^v=0[ \t]*$/.test(text))
    return problem('not-sdp', 1, 'first line is not v=0');
  if (text === '') return { number, text, eol, type: '', name: '' };
  if (!/^[A-Za-z]=/.test(text))
    return problem('bad-line', number, 'not of the form <letter>=<value>');
  const type = text.slice(0, 1);
  return { number, text, eol, type, name: type === 'a' ? attributeName(text) : '' };
}

function attributeName(text: string): string {
  const colon = text.indexOf(':', 2);
  return (colon === -1 ? text.slice(2) : text.slice(2, colon)).trimEnd();
}

function sections(text: string, lines: readonly Line[]): LineIndex | SdpProblem {
  if (lines.length === 0) return problem('not-sdp', 0, 'empty');
  const starts: number[] = [];
  let candidates = 0;
  for (const [at, line] of lines.entries()) {
    if (line.type === 'm') {
      candidates = 0;
      if (starts.push(at) > MAX_MEDIA) {
        return problem('too-many-media', line.number, `more than ${MAX_MEDIA} m= lines`);
      }
    } else if (line.name === 'candidate' && ++candidates > MAX_CANDIDATES) {
      const reason = `more than ${MAX_CANDIDATES} candidates of one m= line`;
      return problem('too-many-candidates', line.number, reason);
    }
  }
  const media = starts.map((from, i) => ({ from, to: starts[i + 1] ?? lines.length }));
  return { type: 'lines', text, lines, session: { from: 0, to: starts[0] ?? lines.length }, media };
}
