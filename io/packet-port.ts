/**
 * Where whole IP packets enter and leave an agent: the side of the application at TEP-C, of the media
 * gateway at TEP-S. One kind so far: `sockets` (udp-sockets.ts).
 */

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
