/** Options of the two machines with their defaults. Times in milliseconds, sizes in octets. */
import type { Endpoint } from '../wire/address.ts';
import type { ClientCredentials, ServerCredentials } from './credentials.ts';
import type { LivenessOptions, RandomSource } from './tunnel-end.ts';

export const MAX_STRIPES = 8;

interface CommonOptions {
  readonly random: RandomSource;
  /** SOFTWARE attribute (RFC 8489 14.14); none when absent. */
  readonly software?: string;
  readonly liveness?: LivenessOptions;
  /** Most octets of data that wait on one connection for the peer to read. Default 262,144. */
  readonly sendQueueOctets?: number;
}

export interface ClientOptions extends CommonOptions {
  readonly credentials: ClientCredentials;
  /** Connections per tunnel, 1 (default) to 8. */
  readonly stripes?: number;
  /** How long the tunnel stays open after the last binding is released (M-18). Default 10,000. */
  readonly lingerMs?: number;
  /** Most bindings, a pair being one. Default 64. */
  readonly maxBindings?: number;
  /**
   * Media addresses of TEP-S: a STUN Binding request that an application sends there is answered by
   * TEP-C itself with the public address (tep-wire 5).
   */
  readonly stunAt?: readonly Endpoint[];
  /** How often TEP-STATS is asked while media flows. Default 5,000. */
  readonly statsMs?: number;
}

export interface ServerQuotas {
  /** Tunnels of one user at a time. Default 8. */
  readonly tunnelsPerUser?: number;
  /** Public ports of one tunnel at a time. Default 64. */
  readonly bindingsPerTunnel?: number;
}

export interface ServerOptions extends CommonOptions {
  readonly credentials: ServerCredentials;
  /** At least 16 octets that make nonces ours; the same at every TEP-S of a cluster. */
  readonly nonceSecret: Uint8Array;
  /** How long a tunnel without a connection keeps its bindings. Default 30,000. */
  readonly lifetimeMs?: number;
  readonly quotas?: ServerQuotas;
}
