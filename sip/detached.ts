/**
 * A text of its own. A part of a text keeps all of it in memory (V8): what is kept longer than its message is
 * detached from it, or a name of twenty octets holds 64 KiB.
 */
import { latin1, octetsOf } from './message.ts';

export function detached(text: string): string {
  const octets = octetsOf(text);
  return latin1(octets, 0, octets.length);
}
