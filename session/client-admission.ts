/**
 * Whether a success to an opening request lets TEP-C in (tep-wire 3 and 8): it has to come from a TEP-S,
 * from one that asked who we are where we have credentials, and on a joining connection from the one
 * that has our tunnel.
 */
import { equal } from '../wire/bytes.ts';
import type { StunMessage } from '../wire/stun/message.ts';
import { type Admission, admissionOf, TOKEN_LEN } from './messages.ts';
import type { ClientPolicy } from './options.ts';
import type { RefusedWhy } from './outputs.ts';

export type AdmissionVerdict =
  | { readonly type: 'admit'; readonly admission: Admission }
  | { readonly type: 'turn-away'; readonly why: RefusedWhy; readonly reason: string }
  /** Another tunnel than the one that was to be joined. */
  | { readonly type: 'foreign' };

export interface Opening {
  /** Whether the request was signed. */
  readonly isSigned: boolean;
  readonly mechanism: ClientPolicy['auth']['mechanism'];
  /** The token of the tunnel that was to be joined or resumed. */
  readonly token: Uint8Array | undefined;
}

export function judgeAdmission(message: StunMessage, opening: Opening): AdmissionVerdict {
  const { isSigned, mechanism, token } = opening;
  const admission = admissionOf(message);
  if (typeof admission === 'string') {
    return { type: 'turn-away', why: 'not-tep-s', reason: admission };
  }
  if (!isSigned && mechanism !== 'none') {
    const reason = 'TEP-S did not ask for credentials';
    return { type: 'turn-away', why: 'untrusted', reason };
  }
  const isForeign = token !== undefined && !equal(token, 0, admission.token, 0, TOKEN_LEN);
  return isForeign ? { type: 'foreign' } : { type: 'admit', admission };
}
