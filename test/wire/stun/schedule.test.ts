import test from 'ava';
import {
  DATAGRAM_FAILURE_MS,
  DATAGRAM_SENDS_MS,
  STREAM_TIMEOUT_MS,
} from '../../../wire/stun/schedule.ts';

test('[B5] RTO 500, Rc 7, Rm 16 give the times of RFC 8489 6.2.1', (t) => {
  t.deepEqual(DATAGRAM_SENDS_MS, [0, 500, 1500, 3500, 7500, 15500, 31500]);
  t.is(DATAGRAM_FAILURE_MS, 39_500);
});

test('[B5] over TCP it is given up after Ti, as late as over UDP', (t) => {
  t.is(STREAM_TIMEOUT_MS, DATAGRAM_FAILURE_MS);
});
