/** Records as `media.c` writes them. */
import { PacketLog } from '../../../bench/media/packet-log.ts';

export interface Record {
  readonly flow?: number;
  readonly sequence: number;
  readonly timestamp?: number;
  readonly sentMs: number;
  readonly arrivedMs?: number;
}

export function logOf(records: readonly Record[]): PacketLog {
  const octets = new Uint8Array(records.length * 32);
  const view = new DataView(octets.buffer);
  for (const [i, record] of records.entries()) {
    const at = 32 * i;
    view.setUint32(at, record.flow ?? 0, true);
    view.setUint32(at + 4, record.sequence, true);
    view.setUint32(at + 8, record.timestamp ?? 0, true);
    view.setFloat64(at + 16, record.sentMs, true);
    view.setFloat64(at + 24, record.arrivedMs ?? 0, true);
  }
  return new PacketLog(octets);
}
