/** What each end can do besides the verbs that both share (tunnel-end.ts). */
import type { MediaKind } from '../sdp/media.ts';
import type { Endpoint } from '../wire/address.ts';
import type { ClientMemory } from './client-memory.ts';
import type { ClientTunnelStatus } from './client-status.ts';
import type { Counters } from './counters.ts';
import type { ServerLimits } from './limits.ts';
import type { LaneStatus } from './media/media-flow.ts';
import type { Waiting } from './media/media-sender.ts';
import type { ClientPolicy } from './options.ts';
import type { ClientOutput, FlowProtocol, ServerOutput } from './outputs.ts';
import type { TunnelState } from './table.ts';
import type { TunnelEnd } from './tunnel-end.ts';

export interface BindWishes {
  /** UDP (17, default) or TCP (6). */
  readonly protocol?: FlowProtocol;
  /** Wanted public port; 0 (default): any. */
  readonly port?: number;
  /** Also bind `ue.port + 1` to the public port above, which is even: RTP with its RTCP. */
  readonly pair?: boolean;
  /** What its RTP is, where that is known; else it is judged by what it does. */
  readonly carries?: MediaKind | undefined;
}

/** Which addresses the machine has lost and got. */
export interface AddressChange {
  isGone(address: Uint8Array): boolean;
  isNew(address: Uint8Array): boolean;
}

export interface NetworkChange extends AddressChange {
  /** Whether the local address of this connection is gone. */
  isCutOff(conn: number): boolean;
}

/** `new TunnelClient(options: ClientOptions, sink: PacketSink)` */
export interface ClientEnd extends TunnelEnd<ClientOutput> {
  /** Opens the tunnel before it is needed; `bind` does it too. Open already: told again. */
  open(now: number): void;
  /** The connection that `connect` asked for is there: TLS and CONNECT are done with. */
  connected(conn: number, now: number): void;
  /** Wants `ue` reachable: answers `bound` or `bind-failed`. Again for the same `ue`: told again. */
  bind(ue: Endpoint, wishes: BindWishes, now: number): void;
  release(ue: Endpoint, protocol: FlowProtocol, now: number): void;
  /** Ends the tunnel and frees all bindings. */
  close(now: number): void;
  /**
   * Addresses or routes of this machine changed. Connections from an address that is gone are given up,
   * the others have to prove themselves, and attempts that wait are made now. Flows of applications may
   * go on from other addresses.
   */
  networkChanged(change: NetworkChange, now: number): void;
  /** What a successor needs to resume the tunnel; undefined when there is none. Holds a secret. */
  memory(): ClientMemory | undefined;
  /** Instead of `open`: resumes the tunnel of a predecessor, if TEP-S still has it. */
  resume(memory: ClientMemory, now: number): void;
  /** Takes these settings from now on. */
  configure(policy: ClientPolicy): void;
  status(): ClientTunnelStatus;
}

/** One tunnel as a status page may show it: without its token. */
export interface TunnelStatus {
  readonly id: number;
  /** Empty where nobody is asked who he is. */
  readonly user: string;
  readonly state: TunnelState;
  /** The client's address when it opened the tunnel. */
  readonly outer: Endpoint;
  /** These go on counting. */
  readonly counters: Counters;
  readonly connections: number;
  /** Public ports. */
  readonly bindings: number;
  readonly openedMs: number;
  /** What each connection is, and what each public port. */
  readonly links: readonly LinkStatus[];
  readonly ports: readonly PortStatus[];
  /** For a connection that can take them. */
  readonly waiting: Waiting;
}

export interface LinkStatus {
  readonly conn: number;
  readonly peer: Endpoint;
  readonly queuedOctets: number;
}

export interface PortStatus {
  /** As its packets are numbered (PacketSink). */
  readonly binding: number;
  readonly address: Endpoint;
  readonly protocol: FlowProtocol;
  /** What the core sends to it, by class. */
  readonly sending: readonly LaneStatus[];
}

/** `new TunnelServer(options: ServerOptions, sink: PacketSink)` */
export interface ServerEnd extends TunnelEnd<ServerOutput> {
  /**
   * A connection from `peer` is there: TLS is done, a CONNECT has been consumed. An IPv4 peer of a
   * socket for both families is to be given as IPv4. `openDueMs`: by when it has to be authenticated;
   * 15 s from now when absent.
   */
  accepted(conn: number, peer: Endpoint, now: number, openDueMs?: number): void;
  /** Other limits from now on; what is left out gets its default. Nothing is taken from anybody. */
  limit(limits: Partial<ServerLimits>): void;
  /** A plain STUN request that came by UDP: the answer to send back, or nothing. */
  datagram(b: Uint8Array, at: number, end: number, peer: Endpoint): Uint8Array | undefined;
  /** Answers to `listen`. */
  listening(id: number, now: number): void;
  listenFailed(id: number, now: number): void;
  tunnels(): readonly TunnelStatus[];
  /** No new tunnels from now on: who asks is told to come later (500). Those that there are go on. */
  drain(): void;
  /** Ends every tunnel: each connection gets what is queued for it, then its end. */
  stop(now: number): void;
}
