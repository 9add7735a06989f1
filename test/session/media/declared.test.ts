/** What a binding was said to carry is what its packets are counted as, and wait as (G-25). */
import test from 'ava';
import type { MediaKind } from '../../../sdp/media.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { Direct, endpoint } from '../direct.ts';

const UE = '10.0.0.5:4000';
const CORE = endpoint('198.51.100.9:5000');

/** Short packets of a dynamic type: speech, by what they look like. */
function says(d: Direct): void {
  const rtp = new Uint8Array(60);
  rtp.set([0x80, 96]);
  const b = new Uint8Array(rtp.length + 48);
  const end = writeUdpPacket(b, 0, endpoint(UE), CORE, rtp, 0, rtp.length);
  d.client.packet(b, 0, end, d.now);
  d.run();
}

function classes(d: Direct): (string | undefined)[] {
  return d.client.status().bindings[0]?.sending.map((lane) => lane.class) ?? [];
}

for (const [carries, expected] of [
  ['audio', 'audio'],
  ['video', 'video'],
  ['other', 'other'],
  [undefined, 'audio'],
] as const satisfies readonly (readonly [MediaKind | undefined, string])[]) {
  test(`[G-25] bound for ${carries ?? 'anything'}: ${expected}`, (t) => {
    const d = new Direct();
    d.bind(UE, { carries });
    says(d);
    t.deepEqual(classes(d), [expected]);
  });
}

test('[G-25] bound again for something else, or by its first packet before anybody said what it is', (t) => {
  const d = new Direct();
  d.bind(UE, { carries: 'video' });
  d.bind(UE, { carries: 'other' });
  says(d);
  t.deepEqual(classes(d), ['other']);
  d.bind(UE);
  says(d);
  t.deepEqual(classes(d), ['audio', 'other']);
});
