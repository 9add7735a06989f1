/**
 * Who keeps a flow alive, and how often (RFC 6223, RFC 5626 clause 4.4): `keep` in a Via is an offer to
 * the next hop, `keep=30` in the response its consent, `Flow-Timer` the wish of an edge proxy.
 */
import { header, type Response } from './message.ts';
import type { Via } from './via.ts';

/** Longer makes no sense: NATs and firewalls forget sooner. */
const MAX_SECONDS = 3_600;
const SECONDS = /^\d{1,10}$/;

/**
 * Consent in our own Via of a response: seconds between keep-alives at most, 0 = as we like. Undefined:
 * none, so that none are sent. Asked for anew at every registration (RFC 6223 clause 4.3).
 */
export function consentedKeep(via: Via): number | undefined {
  return seconds(via.parameters.get('keep')?.value);
}

/** Seconds after which the edge proxy gives the flow up (RFC 5626 clause 5.4). */
export function flowTimer(response: Response): number | undefined {
  const value = seconds(header(response, 'flow-timer'));
  return value === 0 ? undefined : value;
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && SECONDS.test(text) ? Math.min(Number(text), MAX_SECONDS) : undefined;
}
