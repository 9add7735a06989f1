/**
 * The candidates of an m= line that goes through the tunnel (M-06, M-17; RFC 8839 clause 5.1):
 * - a candidate with a public address gets it, and a host candidate becomes srflx with related address
 *   "not told": so the default candidate stays equal to c= and m=, which ICE demands;
 * - one that is then there twice is left out;
 * - one with a private or loopback address that nobody can reach is removed, or kept when asked;
 * - others (public srflx and relay, names) stay, a private related address hidden.
 * Foundations and extensions stay.
 */
import type { Addresses } from './addresses.ts';
import type { Edit } from './edit.ts';
import {
  type CandidateFields,
  endpoint,
  hideRelated,
  readCandidate,
  writeCandidate,
} from './fields.ts';
import type { Line } from './lines.ts';
import { isLoopback, isPrivate } from './private.ts';
import type { Media, Transport } from './read.ts';

/** Type preferences of RFC 8445 clause 5.1.2.2 in the top octet of a priority. */
const SRFLX_PREFERENCE = 100 * 2 ** 24;

export interface Candidate {
  readonly line: Line;
  readonly fields: CandidateFields;
}

export function candidatesOf(m: Media): Candidate[] {
  const found: Candidate[] = [];
  for (const line of m.lines) {
    if (line.name !== 'candidate') continue;
    const fields = readCandidate(line.text);
    if (fields !== undefined) found.push({ line, fields });
  }
  return found;
}

export function publicOf({ address, port, transport }: CandidateFields, addresses: Addresses) {
  if (address === undefined) return undefined;
  const over: Transport = transport.startsWith('tcp') ? 'tcp' : 'udp';
  return addresses.endpoint(endpoint(address, port), over);
}

export function rewriteCandidates(
  edit: Edit,
  candidates: readonly Candidate[],
  addresses: Addresses,
  privateOnes: 'remove' | 'keep',
): void {
  const seen = new Set<string>();
  for (const { fields } of candidates) {
    if (publicOf(fields, addresses) === undefined)
      seen.add(whereOf(fields, fields.address?.address, fields.port));
  }
  for (const { line, fields } of candidates) {
    const text = rewrite(line.text, fields, addresses, privateOnes, seen);
    if (text === undefined) edit.remove(line);
    else edit.replace(line, text);
  }
}

/** The new line; undefined when it has to go. */
function rewrite(
  text: string,
  fields: CandidateFields,
  addresses: Addresses,
  privateOnes: 'remove' | 'keep',
  seen: Set<string>,
): string | undefined {
  const { address, kind, priority } = fields;
  const to = publicOf(fields, addresses);
  if (to !== undefined) {
    const host = kind === 'host';
    const changed = writeCandidate(text, {
      priority: host ? SRFLX_PREFERENCE + (priority % 2 ** 24) : priority,
      address: to,
      port: to.port,
      kind: host ? 'srflx' : kind,
    });
    const where = whereOf(fields, to.address, to.port);
    if (seen.has(where)) return undefined;
    seen.add(where);
    return hideRelated(changed, to.family);
  }
  const unreachable = address !== undefined && (isPrivate(address) || isLoopback(address));
  if (unreachable && privateOnes === 'remove') return undefined;
  const { relatedAddress: related } = fields;
  const leaks = related !== undefined && (isPrivate(related) || addresses.host(related));
  return leaks ? hideRelated(text, related.family) : text;
}

/** Two candidates of a component are one when this is equal (RFC 8445 clause 5.1.3). */
function whereOf(fields: CandidateFields, octets: Uint8Array | undefined, port: number): string {
  const host = octets === undefined ? fields.host : octets.join('.');
  return `${fields.component} ${fields.transport} ${host} ${port}`;
}
