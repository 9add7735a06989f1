/**
 * What can go wrong between a SIP proxy and its media gateway, as words that are counted. Octets that cannot be
 * read are counted by the names of wire/faults.ts, and pass as they are wherever their ends are known.
 */
import { type Fault, faultName } from '../../wire/faults.ts';

export const NG_FAULTS = {
  unasked: 'answer without a command: passed on',
  refused: 'the media gateway answered with an error',
  'sdp-unreadable': 'session description that cannot be read: passed on as it is',
  'long-name': 'names of a call over 512 octets: passed on, the call is not learnt',
  'pinhole-refused': 'way of a call not opened: too many, or no media can go there',
  'call-crowded-out':
    'call forgotten: too many, or their descriptions too long; its ways are closed',
  'command-crowded-out': 'command forgotten too early: too many; its answer passes on as it is',
  'peer-crowded-out': 'proxy that was silent longest made room for another',
  'peer-opening': 'too many commands while the way to the gateway is opened: dropped',
  'too-many-peers': 'connection of a proxy closed: too many',
  'too-slow': 'WebSocket closed: its end does not read',
  'too-long': 'HTTP body longer than any message: refused with 413',
  'marks-too-long': 'answer that does not fit into a datagram with marks: passed on without',
  'foreign-answer': 'datagram to the socket of a proxy that is not from the gateway: dropped',
  'command-unsent': 'command that the system did not send, as where nobody listens',
  'answer-unsent': 'answer that the system did not send',
  'no-socket': 'no socket for another proxy: its commands are dropped',
  'no-connection': 'the gateway cannot be connected: the connection of the proxy is closed',
  'http-of-others': 'HTTP request that is not POST /ng: answered with 404',
  'web-socket-of-others':
    'WebSocket without the subprotocol ng.rtpengine.com, or with a path that is none: refused',
} as const;

export type NgFault = keyof typeof NG_FAULTS;

/** Counts by name; the names are ours, so there are few. */
export class NgCounts {
  readonly commands = new Map<string, number>();
  readonly faults = new Map<string, number>();

  command(name: string): void {
    increment(this.commands, name);
  }

  fault(reason: NgFault | Fault): void {
    increment(this.faults, typeof reason === 'number' ? faultName(reason) : reason);
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
