/** What the sidecar wants done, and why it did not pass a message on. */
import type { Request } from '../message.ts';
import type { Ends } from './call-media.ts';
import type { Need } from './media-needs.ts';
import type { Peer } from './phones.ts';

export type SidecarOutput =
  /** `request` and its sender, when it is one: to be given to `undeliverable`, or again to `fromPhone`. */
  | { readonly type: 'to-core'; readonly octets: Uint8Array; readonly asks: Asks | undefined }
  | { readonly type: 'to-phone'; readonly octets: Uint8Array; readonly peer: Peer }
  /** Answered by `settled`. */
  | { readonly type: 'need'; readonly need: Need }
  | { readonly type: 'unneeded'; readonly need: Need }
  /** The phone's address of a flow, whatever address of this machine it sends from to a stand-in. */
  | { readonly type: 'ends'; readonly ends: Ends }
  | {
      readonly type: 'registered' | 'unregistered';
      readonly aor: string;
      /** As the registrar grants it. */
      readonly seconds: number;
      readonly peer: Peer | undefined;
    }
  /** What the core answered to our offer to keep the flow alive: seconds, undefined for nothing. */
  | { readonly type: 'keep'; readonly seconds: number | undefined }
  | { readonly type: 'call-ended'; readonly callId: string }
  /** Nothing was heard of its phone for too long. */
  | { readonly type: 'abandoned'; readonly callId: string }
  /** Media that should go through the tunnel were told as they are: no address was to be had in time. */
  | { readonly type: 'without-tunnel'; readonly callId: string };

export interface Asks {
  readonly request: Request;
  readonly peer: Peer;
}

/** Why a message was not passed on, and what that means to people. */
export const SIP_DROPS = {
  refused: 'a request that could not be passed on was answered with an error',
  'refused-ack': 'an ACK that could not be passed on, which nobody answers',
  'bad-response': 'a response that is broken, or is for somebody else',
  'no-transaction': 'a response to a request that nobody here has under way',
  draining: 'a call that was to begin while the agent is ending',
  'no-phone': 'for a phone that is not known here, or whose connection is gone',
  'no-core': 'for the core while there is no way to it',
  retransmission: 'again, while the one before still waits',
  'too-many-waiting': 'too many messages wait for the addresses of their media',
  'bad-octets': 'no SIP message',
  'too-many-connections': 'a connection of a phone above the limit: all others are needed',
  'idle-connection': 'the connection of a phone that was silent longest made room for another',
  'slow-reader': 'for a peer that does not read what was sent to it before',
} as const;

export type SipDrop = keyof typeof SIP_DROPS;
