/**
 * What a running agent tells about itself: one JSON object, asked for on its status socket, shown by
 * `tep status`. Times are milliseconds since 1970, sizes octets; counts go up from the start of the
 * agent, and whoever wants rates compares two answers.
 */

import type { LaneStatus } from '../session/media/media-flow.ts';
import type { Waiting } from '../session/media/media-sender.ts';
import type { TcpState } from '../session/tcp-state.ts';
import type { QualityStatus } from './flow-quality.ts';

export type AgentName = 'client' | 'server';

export interface Traffic {
  readonly packets: number;
  readonly octets: number;
}

/** Counts by reason; the names are those of wire/faults.ts and of the packet port. */
export type Drops = Readonly<Record<string, number>>;

export interface PortStatus {
  readonly kind: string;
  readonly received: number;
  readonly sent: number;
  readonly drops: Drops;
}

interface CommonStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedMs: number;
  readonly nowMs: number;
  /** Media through tunnels, as this end sees it. */
  readonly sent: Traffic;
  readonly received: Traffic;
  readonly drops: Drops;
  /** Between the agent and the system. */
  readonly port: PortStatus;
}

export interface ConnectionStatus {
  readonly peer: string;
  readonly state: string;
  /**
   * TEP-C: to TEP-S and back, of the last measurement; absent before the first. TEP-S: as TCP measures it;
   * absent where the connection was passed on by another process.
   */
  readonly rttMs?: number;
  /** Absent where the system tells nothing. */
  readonly tcp?: TcpState;
  /** Waiting to be sent, and how many may. */
  readonly queuedOctets?: number;
  readonly queueLimit?: number;
}

export interface BindingStatus {
  /** Known at TEP-C only. */
  readonly ue?: string;
  /** `-` until it is granted. */
  readonly public: string;
  readonly protocol: 'udp' | 'tcp';
  /** The RTP stream that comes out of the tunnel there. */
  readonly quality?: QualityStatus;
  /** What goes into the tunnel there, by class of packet: how long it waited, and what was dropped. */
  readonly sending: readonly LaneStatus[];
  /** How it came about, at TEP-C: `static`, `first-packet`, `stun`. */
  readonly origin?: string;
}

export interface ClientStatus extends CommonStatus {
  readonly agent: 'client';
  readonly tunnel: {
    readonly state: string;
    /** No tunnel can be had: media are refused, or go without it. */
    readonly isOut?: boolean;
    /** As in the configuration: `tls://tep.example:443`. */
    readonly server?: string;
    /** When the tunnel was opened. */
    readonly sinceMs?: number;
    /** Our address as TEP-S sees it. */
    readonly outer?: string;
    /** How often it was resumed after a break. */
    readonly resumed: number;
    /** Why the last attempt or tunnel ended. */
    readonly lastFault?: string;
    readonly connections: readonly ConnectionStatus[];
    /** Packets for which no connection had room yet. */
    readonly waiting: Waiting;
  };
  /**
   * Whether plain STUN by UDP reaches the server (`asking`, `passes`, `unanswered`, `not-asked`), and the address
   * that it told.
   */
  readonly udp?: { readonly state: string; readonly mapped?: string };
  readonly bindings: readonly BindingStatus[];
  /** Absent without a SIP sidecar. */
  readonly sip?: SipStatus;
  /** Sockets that stand for media addresses; none with rings. */
  readonly maps: readonly { readonly local: string; readonly media: string }[];
}

export interface SipStatus {
  /** The phone's outbound proxy. */
  readonly listening: readonly string[];
  readonly core: {
    /** The way in use, or being tried: `tls://pcscf.example:443 through the proxy`. */
    readonly by: string;
    /** `connecting`, `open`, `proven` (the core has answered), `waiting` for the next attempt. */
    readonly state: string;
    readonly sinceMs: number;
    readonly lastFault?: string;
  };
  readonly registrations: readonly {
    readonly aor: string;
    readonly contact: string;
    /** As the registrar has it. */
    readonly expiresMs: number;
  }[];
  /** Calls, those with media in the tunnel, messages that wait for the addresses of their media. */
  readonly calls: { readonly all: number; readonly tunnelled: number; readonly waiting: number };
  /** Messages that were not passed on, by reason (sip/sidecar/outputs.ts). */
  readonly drops: Drops;
}

export interface TunnelStatus {
  readonly id: number;
  readonly user: string;
  readonly sinceMs: number;
  readonly connections: readonly ConnectionStatus[];
  readonly bindings: readonly BindingStatus[];
  readonly waiting: Waiting;
  readonly sent: Traffic;
  readonly received: Traffic;
  readonly dropped: number;
}

/** An answer lists at most so many tunnels; `tunnelCount` is the whole number. */
export const MAX_TUNNELS_LISTED = 1_000;

/** What goes between SIP proxies and the media gateway, through TEP-S. */
export interface NgStatus {
  readonly listening: readonly string[];
  /** Undefined until it was asked. */
  readonly gatewayAnswers: boolean | undefined;
  /** Proxies that use it, by address and port. */
  readonly peers: number;
  readonly calls: number;
  readonly pinholes: number;
  readonly commands: Drops;
  /** What was passed on without being understood, or could not be passed on. */
  readonly faults: Drops;
}

export interface ServerStatus extends CommonStatus {
  readonly agent: 'server';
  readonly listening: readonly string[];
  readonly draining: boolean;
  readonly workers: number;
  /** Of them those that are being started again or hang: what they carry is not in these figures. */
  readonly silentWorkers?: number;
  readonly connections: { readonly all: number; readonly unauthenticated: number };
  /** Connections that never became part of a tunnel, by what they spoke. */
  readonly turnedAway: Drops;
  readonly tunnelCount: number;
  readonly bindingCount: number;
  readonly tunnels: readonly TunnelStatus[];
  /** With `ng.listen`. */
  readonly ng?: NgStatus;
}

export type AgentStatus = ClientStatus | ServerStatus;
