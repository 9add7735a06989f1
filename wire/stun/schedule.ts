/** When a request is sent again, and when it is given up: RFC 8489 6.2.1 (UDP) and 6.2.2 (TCP, TLS). */

/** First retransmission timeout of UDP; it doubles with each retransmission. */
const RTO_MS = 500;
/** Rc: how often a request is sent over UDP. */
const SENDS = 7;
/** Rm: the wait after the last one, in RTOs. */
const LAST_WAIT = 16;
/** Ti: how long an answer over TCP or TLS may take, where nothing is sent again. */
export const STREAM_TIMEOUT_MS = 39_500;

/** Over UDP, in milliseconds after the first sending: of each sending, and of the failure. */
export const DATAGRAM_SENDS_MS: readonly number[] = Array.from(
  { length: SENDS },
  (_, n) => (2 ** n - 1) * RTO_MS,
);
export const DATAGRAM_FAILURE_MS = (2 ** (SENDS - 1) - 1 + LAST_WAIT) * RTO_MS;
