/** Signalling of a call as a proxy beside the phone and a control proxy beside the media gateway see it. */
import { readFileSync } from 'node:fs';
import {
  octetsOf as ngOctetsOf,
  readDatagram as readNg,
  withValues,
} from '../framing/ng/message.ts';
import { apply } from '../sdp/apply.ts';
import { descriptionsIn, octetsIn, replaceDescription } from '../sip/body.ts';
import { isLoop, statelessBranch } from '../sip/branch.ts';
import { checkRequest, checkResponse } from '../sip/check.ts';
import { Edit } from '../sip/edit.ts';
import { lowerMaxForwards, noteSource, popVia, pushVia, type SentBy } from '../sip/hop.ts';
import { readDatagram } from '../sip/message.ts';
import { OfferAnswer } from '../sip/offer-answer.ts';
import { applyRouting, pushRecordRoute, responseTarget, routeRequest } from '../sip/routing.ts';
import { SipStream } from '../sip/stream.ts';
import { topVia } from '../sip/via.ts';
import type { Endpoint } from '../wire/address.ts';
import { bench } from './harness.ts';
import { PUBLIC } from './traffic.ts';

const FOLDER = new URL('../../test/vectors/', import.meta.url);
const INVITE = readFileSync(new URL('sip/recorded/call-01-invite.sip', FOLDER));
const OK = readFileSync(new URL('sip/recorded/kamailio-07-200.sip', FOLDER));
const OFFER = readFileSync(new URL('ng/1-offer.ng', FOLDER));

const US: SentBy = { transport: 'TLS', host: '192.0.2.5', port: 443 };
const KEY = new Uint8Array(32).fill(7);
const NONE: ReadonlySet<string> = new Set();
const tracker = new OfferAnswer();

function mapping(local: Endpoint): Endpoint {
  return { ...PUBLIC, port: local.port };
}

function invite(): Uint8Array {
  const message = readDatagram(INVITE, 0, INVITE.length);
  if (typeof message === 'number' || message.type !== 'request') throw new Error('no request');
  const routing = routeRequest(message, () => false);
  const refused = checkRequest(message, NONE) !== undefined || isLoop(message, [US], KEY);
  if (refused || routing.type === 'refusal') throw new Error('refused');
  const edit = new Edit(message);
  noteSource(edit, PUBLIC);
  pushVia(edit, US, { branch: statelessBranch(message, KEY), keep: true });
  pushRecordRoute(edit, 'sip:192.0.2.5:443;transport=tls;lr');
  lowerMaxForwards(edit);
  applyRouting(edit, message, routing);
  for (const description of descriptionsIn(message) ?? []) {
    const sdp = octetsIn(message, description);
    tracker.request('phone', message, sdp, 0);
    const applied = apply(sdp, mapping);
    if (applied.type !== 'applied' || !applied.changed) throw new Error('nothing applied');
    replaceDescription(edit, description, applied.octets);
  }
  return edit.octets();
}

function ok(): Uint8Array {
  const message = readDatagram(OK, 0, OK.length);
  if (typeof message === 'number' || message.type !== 'response' || !checkResponse(message)) {
    throw new Error('no response');
  }
  const edit = new Edit(message);
  const via = topVia(message);
  if (via === undefined || responseTarget(via).port === 0 || !popVia(edit))
    throw new Error('no Via');
  return edit.octets();
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

for (const [name, octets, run] of CASES) {
  bench({
    name: `sip: ${name}`,
    octets,
    aim: { maxNsPerOp: 200_000 },
    run(times) {
      for (let i = 0; i < times; i++) run();
    },
  });
}
