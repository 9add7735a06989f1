/** Options of the two machines with their defaults. Times in milliseconds, sizes in octets. */
import type { Endpoint } from '../wire/address.ts';
import type { ClientAuthOptions } from '../wire/stun/client-auth.ts';
import type { AuthPolicy } from '../wire/stun/server-auth.ts';
import type { AddressOptions } from './address-modes.ts';
import type { FirstPacketOptions } from './automatic-bindings.ts';
import type { ConnectionOptions } from './connection.ts';
import type { MediaOptions } from './media/media-sender.ts';
import type { Placement } from './placement.ts';
import type { PortRange } from './port-allocator.ts';
import type { QuotaLimits } from './quota.ts';
import type { AddressPolicy } from './server-data.ts';
import type { RandomSource } from './tunnel-end.ts';

/** Connections per tunnel at most (tep-wire 7 leaves it to us). */
export const MAX_STRIPES = 8;

export const SOFTWARE = 'tep';

interface CommonOptions extends ConnectionOptions {
  readonly random: RandomSource;
  /** SOFTWARE attribute (RFC 8489 14.14). Default `tep`. */
  readonly software?: string;
  /** What waits while the connections take less than comes in. */
  readonly media?: MediaOptions;
}

/** What may change while the client runs. */
export interface ClientPolicy {
  /** For connections from now on. `none` only for a TEP-S that asks for nothing. */
  readonly auth: Omit<ClientAuthOptions, 'reliable'>;
  /** Absent: only `bind` and STUN of applications make bindings. */
  readonly firstPacket?: FirstPacketOptions;
  /**
   * Whether the sender of a packet that gets no tunnel is told at once, by ICMP or a TCP reset. Default
   * false: such packets are dropped.
   */
  readonly refuse?: boolean;
  /**
   * Whether a tunnel that cannot be had is tried again while nobody asks: where packets go another way
   * in the meantime, none will. Default false.
   */
  readonly keepTrying?: boolean;
  /** How many TEP-S the agent can choose from: so many in a row may refuse. Default 1. */
  readonly servers?: number;
}

export interface ClientOptions extends CommonOptions, ClientPolicy {
  /** Connections from the start and on a clean path, 1 (default) to 8; and where packets get lost. */
  readonly stripes?: number;
  /** Default: as many, whatever the path is. */
  readonly mostStripes?: number;
  /** How long the tunnel stays open after the last binding is released (M-18). Default 10,000. */
  readonly lingerMs?: number;
  /** A pair is one. Default 64. */
  readonly maxBindings?: number;
  /**
   * Media addresses of TEP-S: a STUN Binding request that an application sends there is answered by
   * TEP-C itself with the public address (tep-wire 5).
   */
  readonly stunAt?: readonly Endpoint[];
  /** How often TEP-STATS is asked while media flows. Default 5,000. */
  readonly statsMs?: number;
}

export interface ServerOptions extends CommonOptions {
  /** Its users may change while the server runs. */
  readonly auth: AuthPolicy;
  /** Where several processes serve one address. Absent: this is the only one. */
  readonly placement?: Placement;
  /** Where media may go to and come from. */
  readonly policy: AddressPolicy;
  readonly addresses: AddressOptions;
  /** Public ports; default by mode (address-modes.ts). */
  readonly ports?: PortRange;
  /**
   * Whether the agent opens each public address, as in relay mode, before it is bound: for `reflexive`,
   * where packets for it must be diverted first. Default false.
   */
  readonly opensAddresses?: boolean;
  /** Ports of that range that are never granted. */
  readonly excludedPorts?: readonly number[];
  /** Most public ports of all tunnels together. Default 65,536. */
  readonly maxPorts?: number;
  /** What one user may hold; defaults in limits.ts. */
  readonly quota?: Partial<QuotaLimits>;
  /** STUN octets that a connection may send before it is authenticated. Default 4,096. */
  readonly unauthenticatedOctets?: number;
  /** How long a tunnel without a connection keeps its bindings. Default 30,000. */
  readonly lifetimeMs?: number;
}
