/**
 * Names for the messages that bring an answer: by who sent the request, its method and number (RFC 3261
 * clause 12.2), or the reliable response that a PRACK is for (RFC 3262).
 */
import type { Ends } from './calls.ts';
import { tokensOf } from './check.ts';
import { callIdOf, cseqOf, tagOf } from './identity.ts';
import { header, type Message, type Response } from './message.ts';
import type { Side } from './negotiation.ts';

export function endsOf(requester: Side, message: Message): Ends {
  const [from, to] = [tagOf(message, 'from'), tagOf(message, 'to')];
  const [phoneTag, coreTag] = requester === 'phone' ? [from, to] : [to, from];
  return { callId: callIdOf(message), requester, phoneTag, coreTag };
}

/** The responses to a request of this side, method and number. */
export function keyOf(requester: Side, method: string, cseq: number): string {
  return `${requester} ${method} ${cseq}`;
}

export function ackKey(ends: Ends, response: Response): string {
  return keyOf(ends.requester, 'ACK', cseqOf(response)?.number ?? 0);
}

export function prackKey(ends: Ends, response: Response): string {
  const { number, method } = cseqOf(response) ?? { number: 0, method: '' };
  return rackKey(ends.requester, `${header(response, 'rseq') ?? ''} ${number} ${method}`);
}

export function rackKey(requester: Side, rack: string): string {
  return `${requester} rack ${rack.replace(/\s+/g, ' ')}`;
}

/** RFC 3262 clause 3. */
export function isReliable(response: Response): boolean {
  return header(response, 'rseq') !== undefined && tokensOf(response, 'require').includes('100rel');
}
