/** One way in for proxies that control the media gateway, and the way on to it. */
import type { Endpoint } from '../../wire/address.ts';
import type { Fault } from '../../wire/faults.ts';
import type { NgFault } from './faults.ts';

export interface DoorParts {
  readonly listen: Endpoint;
  readonly gateway: Endpoint;
  /** Told every command before it is passed on; `peer` is who asks. */
  readonly command: (peer: string, octets: Uint8Array) => void;
  /** What the peer gets for an answer of the gateway. */
  readonly answer: (peer: string, octets: Uint8Array) => Uint8Array;
  /** What could not be passed on, by reason. */
  readonly fault: (reason: NgFault | Fault) => void;
}

export interface Door {
  readonly local: Endpoint;
  /** Who uses it at the moment. */
  readonly peers: number;
  close(): Promise<void>;
}
