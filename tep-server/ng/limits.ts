/** What several ways of the ng protocol have in common. */
import { MAX_VALUE_LEN } from '../../framing/ng/bencode.ts';
import { MAX_COOKIE_LEN } from '../../framing/ng/message.ts';

/** The longest message. */
export const MAX_BODY_LEN = MAX_COOKIE_LEN + 1 + MAX_VALUE_LEN;
