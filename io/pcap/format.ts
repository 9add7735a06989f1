/**
 * What the readers of the two capture formats have in common: the record they give, the fault they
 * end with, and the contract by which `read.ts` feeds them.
 */
import type { Buffer } from 'node:buffer';

/** One captured packet. */
export interface PacketRecord {
  /** Time of capture: whole seconds since 1970, and nanoseconds 0…999,999,999 within the second. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** LINKTYPE_ number of the link header that the octets begin with. */
  readonly linkType: number;
  /** Length on the wire; above `end - at` when the capture kept only the beginning. */
  readonly originalLength: number;
  /** The captured octets are [at, end) of `b`, valid until the next batch is asked for. */
  readonly b: Uint8Array;
  readonly at: number;
  readonly end: number;
}

export type CaptureFaultKind = 'unreadable' | 'empty' | 'unsupported' | 'truncated' | 'corrupt';

/** Why reading ended before the end of the file. */
export interface CaptureFault {
  readonly kind: CaptureFaultKind;
  readonly file: string;
  /** Octet of the file where the record begins that could not be read. */
  readonly offset: number;
  readonly reason: string;
}

/** A fault as the formats give it: `at` is an offset in the buffer they were given. */
export interface FormatFault {
  readonly kind: CaptureFaultKind;
  readonly at: number;
  readonly reason: string;
}

/** One file format. It holds what the file said so far (byte order, interfaces), no packet octets. */
export interface CaptureFormat {
  /** Set once nothing more can be read. */
  readonly fault: FormatFault | undefined;
  /** Above 0: that many octets of a record were taken, and its last ones are still to come. */
  readonly openLength: number;
  /**
   * Reads whole records from [at, end), adds the packets to `records`, and gives the offset of the
   * first octet that it did not take. An offset above `end` means that the octets up to there are
   * of no interest and need not be read.
   */
  take(b: Buffer, at: number, end: number, records: PacketRecord[]): number;
}

/** Most octets of one packet; what libpcap and Wireshark take as the limit. */
export const MAX_CAPTURED_LEN = 262_144;

/** Most octets that a format may need at once: a packet, its headers and pcapng options. */
export const MAX_RECORD_LEN = MAX_CAPTURED_LEN + 65_536;

export const NS_PER_SECOND = 1_000_000_000;
