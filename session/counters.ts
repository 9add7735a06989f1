/**
 * What is counted for a tunnel and for an end as a whole: IP records and their octets both ways since
 * the start, and each fault. Nothing is dropped uncounted.
 */
import { FAULT_LIMIT, type Fault } from '../wire/faults.ts';

export class Counters {
  sentRecords = 0;
  sentOctets = 0;
  receivedRecords = 0;
  receivedOctets = 0;
  /** Dropped packets of all kinds. */
  dropped = 0;
  /** By fault number. */
  readonly faults = new Uint32Array(FAULT_LIMIT);

  /** One IP record was given to a connection. */
  sent(octets: number): void {
    this.sentRecords += 1;
    this.sentOctets += octets;
  }

  drop(fault: Fault): void {
    this.dropped += 1;
    this.note(fault);
  }

  /** A fault that is no dropped packet: a control message, an event, a connection. */
  note(fault: Fault): void {
    this.faults[fault] = this.of(fault) + 1;
  }

  of(fault: Fault): number {
    return this.faults[fault] ?? 0;
  }
}
