/** The messages of a call as lines for people: when, from whom to whom, what, and what its SDP says. */
import { type MediaMark, tepMarks } from '../../sdp/marks.ts';
import { mediaAddresses } from '../../sdp/media.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { inUri, type Place } from '../place.ts';
import type { CallMessage } from './messages.ts';

/** What an address is called; others are shown as they are. */
export type NameOf = (address: string) => string | undefined;

const TIME_COLUMNS = 9;
const WAY_COLUMNS = 64;

export function transcript(messages: readonly CallMessage[], nameOf: NameOf): string[] {
  const start = messages[0]?.timeMs ?? 0;
  return messages.flatMap((message) => {
    const { timeMs, from, to, title, sdp } = message;
    const time = ((timeMs - start) / 1_000).toFixed(3).padStart(TIME_COLUMNS);
    const way = `${placeText(from, nameOf)} ▶ ${placeText(to, nameOf)}`.padEnd(WAY_COLUMNS);
    return [`${time}  ${way}  ${title}`, ...(sdp === undefined ? [] : mediaLines(sdp))];
  });
}

/** One line for each m= line: its address, and what it says about tunnels. */
export function mediaLines(sdp: string): string[] {
  const addresses = mediaAddresses(sdp);
  const marks = tepMarks(sdp);
  if ('code' in addresses || 'code' in marks) return [indented('an SDP that cannot be read')];
  return addresses.map(({ kind, rtp, live, direction }, i) => {
    const where = rtp === undefined ? (live ? 'no address' : 'refused') : formatEndpoint(rtp);
    const how = direction === 'sendrecv' ? '' : ` ${direction}`;
    return indented(`m=${kind} ${where}${how}${markText(marks[i])}`);
  });
}

function markText(mark: MediaMark | undefined): string {
  if (!mark?.marked) return '';
  const token = mark.token === undefined ? [] : ['a=ice-options:tep'];
  const line =
    mark.mark === undefined ? [] : [`a=3gpp-tep:${mark.mark.port} ${mark.mark.transport}`];
  return `  ◆ ${[...token, ...line].join(' and ')}`;
}

function indented(text: string): string {
  return `${' '.repeat(TIME_COLUMNS + 4)}${text}`;
}

function placeText(place: Place, nameOf: NameOf): string {
  const name = nameOf(place.address);
  return name === undefined ? inUri(place) : `${name} ${inUri(place)}`;
}
