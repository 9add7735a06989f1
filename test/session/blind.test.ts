/**
 * TEP-C where the system tells nothing of its connections and would take megabytes: what is under way goes by the
 * answers of TEP-S (G-25; tep-wire 7).
 */
import test from 'ava';
import { endpoint } from '../sim/sides.ts';
import type { Sent } from '../sim/traffic.ts';
import { GATEWAY, newClient, newPair, RTP } from './scenario.ts';

const VIDEO = endpoint('10.0.0.2:5000');
const AUDIO_TYPE = 0;
const VIDEO_TYPE = 34;
const AUDIO_MS = 20;
const FRAME_MS = 40;
const VIDEO_LEN = 1_000;
/** What a system without limits takes. */
const DEEP = 4 * 1024 * 1024;

interface Said {
  readonly audio: readonly Sent[];
  readonly video: readonly Sent[];
  /** The most that the system held, of after the first second. */
  readonly heldMs: number;
  readonly kbit: number;
  /** Of all octets, the share of questions. */
  readonly asking: number;
}

/** A call, and video of `videoKbit` beside it, over a link of `kbit`. */
function call(kbit: number, videoKbit: number, ms: number): Said {
  const octetsPerMs = kbit / 8;
  const pair = newPair({ seed: 1, link: { delayMs: 20, octetsPerMs, windowOctets: DEEP } });
  const alice = newClient(pair);
  alice.bind(RTP);
  alice.bind(VIDEO);
  pair.clock.runFor(2_000);
  const up = alice.up()[0]?.link.up;
  const { sentOctets } = alice.end.counters;
  const written = up?.written ?? 0;
  const audio: Sent[] = [];
  const video: Sent[] = [];
  const began = pair.clock.now;
  const pieces = Math.round((videoKbit * FRAME_MS) / 8 / VIDEO_LEN);
  let held = 0;
  for (let at = 0; at < ms; at += AUDIO_MS) {
    const rtp = { type: AUDIO_TYPE, timestamp: 8 * at };
    audio.push(pair.uplink(alice, RTP, GATEWAY, 172, rtp));
    for (let i = 0; at % FRAME_MS === 0 && i < pieces; i++) {
      const piece = { type: VIDEO_TYPE, timestamp: 90 * at };
      video.push(pair.uplink(alice, VIDEO, GATEWAY, VIDEO_LEN, piece));
    }
    if (at > 1_000) held = Math.max(held, (up?.written ?? 0) - (up?.arrived ?? 0));
    pair.clock.runFor(AUDIO_MS);
  }
  const arrived = (up?.arrived ?? 0) / (pair.clock.now - began);
  pair.clock.runFor(10_000);
  const all = (up?.written ?? 0) - written;
  const asking = 1 - (alice.end.counters.sentOctets - sentOctets) / all;
  return { audio, video, heldMs: held / octetsPerMs, kbit: 8 * arrived, asking };
}

function delays(sent: readonly Sent[]): number[] {
  const came = sent.filter(({ deliveredBy }) => deliveredBy >= 0);
  return came.map((s) => s.deliveredMs - s.sentMs).toSorted((a, b) => a - b);
}

for (const [kbit, videoKbit] of [
  [700, 2_000],
  [1_500, 2_000],
  [3_000, 5_000],
] as const) {
  test(`[G-25] video of ${videoKbit} kbit/s over ${kbit}: little is under way, audio beside it in time`, (t) => {
    const said = call(kbit, videoKbit, 15_000);
    t.true(said.heldMs < 150, `${said.heldMs} ms`);
    t.true(said.kbit > 0.9 * kbit, `${said.kbit} kbit/s`);
    const settled = delays(said.audio.slice(50));
    t.is(settled.length, said.audio.length - 50, 'no audio was lost');
    t.true((settled.at(-1) ?? 0) < 150, `${settled.at(-1)} ms`);
    // What may wait for 300 ms with us, and then the way.
    const latest = delays(said.video).at(-1) ?? 0;
    t.true(latest < 300 + 200, `${latest} ms`);
  });
}

test('[G-25] what the link carries easily is not held back, and little is asked about it', (t) => {
  const { audio, video, asking } = call(20_000, 1_000, 10_000);
  for (const sent of [audio, video]) {
    t.is(delays(sent).length, sent.length);
    t.true((delays(sent).at(-1) ?? 0) < 40);
  }
  t.true(asking > 0 && asking < 0.05, `${asking}`);
});
