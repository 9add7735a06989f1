/**
 * Hides the network of an end in a description by which no media flow (M-17): what a phone can do (RFC 3264
 * clause 9), refused m= lines, hold by 0.0.0.0. Private addresses of c= and a=rtcp become "none" (0.0.0.0, ::),
 * candidates and MSRP paths that name one are left out, and o= shows the public address that the call
 * has shown before. Everything else stays as it was.
 */
import { Edit } from './edit.ts';
import {
  type Address,
  hideRelated,
  readCandidate,
  readConnection,
  readOrigin,
  readRtcp,
  writeConnection,
  writeOrigin,
  writeRtcp,
} from './fields.ts';
import type { Line, SdpInput, SdpProblem } from './lines.ts';
import { isPrivate, namesPrivate } from './private.ts';
import { read } from './read.ts';

const NONE: Readonly<Record<Address['family'], Address>> = {
  4: { family: 4, address: new Uint8Array(4) },
  6: { family: 6, address: new Uint8Array(16) },
};

/** Lines that tell addresses; others are not searched for them. */
const CARRIERS: ReadonlySet<string> = new Set([
  'o',
  'c',
  'rtcp',
  'candidate',
  'remote-candidates',
  'path',
]);

/** The octets are owned by the caller. */
export function hide(input: SdpInput, shown: Address | undefined): Uint8Array | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  const edit = new Edit(sdp.index);
  for (const line of sdp.index.lines) {
    if (!CARRIERS.has(kindOf(line)) || !namesPrivate(line.text)) continue;
    const text = hidden(line, shown);
    if (text === undefined) edit.remove(line);
    else edit.replace(line, text);
  }
  return edit.octets();
}

/** Undefined: the line says nothing without the address. */
function hidden(line: Line, shown: Address | undefined): string | undefined {
  const { text } = line;
  switch (kindOf(line)) {
    case 'o': {
      const origin = readOrigin(text)?.address;
      return origin === undefined ? text : writeOrigin(text, shown ?? NONE[origin.family], false);
    }
    case 'c': {
      const address = readConnection(text)?.address;
      return address === undefined ? text : writeConnection(text, NONE[address.family]);
    }
    case 'rtcp': {
      const fields = readRtcp(text);
      if (fields?.address === undefined) return text;
      return writeRtcp(text, fields.port, NONE[fields.address.family]);
    }
    case 'candidate':
      return hiddenCandidate(text);
    case 'remote-candidates':
    case 'path':
      return undefined;
    default:
      return text;
  }
}

function kindOf({ type, name }: Line): string {
  return type === 'a' ? name : type;
}

function hiddenCandidate(text: string): string | undefined {
  const { address } = readCandidate(text) ?? {};
  if (address === undefined || isPrivate(address)) return undefined;
  return hideRelated(text, address.family);
}
