/** SIP and ng messages in captures, for people to read and for tests to judge. */

import { readDatagram as readNg, stringOf } from '../../framing/ng/message.ts';
import { descriptionsIn, octetsIn } from '../../sip/body.ts';
import { header, latin1, readDatagram as readSip } from '../../sip/message.ts';
import { type Datagram, datagramsIn } from '../datagrams.ts';
import type { Place } from '../place.ts';

export interface CallMessage {
  readonly timeMs: number;
  readonly protocol: 'SIP' | 'ng';
  readonly from: Place;
  readonly to: Place;
  /** The first line of SIP; the command or the result of ng. */
  readonly title: string;
  readonly callId: string;
  /** Session description, where it has one. */
  readonly sdp: string | undefined;
  /** The whole message, one character per octet. */
  readonly text: string;
}

/** In the order of the capture; a message that passes an interface twice comes twice. */
export async function messagesIn(file: string): Promise<CallMessage[]> {
  const found: CallMessage[] = [];
  for await (const datagram of datagramsIn(file, { unsummed: true })) {
    const message = sipIn(datagram) ?? ngIn(datagram);
    if (message !== undefined) found.push(message);
  }
  return found;
}

function sipIn({ timeMs, from, to, b, at, end }: Datagram): CallMessage | undefined {
  const message = readSip(b, at, end);
  if (typeof message === 'number') return undefined;
  const description = descriptionsIn(message)?.find(({ disposition }) => disposition === 'session');
  const text = latin1(b, at, end);
  return {
    ...{ timeMs, protocol: 'SIP', from, to, text },
    title: text.slice(0, text.indexOf('\r\n')),
    callId: header(message, 'call-id') ?? '',
    sdp: description && textOf(octetsIn(message, description)),
  };
}

function ngIn({ timeMs, from, to, b, at, end }: Datagram): CallMessage | undefined {
  const message = readNg(b, at, end);
  if (typeof message === 'number') return undefined;
  const command = stringOf(message, 'command');
  return {
    ...{ timeMs, protocol: 'ng', from, to, text: latin1(b, at, end) },
    title: command ?? `answer: ${stringOf(message, 'result') ?? 'no result'}`,
    callId: stringOf(message, 'call-id') ?? '',
    sdp: stringOf(message, 'sdp'),
  };
}

function textOf(b: Uint8Array): string {
  return latin1(b, 0, b.length);
}
