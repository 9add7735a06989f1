/**
 * Phones that are gone without a word: one that crashed in a call sends no BYE, and gets none as long as
 * the other end goes on talking to nobody. A phone is there as long as it says something by SIP, whatever
 * it is, or sends media. One that is registered says something before its registration runs out (RFC 3261
 * clause 10.2.4). Of others less is known: who is on hold may send neither RTP nor RTCP for long.
 *
 * Memory: MAX_PHONES phones; the one that was silent longest goes, and is like one that is not registered.
 */
import { type Peer, peerKey } from './phones.ts';

/** As long as rtpengine lets a call be silent by default (silent-timeout). */
export const SILENT_MS = 3_600_000;
/** What a phone that registers again may be late by: its transaction takes 32 s to fail. */
export const LATE_MS = 60_000;
export const MAX_PHONES = 256;

const MS_PER_S = 1_000;

interface Known {
  readonly peer: Peer;
  heardMs: number;
  /** It will not be silent for longer. */
  silentMs: number;
  registeredUntilMs: number;
}

export class Silence {
  /** The one that was silent longest at the front. */
  readonly #phones = new Map<string, Known>();

  heard(peer: Peer, now: number): void {
    const key = peerKey(peer);
    const known = this.#phones.get(key) ?? {
      ...{ peer, heardMs: now, silentMs: SILENT_MS },
      registeredUntilMs: Number.NEGATIVE_INFINITY,
    };
    known.heardMs = now;
    this.#phones.delete(key);
    this.#phones.set(key, known);
    if (this.#phones.size <= MAX_PHONES) return;
    const [oldest = ''] = this.#phones.keys();
    this.#phones.delete(oldest);
  }

  /** For so many seconds; 0: not any more. */
  registered(peer: Peer, seconds: number, now: number): void {
    const known = this.#phones.get(peerKey(peer));
    if (known === undefined) return;
    known.registeredUntilMs = now + seconds * MS_PER_S;
    const within = seconds === 0 ? SILENT_MS : seconds * MS_PER_S + LATE_MS;
    known.silentMs = Math.min(within, SILENT_MS);
  }

  /** Whether a phone is registered by this connection. */
  isRegistered(conn: number, now: number): boolean {
    return [...this.#phones.values()].some(({ peer, registeredUntilMs }) => {
      return peer.transport === 'TCP' && peer.conn === conn && registeredUntilMs > now;
    });
  }

  /** A connection is gone; its phone may go on by another. */
  forget(conn: number): void {
    for (const [key, { peer }] of this.#phones) {
      if (peer.transport === 'TCP' && peer.conn === conn) this.#phones.delete(key);
    }
  }

  /** When a phone that showed itself last in its call, or by its media, at `seenMs` is taken to be gone. */
  goneAtMs(peer: Peer | undefined, seenMs: number): number {
    const known = peer && this.#phones.get(peerKey(peer));
    if (known === undefined) return seenMs + SILENT_MS;
    return Math.max(seenMs, known.heardMs) + known.silentMs;
  }
}
