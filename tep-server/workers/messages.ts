/**
 * What the process that listens and its workers say to each other, over the channel that Node makes
 * between a process and its children. A socket may go along with a `connection` or a `hand-over`.
 */
import { Secret } from '../../config/secret.ts';
import type { IoFault } from '../../io/io-fault.ts';
import type { Fields, Level } from '../../ops/log.ts';
import type { ServerStatus } from '../../ops/status.ts';
import type { FlowProtocol } from '../../session/outputs.ts';
import type { Endpoint } from '../../wire/address.ts';
import type { Secrets } from '../core.ts';
import type { Ways } from '../ng/call.ts';
import type { ServerSettings } from '../settings.ts';

/** Settings as they can be sent: a `Secret` gives itself away to nobody, not even to the channel. */
export interface SentSettings {
  readonly settings: Omit<ServerSettings, 'shared-secret'>;
  readonly sharedSecret: string | undefined;
}

export function sent(settings: ServerSettings): SentSettings {
  const { 'shared-secret': secret, ...others } = settings;
  return { settings: others, sharedSecret: secret?.reveal() };
}

export function received({ settings, sharedSecret }: SentSettings): ServerSettings {
  const secret = sharedSecret === undefined ? undefined : new Secret(sharedSecret);
  return { ...settings, 'shared-secret': secret };
}

/** First thing that a worker is told. */
export interface Start extends SentSettings {
  readonly type: 'start';
  readonly index: number;
  readonly count: number;
  readonly secrets: Secrets;
  /** Where the workers have their sockets for each other. */
  readonly folder: string;
}

/** A public address that a worker has. Where only it knows that, another one must be told to send no packet there. */
export interface PublicAddress {
  readonly type: 'public-address';
  readonly address: Endpoint;
  readonly protocol: FlowProtocol;
  /** Given to a call; or given back. */
  readonly isBound: boolean;
}

/** Each is answered by an `answer` with its number. */
export type Question =
  | { readonly type: 'status'; readonly id: number }
  | ({ readonly type: 'reload'; readonly id: number } & SentSettings)
  | { readonly type: 'drain'; readonly id: number }
  | { readonly type: 'stop'; readonly id: number };

export interface Connection {
  readonly type: 'connection';
  readonly peer: Endpoint;
  /** Another worker has let it in, and these octets of it were received. */
  readonly received?: Uint8Array;
}

export type ToWorker =
  | Start
  | Question
  | Connection
  | PublicAddress
  /** Where clients connect to. */
  | { readonly type: 'listening'; readonly at: readonly Endpoint[] }
  /** The ways of some calls from now on. */
  | { readonly type: 'ways'; readonly calls: readonly CallWays[] };

export type CallWays = readonly [callId: string, ways: Ways];

export type Answer = ServerStatus | IoFault | undefined;

export type FromWorker =
  | PublicAddress
  /** It can take connections; or it cannot, and ends. */
  | { readonly type: 'started'; readonly fault: IoFault | undefined }
  /** Some of their ways could not be opened. */
  | { readonly type: 'ways-refused'; readonly callIds: readonly string[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | {
      readonly type: 'hand-over';
      readonly to: number;
      readonly peer: Endpoint;
      readonly received: Uint8Array;
    }
  | {
      readonly type: 'log';
      readonly level: Level;
      readonly text: string;
      readonly fields: Fields | undefined;
    };
