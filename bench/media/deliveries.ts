/** What became of every packet of a run: joined from what one end sent and the other received. */
import type { PacketLog } from './packet-log.ts';

/** One for each packet sent, in the order of the sender's record. */
export class Deliveries {
  readonly length: number;
  readonly flows: Uint16Array;
  readonly timestamps: Uint32Array;
  readonly sentMs: Float64Array;
  /** NaN: never arrived. */
  readonly delayMs: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.flows = new Uint16Array(length);
    this.timestamps = new Uint32Array(length);
    this.sentMs = new Float64Array(length);
    this.delayMs = new Float64Array(length).fill(Number.NaN);
  }
}

/** Of a packet that came twice the first counts. */
export function join(sent: PacketLog, received: PacketLog): Deliveries {
  const deliveries = new Deliveries(sent.length);
  const rows: number[][] = [];
  for (let i = 0; i < sent.length; i++) {
    const flow = sent.flow(i);
    deliveries.flows[i] = flow;
    deliveries.timestamps[i] = sent.timestamp(i);
    deliveries.sentMs[i] = sent.sentMs(i);
    rows[flow] ??= [];
    rows[flow][sent.sequence(i)] = i;
  }
  for (let i = 0; i < received.length; i++) {
    const row = rows[received.flow(i)]?.[received.sequence(i)];
    if (row === undefined || !Number.isNaN(deliveries.delayMs[row])) continue;
    deliveries.delayMs[row] = received.arrivedMs(i) - received.sentMs(i);
  }
  return deliveries;
}
