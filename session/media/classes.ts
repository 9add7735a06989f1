/**
 * What kinds of packets wait apart from each other, most important first, and how long each kind may
 * wait at most: what comes later is of no use to its receiver any more (TR 33.830 4.9, G-25).
 */
import type { MediaKind } from '../../sdp/media.ts';

export const MEDIA_CLASSES = { STUN: 0, RTCP: 1, AUDIO: 2, VIDEO: 3, OTHER: 4 } as const;
export type MediaClass = (typeof MEDIA_CLASSES)[keyof typeof MEDIA_CLASSES];

/** The words for status and documentation, by class. */
export const CLASS_NAMES = ['stun', 'rtcp', 'audio', 'video', 'other'] as const;

/** Of RTP of which somebody has said what it is. */
export const KIND_CLASSES: Readonly<Record<MediaKind, MediaClass>> = {
  audio: MEDIA_CLASSES.AUDIO,
  video: MEDIA_CLASSES.VIDEO,
  other: MEDIA_CLASSES.OTHER,
};

/** In milliseconds, by class. */
export type Deadlines = readonly [number, number, number, number, number];

/**
 * STUN is repeated after 500 ms by who asks (RFC 8489 6.2.1), a report that is older tells nothing new.
 * Audio: one-way delay above 150 ms hurts a conversation (ITU-T G.114). Video: a late frame still serves
 * as reference for the next. Other: what TCP inside has not got by then it has sent again (RFC 6298).
 */
export const DEADLINES_MS: Deadlines = [500, 500, 150, 300, 2_000];
