/**
 * What a UDP payload is, when several protocols share one port: by its first octet (RFC 7983 section
 * 7), and RTP from RTCP by the second (RFC 5761 section 4).
 *      0…3 STUN · 16…19 ZRTP · 20…63 DTLS · 64…79 TURN channel · 128…191 RTP or RTCP
 */
import { u8 } from './bytes.ts';

export const PAYLOADS = {
  OTHER: 0,
  STUN: 1,
  ZRTP: 2,
  DTLS: 3,
  TURN_CHANNEL: 4,
  RTP: 5,
  RTCP: 6,
} as const;
export type PayloadKind = (typeof PAYLOADS)[keyof typeof PAYLOADS];

/** RTCP packet types (RFC 5761): as RTP these would be payload types 64…95, which are kept free. */
const FIRST_RTCP = 192;
const LAST_RTCP = 223;

export function payloadKind(b: Uint8Array, at: number, end: number): PayloadKind {
  if (at >= end) return PAYLOADS.OTHER;
  const first = u8(b, at);
  if (first >= 128 && first <= 191) return looksLikeRtcp(b, at, end) ? PAYLOADS.RTCP : PAYLOADS.RTP;
  if (first <= 3) return PAYLOADS.STUN;
  if (first >= 20 && first <= 63) return PAYLOADS.DTLS;
  if (first >= 64 && first <= 79) return PAYLOADS.TURN_CHANNEL;
  return first >= 16 && first <= 19 ? PAYLOADS.ZRTP : PAYLOADS.OTHER;
}

function looksLikeRtcp(b: Uint8Array, at: number, end: number): boolean {
  if (end - at < 2) return false;
  const second = u8(b, at + 1);
  return second >= FIRST_RTCP && second <= LAST_RTCP;
}
