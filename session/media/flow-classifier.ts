/**
 * Which class a packet of one flow belongs to. A flow is what one binding carries: audio and video may
 * share it (RFC 8843), so RTP is told apart by payload type. Static types are known (RFC 3551 6); a
 * dynamic one is judged by what it does: video comes in long packets, several of one RTP timestamp,
 * which stay readable in SRTP. Where the description of the call says what the flow carries, that counts.
 *
 * Memory: nothing until a dynamic payload type is seen, then 128 octets.
 */
import { u8, u32 } from '../../wire/bytes.ts';
import { PAYLOADS, payloadKind } from '../../wire/multiplex.ts';
import type { PacketView } from '../../wire/packet.ts';
import * as rtp from '../../wire/rtp.ts';
import { MAGIC_COOKIE } from '../../wire/stun/registry.ts';
import * as udp from '../../wire/udp.ts';
import { MEDIA_CLASSES, type MediaClass } from './classes.ts';

/** RFC 3551 table 5 and MP2T of table 4: CelB, JPEG, nv, H261, MPV, MP2T, H263. */
const STATIC_VIDEO: ReadonlySet<number> = new Set([25, 26, 28, 31, 32, 33, 34]);
const FIRST_DYNAMIC = 35;
const PAYLOAD_TYPES = 128;

/** No packet of 60 ms of speech is as long. */
const LONG_LEN = 700;
/** The last piece of a frame may be short; telephone events of one timestamp (RFC 4733) are shorter. */
const PIECE_LEN = 250;
const LIKE_VIDEO = 3;
const MOST_SCORE = 30;

const COOKIE_AT = 4;
const STUN_HEADER_LEN = 20;
/** change_cipher_spec, alert, handshake: what makes keys. Above is what they protect (RFC 9147 4). */
const LAST_DTLS_HANDSHAKE = 22;

export class FlowClassifier {
  /** What all RTP of the flow is; undefined: not known. */
  declared: MediaClass | undefined;
  /** By payload type: above 0 is video. */
  #scores: Int8Array | undefined;
  #lastTimestamp = -1;

  classOf(b: Uint8Array, view: PacketView): MediaClass {
    if (view.protocol !== udp.PROTOCOL) return MEDIA_CLASSES.OTHER;
    const { payload, payloadEnd } = view;
    switch (payloadKind(b, payload, payloadEnd)) {
      case PAYLOADS.RTP:
        return this.#rtpClass(b, payload, payloadEnd);
      case PAYLOADS.RTCP:
        return MEDIA_CLASSES.RTCP;
      case PAYLOADS.STUN:
        return isStun(b, payload, payloadEnd) ? MEDIA_CLASSES.STUN : MEDIA_CLASSES.OTHER;
      case PAYLOADS.DTLS:
        return u8(b, payload) <= LAST_DTLS_HANDSHAKE ? MEDIA_CLASSES.STUN : MEDIA_CLASSES.OTHER;
      case PAYLOADS.ZRTP:
        return MEDIA_CLASSES.STUN;
      default:
        return MEDIA_CLASSES.OTHER;
    }
  }

  #rtpClass(b: Uint8Array, at: number, end: number): MediaClass {
    if (end - at < rtp.MIN_HEADER_LEN) return MEDIA_CLASSES.OTHER;
    if (this.declared !== undefined) return this.declared;
    const type = rtp.payloadType(b, at);
    if (type >= FIRST_DYNAMIC) return this.#dynamicClass(type, rtp.timestamp(b, at), end - at);
    return STATIC_VIDEO.has(type) ? MEDIA_CLASSES.VIDEO : MEDIA_CLASSES.AUDIO;
  }

  #dynamicClass(type: number, timestamp: number, length: number): MediaClass {
    this.#scores ??= new Int8Array(PAYLOAD_TYPES);
    const isPiece = length >= PIECE_LEN && timestamp === this.#lastTimestamp;
    this.#lastTimestamp = timestamp;
    const before = this.#scores[type] ?? 0;
    const score = length >= LONG_LEN || isPiece ? before + LIKE_VIDEO : before - 1;
    this.#scores[type] = Math.max(-MOST_SCORE, Math.min(MOST_SCORE, score));
    return score > 0 ? MEDIA_CLASSES.VIDEO : MEDIA_CLASSES.AUDIO;
  }
}

/** By its cookie: the first octet alone is that of many other things (RFC 8489 5). */
function isStun(b: Uint8Array, at: number, end: number): boolean {
  return end - at >= STUN_HEADER_LEN && u32(b, at + COOKIE_AT) === MAGIC_COOKIE;
}
