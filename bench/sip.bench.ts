/** Signalling of a call as a proxy beside the phone and a control proxy beside the media gateway see it. */
import { readFileSync } from 'node:fs';
import {
  octetsOf as ngOctetsOf,
  readDatagram as readNg,
  withValues,
} from '../framing/ng/message.ts';
import { apply } from '../sdp/apply.ts';
import { descriptionsIn, octetsIn, replaceDescription } from '../sip/body.ts';
import { type Element, forwardRequest, type Passage, returnResponse } from '../sip/forward.ts';
import type { SentBy } from '../sip/hop.ts';
import { readDatagram } from '../sip/message.ts';
import { OfferAnswer } from '../sip/offer-answer.ts';
import { SipStream } from '../sip/stream.ts';
import type { Endpoint } from '../wire/address.ts';
import { bench } from './harness.ts';
import { PUBLIC } from './traffic.ts';

const FOLDER = new URL('../../test/vectors/', import.meta.url);
const INVITE = readFileSync(new URL('sip/recorded/call-01-invite.sip', FOLDER));
const OK = readFileSync(new URL('sip/recorded/kamailio-05-200.sip', FOLDER));
const OFFER = readFileSync(new URL('ng/1-offer.ng', FOLDER));

/** The name by which the recorded response comes back. */
const KAMAILIO: SentBy = { transport: 'UDP', host: '127.0.0.1', port: 25_360 };
const ELEMENT: Element = {
  sentBy: [KAMAILIO],
  key: new Uint8Array(32).fill(7),
  understood: new Set(),
  isOwn: () => false,
};
const PASSAGE: Passage = {
  from: PUBLIC,
  out: KAMAILIO,
  keep: true,
  recordRoutes: ['sip:192.0.2.5:443;transport=tls;lr'],
  paths: [],
  route: undefined,
  hidesVias: false,
};
const tracker = new OfferAnswer();

function mapping(local: Endpoint): Endpoint {
  return { ...PUBLIC, port: local.port };
}

function invite(): Uint8Array {
  const message = readDatagram(INVITE, 0, INVITE.length);
  if (typeof message === 'number' || message.type !== 'request') throw new Error('no request');
  const forwarded = forwardRequest(message, ELEMENT, PASSAGE);
  if (forwarded.type === 'refusal') throw new Error(forwarded.reason);
  for (const description of descriptionsIn(message) ?? []) {
    const sdp = octetsIn(message, description);
    tracker.request('phone', message, sdp, 0);
    const applied = apply(sdp, mapping);
    if (applied.type !== 'applied' || !applied.changed) throw new Error('nothing applied');
    replaceDescription(forwarded.edit, description, applied.octets);
  }
  return forwarded.edit.octets();
}

function ok(): Uint8Array {
  const message = readDatagram(OK, 0, OK.length);
  if (typeof message === 'number' || message.type !== 'response') throw new Error('no response');
  const returned = returnResponse(message, ELEMENT);
  if (returned === undefined) throw new Error('dropped');
  return returned.edit.octets();
}

function ng(): Uint8Array {
  const message = readNg(OFFER, 0, OFFER.length);
  const sdp = typeof message === 'number' ? undefined : ngOctetsOf(message, 'sdp');
  if (typeof message === 'number' || sdp === undefined) throw new Error('no description');
  return withValues(message, new Map([['sdp', sdp]]));
}

const stream = new SipStream('pings');

function chunk(): void {
  stream.append(INVITE, 0, INVITE.length);
  if (stream.next()?.type !== 'message' || stream.next() !== undefined)
    throw new Error('no message');
}

const CASES: ReadonlyArray<readonly [name: string, octets: number, run: () => unknown]> = [
  [
    'read an INVITE and change nothing',
    INVITE.length,
    () => readDatagram(INVITE, 0, INVITE.length),
  ],
  ['INVITE through a proxy, public addresses into its SDP', INVITE.length, invite],
  ['200 back through a proxy', OK.length, ok],
  ['cut an INVITE out of a stream', INVITE.length, chunk],
  ['ng offer, its SDP replaced', OFFER.length, ng],
];

/** A quarter of the millisecond that signalling may take longer on its way. */
const MAX_NS = 250_000;

for (const [name, octets, run] of CASES) {
  bench({
    name: `sip: ${name}`,
    octets,
    aim: { maxNsPerOp: MAX_NS },
    run(times) {
      for (let i = 0; i < times; i++) run();
    },
  });
}
