/** What a connection to TEP-S is made of, and how making one can end. */
import type { Duplex } from 'node:stream';
import type { ProxyLogin } from '../../framing/connect/login.ts';
import type { IoFault } from '../io-fault.ts';
import type { TcpWishes } from '../tcp-options.ts';
import type { ClientTls } from './client-tls.ts';

export interface ServerTarget {
  /** A name or a literal address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  /** Without one, a proxy that asks who we are refuses us. */
  readonly login?: ProxyLogin | undefined;
}

/**
 * When a CONNECT is sent: `auto` where there is a proxy · `always` to TEP-S itself where there
 * is none, for the marker's sake · `never`, past any proxy.
 */
export type ConnectPolicy = 'auto' | 'always' | 'never';

export interface TransportOptions extends TcpWishes {
  readonly connect: ConnectPolicy;
  readonly proxy?: ProxyTarget | undefined;
  /** Header lines by which a CONNECT says that it is for IMS (H-01). */
  readonly marker: readonly string[];
  /** Needed where a target says `tls`. */
  readonly tls?: ClientTls | undefined;
}

/** Straight to TEP-S, in plain. */
export const DIRECT: TransportOptions = { connect: 'auto', marker: [], userTimeoutMs: 0 };

/** How far an attempt came. */
export type DialStage = 'resolve' | 'tcp' | 'proxy' | 'tls';

/** The text says what is wrong and what to do about it. */
export interface DialFault extends IoFault {
  readonly stage: DialStage;
}

/**
 * A connection being made. The stream may be paused, so that nothing is lost before somebody reads it.
 * `abandon` ends the attempt, and `result` is then a fault, or the stream that came of it.
 */
export interface Dial {
  readonly result: Promise<Duplex | DialFault>;
  abandon(): void;
}
