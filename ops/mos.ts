/**
 * Speech quality from delay and loss: the E-model (ITU-T G.107) at its default values, as monitors of
 * IP telephony use it.
 *
 *    R = 93.2 − Id − Ie,eff        (G.107 clause 7.1; Ro − Is = 93.2 and A = 0 at the defaults)
 *
 * Id is the piecewise linear fit of Cole and Rosenbluth (ACM CCR 31(2), 2001) to G.107 clauses
 * 7.4 at the default loudness ratings: `0.024 d + 0.11 (d − 177.3)` for `d` above 177.3 ms.
 */

/** R of a call with no delay, no loss and G.711. */
const R_BEST = 93.2;

export interface Codec {
  /** Equipment impairment without loss, `Ie` of G.113 appendix I. */
  readonly impairment: number;
  /** Robustness against random loss, `Bpl` of G.113 appendix I. */
  readonly robustness: number;
}

/** G.711 with the packet loss concealment of its appendix I, which telephones have. */
export const G711: Codec = { impairment: 0, robustness: 25.1 };
/** G.723.1 at 6.3 kbit/s, with VAD. */
export const G723: Codec = { impairment: 15, robustness: 16.1 };
/** G.729A, with VAD. */
export const G729: Codec = { impairment: 11, robustness: 19 };

/** Delay from mouth to ear at which conversation begins to suffer, ms. */
const DELAY_KNEE_MS = 177.3;

/**
 * Rating factor R, 0 to 93.2. Delay from mouth to ear in ms, one way; loss as a ratio, 0 to 1.
 * `burstRatio`: how long gaps are on average, in units of what they would be with random loss; at least 1.
 */
export function rating(codec: Codec, delayMs: number, loss: number, burstRatio = 1): number {
  if (!(delayMs >= 0) || !(loss >= 0 && loss <= 1) || !(burstRatio >= 1))
    throw new RangeError('delay, loss or burst ratio impossible');
  const impairment = effectiveImpairment(codec, loss, burstRatio);
  const r = R_BEST - delayImpairment(delayMs) - impairment;
  return Math.max(0, r);
}

/** Mean opinion score of a conversation, 1 to 4.5 (G.107 annex B, equation B-4). */
export function mosOfRating(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

export function mos(codec: Codec, delayMs: number, loss: number, burstRatio = 1): number {
  return mosOfRating(rating(codec, delayMs, loss, burstRatio));
}

/** `BurstR` of G.107 3.5: the mean length of a gap, over the one of random loss, which is 1 / (1 − loss). */
export function burstRatio(lost: number, gaps: number, loss: number): number {
  return gaps === 0 ? 1 : Math.max(1, (lost / gaps) * (1 - loss));
}

function delayImpairment(delayMs: number): number {
  return 0.024 * delayMs + 0.11 * Math.max(0, delayMs - DELAY_KNEE_MS);
}

/** `Ie,eff`, G.107 equation 7-29; loss there is in per cent. */
function effectiveImpairment(codec: Codec, loss: number, burst: number): number {
  const percent = 100 * loss;
  const { impairment, robustness } = codec;
  return impairment + ((95 - impairment) * percent) / (percent / burst + robustness);
}
