import type { QuotaLimits } from './quota.ts';

/** What may change while TEP-S runs. */
export interface ServerLimits {
  /** What one user may hold, and how fast he may be. */
  readonly quota: Partial<QuotaLimits>;
  /** STUN octets that a connection may send before it is authenticated. */
  readonly unauthenticatedOctets: number;
  /** How long a tunnel without a connection keeps its bindings; those that are lost already keep theirs. */
  readonly lifetimeMs: number;
}

/** What TEP-S allows where the operator says nothing else. */
export const LIMITS = {
  /** How long a tunnel without a connection keeps its bindings (tep-wire 7). */
  lifetimeMs: 30_000,
  /** STUN messages of a connection before it is authenticated, in octets (tep-wire 2). */
  unauthenticatedOctets: 4096,
  quota: {
    tunnelsPerUser: 8,
    /** 16 calls with audio and video, each with RTCP. */
    bindingsPerTunnel: 64,
    bindingsPerUser: 128,
    packetsPerSecond: Number.POSITIVE_INFINITY,
    bitsPerSecond: Number.POSITIVE_INFINITY,
  },
} as const;
