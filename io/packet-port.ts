/**
 * Where whole IP packets enter and leave an agent: the side of the application at TEP-C, of the media
 * gateway at TEP-S. Three kinds: `rings` (rings/rings.ts) takes packets off the routes of the host,
 * `sockets` (udp-sockets.ts) needs no privilege, `pcap` (pcap/port.ts) reads and writes files.
 */
import type { FlowProtocol } from '../session/outputs.ts';
import type { Endpoint } from '../wire/address.ts';
import type { IoFault } from './io-fault.ts';

/** A packet at [at, end) of `b`; valid, and free to be changed, during the call only. */
export type PacketReceiver = (b: Uint8Array, at: number, end: number) => void;

export interface PacketPort {
  readonly counters: PortCounters;
  /**
   * From now on packets are given to `receive`. Once only. A port that has a turn of the event loop to itself calls
   * `settle` when it has given what there was, so that nothing waits for the end of the turn.
   */
  start(receive: PacketReceiver, settle?: () => void): void;
  /** To be called in any turn of the event loop: hands out what has come by now, where it is cheap to look. */
  glance?(): void;
  /** Takes the packet at [at, end); its octets stay the caller's. It may wait for `flush`. */
  send(b: Uint8Array, at: number, end: number): void;
  /** Sends what waits. To be called after every turn of the event loop in which packets were sent. */
  flush(): void;
  /** Resolves when nothing is open any more. */
  close(): Promise<void>;
}

/** A packet port that can open addresses of this machine: what `relay` mode of TEP-S needs. */
export interface RelayPort extends PacketPort {
  /** Opens `at` under a number; gives the address that it has. */
  listen(id: number, at: Endpoint): Promise<Endpoint | IoFault>;
  release(id: number): Promise<void>;
}

/**
 * A packet port to which packets for single addresses can be diverted that are not this machine's:
 * what `reflexive` mode of TEP-S needs.
 */
export interface CapturePort extends PacketPort {
  /** Packets for `at` come here from now on; undefined when that is so. */
  capture(at: Endpoint, protocol: FlowProtocol): Promise<IoFault | undefined>;
  release(at: Endpoint, protocol: FlowProtocol): Promise<void>;
}

/** Why a port did not pass a packet on, and what that means to people. */
export const PORT_DROPS = {
  'not-started': 'nobody was there to receive it',
  'not-udp': 'sockets carry nothing else than UDP',
  'no-socket': 'no socket stands for its source',
  'too-long': 'too long for a packet of the tunnel, or for the port',
  refused: 'the system did not take it: no route, or forbidden',
  'ring-overrun': 'more came than was taken in time; the kernel counts them',
  'ring-full': 'more was sent than the kernel took in time',
  'no-interface': 'the interface is down or gone',
  incomplete: 'some of its fragments did not come in time',
  'not-ip': 'a frame, or record of a file, that holds no whole IP packet',
} as const;

export type PortDrop = keyof typeof PORT_DROPS;

export interface PortCounters {
  /** Packets given to the receiver. */
  readonly received: number;
  /** Packets taken from the agent and passed on. */
  readonly sent: number;
  /** Only reasons that occurred. */
  readonly dropped: ReadonlyMap<PortDrop, number>;
}

/** The counters of a port, as itself sees them. */
export class PortCounts implements PortCounters {
  received = 0;
  sent = 0;
  readonly dropped = new Map<PortDrop, number>();

  drop(reason: PortDrop, n = 1): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + n);
  }
}
