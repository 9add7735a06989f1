/** Whatever stands in 64 KiB, the work is linear and nothing throws. */
import test, { type ExecutionContext } from 'ava';
import { descriptionsIn, octetsIn, replaceDescription } from '../../sip/body.ts';
import { Edit } from '../../sip/edit.ts';
import { type Element, forwardRequest, type Passage, returnResponse } from '../../sip/forward.ts';
import { popVia } from '../../sip/hop.ts';
import { MAX_MESSAGE_LEN, type Message, type Response, readDatagram } from '../../sip/message.ts';
import { OfferAnswer } from '../../sip/offer-answer.ts';
import { Registrations } from '../../sip/registrations.ts';
import { respond } from '../../sip/respond.ts';
import { SipStream } from '../../sip/stream.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { generator, mutate } from '../wire/standing.ts';
import { names, sip, vector } from './vectors.ts';

const US = { transport: 'UDP', host: '127.0.0.1', port: 25_360 };
const ELEMENT: Element = {
  sentBy: [US],
  key: Buffer.from('key'),
  understood: new Set(),
  isOwn: (uri) => uri.host === '127.0.0.1',
};
const from = parseEndpoint('127.0.0.1:5060');
const OK = { type: 'response', status: 200 } as const;

/** Everything that is done to a message on its way. Gives the octets that come out. */
function work(b: Uint8Array): number {
  const stream = new SipStream('pings');
  stream.append(b, 0, b.length);
  while (stream.next() !== undefined);
  const message = readDatagram(b, 0, b.length);
  return typeof message === 'number' ? 0 : onMessage(message);
}

function onMessage(message: Message): number {
  if (from === undefined) throw new RangeError('no endpoint');
  const out: Passage = {
    from,
    out: US,
    keep: true,
    recordRoutes: ['sip:r;lr'],
    paths: ['sip:p;lr'],
    route: 'sip:x',
    hidesVias: false,
  };
  const tracker = new OfferAnswer();
  const edit = new Edit(message);
  popVia(edit);
  const list = descriptionsIn(message) ?? [];
  const sdp = list[0] === undefined ? undefined : octetsIn(message, list[0]);
  for (const one of list) replaceDescription(edit, one, Buffer.from('v=0\r\n'));
  let length = edit.octets().length;
  if (message.type === 'response') {
    tracker.response('core', message, sdp, 0);
    return length + (returnResponse(message, ELEMENT)?.edit.octets().length ?? 0);
  }
  tracker.request('phone', message, sdp, 0);
  const asResponse: Response = { ...message, ...OK, reason: '' };
  new Registrations().response(message, asResponse, 0);
  const forwarded = forwardRequest(message, ELEMENT, out);
  if (forwarded.type === 'forwarded') length += forwarded.edit.octets().length;
  else length += respond(message, forwarded, 'tag')?.length ?? 0;
  return length;
}

const NEEDED: Readonly<Record<string, string>> = {
  Via: 'SIP/2.0/UDP 127.0.0.1:25360',
  From: '<sip:a@b>;tag=1',
  To: '<sip:a@b>',
  'Call-ID': 'x',
  CSeq: '1 REGISTER',
  Contact: '<sip:a@b>',
  'Content-Type': 'multipart/mixed;boundary=b',
};

function hostile(name: string, fill: string, way: 'fill' | 'many' | 'body'): Buffer {
  const fields = Object.entries(NEEDED).filter(([n]) => n !== name || way === 'body');
  const head = ['REGISTER sip:a@b SIP/2.0', ...fields.map(([n, value]) => `${n}: ${value}`)];
  const start = NEEDED[name] ?? '';
  const room = MAX_MESSAGE_LEN - sip(head).length - 200 - start.length;
  const filled = fill.repeat(Math.floor(room / fill.length));
  if (way === 'body') return Buffer.from(sip(head, filled), 'latin1');
  if (way === 'fill') return Buffer.from(sip([...head, `${name}: ${start}${filled}`]), 'latin1');
  const line = `${name}: ${start}${fill}`;
  const lines = Array<string>(Math.min(450, Math.floor(room / (line.length + 2)))).fill(line);
  return Buffer.from(sip([...head, ...lines]), 'latin1');
}

const FIELDS = [
  'Via',
  'From',
  'Contact',
  'Route',
  'Record-Route',
  'CSeq',
  'Content-Type',
  'Content-Length',
  'X',
];
const FILLS = [
  ' ',
  '\r\n ',
  ',',
  ', ',
  ';',
  ';a',
  ';a=b',
  ';a="b"',
  '"',
  '"\\',
  '<',
  '<a>,',
  ',<sip:a@b>',
  ' (',
  ' (a)',
  ' ) ',
  '(',
  '\\',
  ':',
  ',SIP/2.0/UDP a',
  '1',
  '@',
  '%41',
  'x'.repeat(100),
];
const BODIES = [
  '--b\r\n',
  '--b\r\n\r\n',
  '\r\n--b',
  '-',
  '--b--',
  '\r\n--b  ',
  '--b\r\nX: y\r\n\r\n',
  '\r\n--b\r\nc: application/sdp\r\n\r\nv=0',
];

/** Far above what a busy machine takes for linear work. */
const MAX_MS = 2_000;

test('64 KiB of anything in any field is linear work', (t) => {
  for (const name of FIELDS) {
    for (const fill of FILLS) {
      inLinearTime(t, `${name} ${JSON.stringify(fill)}`, hostile(name, fill, 'fill'));
      inLinearTime(t, `many ${name} ${JSON.stringify(fill)}`, hostile(name, fill, 'many'));
    }
  }
});

test('64 KiB of boundaries is linear work', (t) => {
  for (const fill of BODIES) inLinearTime(t, JSON.stringify(fill), hostile('', fill, 'body'));
});

test('10,000 seeded mutations of every vector: nothing throws, nothing grows', (t) => {
  const random = generator(99);
  const vectors = ['torture', 'torture-ipv6', 'recorded'].flatMap((folder) =>
    names(folder).map((name) => vector(folder, name)),
  );
  let worked = 0;
  for (let i = 0; i < 10_000; i++) {
    const b = mutate(vectors[i % vectors.length] ?? Buffer.alloc(0), random);
    const length = work(b);
    if (length > 2 * b.length + 4_096) t.fail();
    if (length > 0) worked += 1;
  }
  t.true(worked > 4_000 && worked < 10_000, `${worked}`);
});

/** Some milliseconds when the work is linear, many seconds when it is square. */
function inLinearTime(t: ExecutionContext, what: string, octets: Uint8Array): void {
  // Other processes may take the processor, but not each time.
  let ms = timed(octets);
  for (let again = 0; again < 5 && ms >= MAX_MS; again++) ms = timed(octets);
  if (ms >= MAX_MS) t.fail(`${what}: ${ms} ms`);
  t.pass();
}

function timed(octets: Uint8Array): number {
  const started = process.hrtime.bigint();
  work(octets);
  return Number(process.hrtime.bigint() - started) / 1e6;
}
