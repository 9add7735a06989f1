/**
 * The media of simulated calls: what a G.711 telephone sends. Every octet of a packet follows from its
 * stream and its number, so the receiver can tell a whole packet from a changed one without having
 * seen it.
 *
 *   RTP  (RFC 3550 5.1)    12 octets of header + 160 of payload each 20 ms
 *   RTCP (RFC 3550 6.4.1)  a sender report without report blocks each second
 */
import { equal, setU8, setU16, setU32, u8, u16, u32 } from '../../wire/bytes.ts';

export const CLOCK_RATE = 8_000;
export const PACKET_MS = 20;
const TICKS_PER_PACKET = (CLOCK_RATE * PACKET_MS) / 1_000;
const RTP_HEADER_LEN = 12;
const PAYLOAD_LEN = 160;
export const RTP_LEN = RTP_HEADER_LEN + PAYLOAD_LEN;
export const SR_LEN = 28;

/** Version 2, no padding, extension or contributors; payload type 0, PCMU. */
const RTP_FIRST = 0x80;
const PCMU = 0;
/** RTCP packet type 200, length in 32-bit words minus one. */
const SR_TYPE = 200;
const SR_WORDS = SR_LEN / 4 - 1;

/** Seconds from 1900, where NTP begins, to 1970 (RFC 868). */
const NTP_OF_1970 = 2_208_988_800;

/** What the packets of one stream have in common. First numbers are random (RFC 3550 5.1). */
export interface StreamPlan {
  readonly ssrc: number;
  readonly firstSeq: number;
  readonly firstTimestamp: number;
  /** When its first packet is sent, milliseconds since 1970. */
  readonly startMs: number;
}

/** Writes RTP packet `n` of the stream, from 0, at the start of `out`. */
export function writeRtp(out: Uint8Array, plan: StreamPlan, n: number): void {
  setU8(out, 0, RTP_FIRST);
  setU8(out, 1, PCMU);
  setU16(out, 2, plan.firstSeq + n);
  setU32(out, 4, plan.firstTimestamp + n * TICKS_PER_PACKET);
  setU32(out, 8, plan.ssrc);
  fillPayload(out, plan.ssrc, n);
}

/** Writes the sender report that goes with RTP packet `n`, which is not counted in it. */
export function writeSr(out: Uint8Array, plan: StreamPlan, n: number): void {
  const atMs = plan.startMs + n * PACKET_MS;
  const seconds = Math.floor(atMs / 1_000);
  setU8(out, 0, RTP_FIRST);
  setU8(out, 1, SR_TYPE);
  setU16(out, 2, SR_WORDS);
  setU32(out, 4, plan.ssrc);
  setU32(out, 8, seconds + NTP_OF_1970);
  setU32(out, 12, Math.floor((atMs / 1_000 - seconds) * 2 ** 32));
  setU32(out, 16, plan.firstTimestamp + n * TICKS_PER_PACKET);
  setU32(out, 20, n);
  setU32(out, 24, n * PAYLOAD_LEN);
}

/** Checks received packets of one stream against what was sent. */
export class MediaCheck {
  readonly #plan: StreamPlan;
  readonly #expected = new Uint8Array(RTP_LEN);

  constructor(plan: StreamPlan) {
    this.#plan = plan;
  }

  /**
   * The number of a whole RTP packet near number `about`, from which the wraps of the sequence number
   * follow; -1 when any octet of it is not as it was sent.
   */
  rtp(b: Uint8Array, about: number): number {
    if (b.length !== RTP_LEN) return -1;
    // Sign-extended from 16 bits: the nearest number, on either side.
    const n = about + (((u16(b, 2) - this.#plan.firstSeq - about) << 16) >> 16);
    if (n < 0) return -1;
    writeRtp(this.#expected, this.#plan, n);
    return equal(b, 0, this.#expected, 0, RTP_LEN) ? n : -1;
  }

  /** Whether a sender report is as it was sent. */
  sr(b: Uint8Array): boolean {
    if (b.length !== SR_LEN || u8(b, 1) !== SR_TYPE) return false;
    writeSr(this.#expected, this.#plan, u32(b, 20));
    return equal(b, 0, this.#expected, 0, SR_LEN);
  }
}

/** A xorshift generator (Marsaglia 2003) seeded by stream and number. */
function fillPayload(out: Uint8Array, ssrc: number, n: number): void {
  let state = (ssrc ^ Math.imul(n + 1, 0x9e37_79b1)) | 1;
  for (let at = RTP_HEADER_LEN; at < RTP_LEN; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    setU32(out, at, state);
  }
}
