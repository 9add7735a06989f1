/**
 * Time stamps of pcapng: a 64-bit count of ticks whose length and zero each interface tells in the
 * options of its description block (draft-ietf-opsawg-pcapng, sections 4.2 and 3.5).
 *
 *   option  code(2) length(2) value, padded to 4; code 0 ends the list
 */
import type { Buffer } from 'node:buffer';
import { NS_PER_SECOND } from './format.ts';

const OPTION_HEADER_LEN = 4;
const OPTION_END = 0;
/** One octet: the tick is 10^-n seconds, or 2^-n when the first bit is set. */
const OPTION_IF_TSRESOL = 9;
/** Eight octets, signed: seconds to add. */
const OPTION_IF_TSOFFSET = 14;

const POWER_OF_TWO = 0x80;
const TWO_TO_32 = 0x1_0000_0000;

export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Clock {
  /** The time for a count of ticks given as two halves of 32 bits. */
  read(high: number, low: number): Time;
}

/** What holds without if_tsresol: microseconds. Numbers are exact here, so no bigint is made. */
const MICROSECOND_CLOCK: Clock = {
  read(high, low) {
    const ticks = high * TWO_TO_32 + low;
    if (!Number.isSafeInteger(ticks)) return exactTime(high, low, 1_000_000n, 0n);
    return { seconds: Math.floor(ticks / 1_000_000), nanoseconds: (ticks % 1_000_000) * 1000 };
  },
};

/** The clock of an interface by the options in [at, end). Broken options end the list. */
export function readClock(b: Buffer, at: number, end: number, littleEndian: boolean): Clock {
  let ticksPerSecond = 1_000_000n;
  let offset = 0n;
  let from = at;
  while (end - from >= OPTION_HEADER_LEN) {
    const code = littleEndian ? b.readUInt16LE(from) : b.readUInt16BE(from);
    const length = littleEndian ? b.readUInt16LE(from + 2) : b.readUInt16BE(from + 2);
    const valueAt = from + OPTION_HEADER_LEN;
    if (code === OPTION_END || length > end - valueAt) break;
    if (code === OPTION_IF_TSRESOL && length === 1)
      ticksPerSecond = resolution(b.readUInt8(valueAt));
    if (code === OPTION_IF_TSOFFSET && length === 8) {
      offset = littleEndian ? b.readBigInt64LE(valueAt) : b.readBigInt64BE(valueAt);
    }
    from = valueAt + Math.ceil(length / 4) * 4;
  }
  if (ticksPerSecond === 1_000_000n && offset === 0n) return MICROSECOND_CLOCK;
  return { read: (high, low) => exactTime(high, low, ticksPerSecond, offset) };
}

function resolution(octet: number): bigint {
  const power = BigInt(octet & ~POWER_OF_TWO);
  return (octet & POWER_OF_TWO) === 0 ? 10n ** power : 2n ** power;
}

/** For every clock but the usual one: a 64-bit count of nanoseconds does not fit a number. */
function exactTime(high: number, low: number, ticksPerSecond: bigint, offset: bigint): Time {
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  const seconds = Number(ticks / ticksPerSecond + offset);
  const rest = ticks % ticksPerSecond;
  return { seconds, nanoseconds: Number((rest * BigInt(NS_PER_SECOND)) / ticksPerSecond) };
}
