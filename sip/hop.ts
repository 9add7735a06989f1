/**
 * What one hop changes in a message that it passes on (RFC 3261 clauses 16.6, 16.7, 18.2.1; RFC 3581,
 * RFC 6223): its own Via, where the request really came from, the count of hops.
 */
import { type Endpoint, formatAddress } from '../wire/address.ts';
import { hopsLeft } from './check.ts';
import type { Edit } from './edit.ts';
import { firstField } from './fields.ts';
import type { Range } from './tokens.ts';
import { hostText, sameHost } from './uri.ts';
import { topVia, type Via } from './via.ts';

/** Where an element writes that it sends from. */
export interface SentBy {
  /** UDP, TCP, TLS, WS or WSS. */
  readonly transport: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

export interface ViaOptions {
  readonly branch: string;
  /** Offers the next hop to keep this flow alive (RFC 6223). */
  readonly keep: boolean;
}

/** RFC 3261 clause 16.6 item 3: where there is none. */
const FIRST_MAX_FORWARDS = 70;

/** Always with `rport`: we want the answer where we sent from (RFC 3581 clause 3). */
export function pushVia(edit: Edit, sentBy: SentBy, options: ViaOptions): void {
  const keep = options.keep ? ';keep' : '';
  const by = `SIP/2.0/${sentBy.transport} ${hostPort(sentBy)}`;
  edit.addFieldAbove('via', `Via: ${by};rport;branch=${options.branch}${keep}`);
}

export function popVia(edit: Edit): boolean {
  return edit.removeValues('via', 0, 1);
}

/** Whether a Via is one that `pushVia` wrote for this element. */
export function isOurs(via: Via, sentBy: SentBy): boolean {
  const { transport, host, port } = sentBy;
  return via.transport === transport && via.port === port && sameHost(via.host, host);
}

/**
 * Writes into the topmost Via of a request where it came from. `received` when sent-by says something
 * else, or when the sender asked for `rport` (RFC 3581 clause 4); a value that came with the request
 * is overwritten.
 */
export function noteSource(edit: Edit, from: Endpoint): void {
  const via = topVia(edit.message);
  for (const { range, text } of via === undefined ? [] : sourceNotes(via, from)) {
    edit.replace(range, text);
  }
}

/** A Via as `noteSource` would leave it. */
export function viaWithSource(text: string, via: Via, from: Endpoint): string {
  let noted = '';
  let at = via.range.start;
  for (const { range, text: note } of sourceNotes(via, from)) {
    noted += text.slice(at, range.start) + note;
    at = range.end;
  }
  return noted + text.slice(at, via.range.end);
}

interface Note {
  readonly range: Range;
  readonly text: string;
}

/** In the order of the text. */
function sourceNotes(via: Via, from: Endpoint): Note[] {
  const address = formatAddress(from.address, 0, from.address.length);
  const rport = via.parameters.get('rport');
  const received = via.parameters.get('received');
  if (received === undefined && rport === undefined && sameHost(via.host, address)) return [];
  const end = { start: via.range.end, end: via.range.end };
  const host = { range: received ?? end, text: `;received=${address}` };
  if (rport === undefined) return [host];
  const port = { range: rport, text: `;rport=${from.port}` };
  return rport.start < host.range.start ? [port, host] : [host, port];
}

/** One hop less. The caller has checked that there is one (`checkRequest`). */
export function lowerMaxForwards(edit: Edit): void {
  const { message } = edit;
  const field = firstField(message.fields, 'max-forwards');
  const left = message.type === 'request' ? hopsLeft(message) : undefined;
  if (field === undefined || left === undefined) {
    edit.addFieldAbove('max-forwards', `Max-Forwards: ${FIRST_MAX_FORWARDS}`);
  } else {
    edit.replace({ start: field.valueStart, end: field.valueEnd }, String(left - 1));
  }
}

function hostPort(sentBy: SentBy): string {
  const port = sentBy.port === undefined ? '' : `:${sentBy.port}`;
  return `${hostText(sentBy.host)}${port}`;
}
