/** What the system knows of a TCP connection, for people: through a proxy, of the one with the proxy. */
export interface TcpState {
  /** `open`; why the sender holds back otherwise: `disorder`, `cwr`, `recovery`, `loss`. */
  readonly congestion: string;
  readonly rttMs: number;
  readonly rttVarMs: number;
  /** After which time without an answer a segment is sent again. */
  readonly rtoMs: number;
  /** Written and not acknowledged. */
  readonly outstandingOctets: number;
  /** Under way, and how many may be. */
  readonly segments: number;
  readonly congestionWindow: number;
  /** Sent again, since the connection was made. */
  readonly resentSegments: number;
  readonly deliveredBitsPerSecond: number;
}
