/**
 * Branches of a proxy that keeps no transactions (RFC 3261 clause 16.11): the same for a request, its
 * retransmissions, its CANCEL and the ACK to its failure, unlike for any two other requests. The second
 * part shows loops (clause 16.6 item 8 as RFC 5393 clause 4.2 has it): it depends on all that decides
 * where a request goes, and on nothing that changes from hop to hop, nor between INVITE and its ACK.
 */
import { Buffer } from 'node:buffer';
import * as crypto from 'node:crypto';
import { isOurs, type SentBy } from './hop.ts';
import { callIdOf, cseqOf, tagOf } from './identity.ts';
import { latin1, octetsOf, type Request } from './message.ts';
import { listOf } from './name-addr.ts';
import { branchOf, MAGIC_COOKIE, topVia, vias } from './via.ts';

/** Hexadecimal digits of each part: 80 bits. */
const PART_LEN = 20;

/** `key` is the element's own secret, so that nobody else can make a branch of ours. */
export function statelessBranch(request: Request, key: Uint8Array): string {
  const via = topVia(request);
  const received = via === undefined ? '' : branchOf(via);
  // The cookie alone tells nothing apart (RFC 4475 clause 3.2.1).
  const isUnique = received.startsWith(MAGIC_COOKIE) && received !== MAGIC_COOKIE;
  const seen = isUnique
    ? [received, via?.host ?? '', String(via?.port ?? '')]
    : [viaText(request), ...callOf(request), request.uri];
  return `${MAGIC_COOKIE}${hash(key, seen)}.${routePart(request, key)}`;
}

/** For a request that this element sends of its own: `random` makes it unique. */
export function randomBranch(random: Uint8Array): string {
  return MAGIC_COOKIE + Buffer.from(random).toString('hex');
}

/** Whether the request was here before and would go the same way again: 482 Loop Detected. */
export function isLoop(request: Request, sentBy: readonly SentBy[], key: Uint8Array): boolean {
  const own = (vias(request) ?? []).filter((via) => sentBy.some((by) => isOurs(via, by)));
  if (own.length === 0) return false;
  const part = `.${routePart(request, key)}`;
  return own.some((via) => branchOf(via).endsWith(part));
}

function routePart(request: Request, key: Uint8Array): string {
  const ranges = listOf(request, 'route') ?? [];
  const routes = ranges.map((range) => request.text.slice(range.start, range.end));
  return hash(key, [request.uri, ...callOf(request), ...routes]);
}

/** Not the To tag: the ACK to a failure has one, its INVITE may have none. */
function callOf(request: Request): string[] {
  return [callIdOf(request), tagOf(request, 'from'), String(cseqOf(request)?.number ?? '')];
}

function viaText(request: Request): string {
  const via = topVia(request);
  return via === undefined ? '' : request.text.slice(via.range.start, via.range.end);
}

/**
 * The key before the words does what HMAC would, for half the time and no object: to go on from somebody else's
 * hash one needs all of it, and a third is shown.
 */
function hash(key: Uint8Array, words: readonly string[]): string {
  let text = latin1(key, 0, key.length);
  for (const word of words) text += `${word.length}:${word}`;
  return crypto.hash('sha256', octetsOf(text), 'hex').slice(0, PART_LEN);
}
