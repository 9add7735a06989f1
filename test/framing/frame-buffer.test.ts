import test from 'ava';
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { CHANNELS } from '../../framing/framing.ts';
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import { FAULTS } from '../../wire/faults.ts';

/** RFC 8445 clause 11 keep-alive: a Binding indication with FINGERPRINT (standards B5). */
const INDICATION = Buffer.from('001100082112a442b7e7a701bc34d686fa87dfae80280004eeb49508', 'hex');

test('[B4] a whole record is handed out in the chunk itself', (t) => {
  const chunk = Buffer.concat([INDICATION, INDICATION]);
  const buffer = new FrameBuffer(innerIp);
  buffer.append(chunk, 0, chunk.length);
  t.true(buffer.next());
  t.is(buffer.bytes, chunk);
  t.deepEqual([buffer.start, buffer.end, buffer.channel], [0, 28, CHANNELS.CONTROL]);
  t.true(buffer.next());
  t.deepEqual([buffer.start, buffer.end], [28, 56]);
  t.false(buffer.next());
  t.is(buffer.capacity, 0);
  t.is(buffer.fault, 0);
});

test('after a fault nothing is kept and nothing handed out', (t) => {
  const chunk = Buffer.concat([INDICATION, Buffer.from([0xff]), INDICATION]);
  const buffer = new FrameBuffer(innerIp);
  buffer.append(chunk, 0, chunk.length);
  t.true(buffer.next());
  t.false(buffer.next());
  t.is(buffer.fault, FAULTS.FRAME_UNKNOWN);
  buffer.append(INDICATION, 0, INDICATION.length);
  t.false(buffer.next());
  t.is(buffer.held, 0);
});
