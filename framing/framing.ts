/**
 * What every framing is: one way to carry records on a byte stream. Implementations hold no state
 * between calls; `FrameBuffer` owns the reassembly for all of them.
 */

/** What a record carries. A framing that cannot tell kinds apart names only those that it has. */
export const CHANNELS = { CONTROL: 0, IP: 1 } as const;
export type Channel = (typeof CHANNELS)[keyof typeof CHANNELS];

export interface Framing {
  readonly name: 'inner-ip' | 'tscf' | 'ftt-ims' | 'tpkt' | 'turn';
  /** Longest whole record in octets, header included. */
  readonly maxFrame: number;
  /** With so many octets in sight, `frameSize` never answers 0 any more. */
  readonly maxHeader: number;
  /**
   * Looks at the octets [at, end) of a stream cut at a record boundary. Above 0: a record of that
   * many octets starts at `at` (they may not all be there yet). 0: need more to tell, but never when
   * a whole record is in sight. Below 0: minus a fault; the stream is lost.
   */
  frameSize(b: Uint8Array, at: number, end: number): number;
  /**
   * Which kind of record starts at `at`; asked only where an octet is in sight and `frameSize` was not
   * below 0. While it was 0: CONTROL, unless it can be told already that it is another.
   */
  channel(b: Uint8Array, at: number): Channel;
  /** Octets that `wrap` writes for a payload of `length` octets; 0 when it may not be carried. */
  wrappedSize(channel: Channel, length: number): number;
  /**
   * Writes one record to `out` at `outAt`; gives the octets written. 0, and nothing written: the
   * payload would not arrive as the one record that it is.
   */
  wrap(
    channel: Channel,
    payload: Uint8Array,
    at: number,
    end: number,
    out: Uint8Array,
    outAt: number,
  ): number;
}
