/**
 * Where whole IP packets enter and leave an agent: the side of the application at TEP-C, of the media
 * gateway at TEP-S. One kind so far: `sockets` (udp-sockets.ts).
 */
import type { Endpoint } from '../wire/address.ts';
import type { IoFault } from './io-fault.ts';

/** A packet at [at, end) of `b`; valid, and free to be changed, during the call only. */
export type PacketReceiver = (b: Uint8Array, at: number, end: number) => void;

export interface PacketPort {
  /** From now on packets are given to `receive`. Once only. */
  start(receive: PacketReceiver): void;
  /** Sends the packet at [at, end); its octets stay the caller's. */
  send(b: Uint8Array, at: number, end: number): void;
  /** Resolves when nothing is open any more. */
  close(): Promise<void>;
}

/** A packet port that can open addresses of this machine: what `relay` mode of TEP-S needs. */
export interface RelayPort extends PacketPort {
  /** Opens `at` under a number; gives the address that it has. */
  listen(id: number, at: Endpoint): Promise<Endpoint | IoFault>;
  release(id: number): Promise<void>;
}
