/** One way to the core, as long as it lasts: what both kinds have in common. */
import type { IoFault } from '../../io/io-fault.ts';
import type { Message } from '../../sip/message.ts';

export interface WayEvents {
  message(message: Message): void;
  /** Octets that are no message; on a stream they end it. */
  bad(): void;
  /** Something came back that is no message: the answer to a ping. */
  alive(): void;
  /** Once, when it is over. */
  gone(fault: IoFault): void;
  /** The core does not read. */
  refused(): void;
}

export interface Way {
  /** The address of this machine that it has, when that is known. */
  readonly localAddress: string | undefined;
  send(octets: Uint8Array): void;
  /** The core has answered our offer to keep the flow alive: seconds, or nothing. */
  keep(seconds: number | undefined): void;
  close(): void;
}
