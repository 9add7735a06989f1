/**
 * A response that this element gives itself (RFC 3261 clause 8.2.6): Via, From, To, Call-ID and CSeq are
 * the octets of the request.
 */
import type { Refusal } from './check.ts';
import { tagOf } from './identity.ts';
import { octetsOf, type Request } from './message.ts';

const COPIED: ReadonlySet<string> = new Set(['via', 'from', 'to', 'call-id', 'cseq']);
const RECEIVED = /[\r\n]/g;

/**
 * Undefined for ACK, which is never answered. `toTag` must be the same for a retransmission (clause
 * 8.2.7); it is written unless To has a tag. The request should carry what `noteSource` writes.
 */
export function respond(request: Request, answer: Refusal, toTag: string): Uint8Array | undefined {
  if (request.method === 'ACK') return undefined;
  const tagged = tagOf(request, 'to') !== '';
  const copied = request.fields
    .filter((field) => COPIED.has(field.key))
    .map((field) => {
      const text = request.text.slice(field.start, field.end - 2);
      return field.key === 'to' && !tagged ? `${text};tag=${toTag}` : text;
    });
  const reason = answer.reason.replace(RECEIVED, ' ');
  const lines = [`SIP/2.0 ${answer.status} ${reason}`, ...copied, ...answer.fields];
  return octetsOf(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
}
