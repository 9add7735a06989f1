/** The machine of the sidecar with messages in words, media that are granted at will, and a clock that stands. */
import type { Mapped } from '../../../sdp/addresses.ts';
import { descriptionsIn, octetsIn } from '../../../sip/body.ts';
import type { Message } from '../../../sip/message.ts';
import type { MediaPolicy } from '../../../sip/sidecar/call-media.ts';
import type { Need } from '../../../sip/sidecar/media-needs.ts';
import type { SidecarOutput } from '../../../sip/sidecar/outputs.ts';
import type { Peer } from '../../../sip/sidecar/phones.ts';
import { Sidecar } from '../../../sip/sidecar/sidecar.ts';
import { parseEndpoint } from '../../../wire/address.ts';
import { datagram, sip, textOf } from '../vectors.ts';

export const PROXY = '127.0.0.1:5060';
const PHONE = '127.0.0.1:5070';

function at(text: string) {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new RangeError(text);
  return endpoint;
}

export const PEER: Peer = { transport: 'UDP', address: at(PHONE), local: at(PROXY), conn: 0 };

export const TUNNEL: MediaPolicy = { tunnels: true, obeysMarks: true, standIns: false };

/** One line of audio; RTCP on the next port. */
export function audio(place: string, ...more: readonly string[]): string {
  const [host = '', port = ''] = place.split(':');
  const head = ['v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'];
  return `${[...head, `m=audio ${port} RTP/AVP 0`, ...more].join('\r\n')}\r\n`;
}

export interface Told {
  readonly callId?: string;
  readonly sdp?: string;
  readonly more?: readonly string[];
  /** Tag of the called end. */
  readonly to?: string;
  readonly branch?: string;
}

export class Driver {
  now = 0;
  readonly sidecar: Sidecar;
  readonly outputs: SidecarOutput[] = [];
  /** What was asked for and not settled. */
  readonly asked = new Map<string, Need>();
  readonly givenBack: string[] = [];
  /** When media came last from what is bound. */
  readonly sentMs = new Map<string, number>();
  /** Whether what is asked for is granted at once. */
  grants: boolean;
  #nextPort = 40_000;

  constructor(policy: MediaPolicy = TUNNEL, grants = true) {
    this.grants = grants;
    this.sidecar = new Sidecar({
      locals: [
        { transport: 'UDP', host: '127.0.0.1', port: 5060 },
        { transport: 'TCP', host: '127.0.0.1', port: 5060 },
      ],
      name: 'tep-test.invalid',
      key: Buffer.from('key'),
      policy: () => policy,
      sentMs: () => this.sentMs,
      mostRegisteredMs: 120_000,
    });
  }

  /** `INVITE 1` of the phone, who is the caller; what the core gets to see. */
  phoneAsks(what: string, told: Told = {}): Message | undefined {
    this.sidecar.fromPhone(datagram(requestText('phone', what, told)), PEER, this.now);
    return this.#last('to-core');
  }

  /** `INVITE 1` of the core in a call that the phone answered, or is to answer. */
  coreAsks(what: string, told: Told = {}): Message | undefined {
    this.sidecar.fromCore(datagram(requestText('core', what, told)), this.now);
    return this.#last('to-phone');
  }

  /** The core answers what it was sent. */
  coreAnswers(request: Message | undefined, status: number, told: Told = {}): Message | undefined {
    this.sidecar.fromCore(datagram(responseText(request, status, told)), this.now);
    return this.#last('to-phone');
  }

  phoneAnswers(request: Message | undefined, status: number, told: Told = {}): Message | undefined {
    this.sidecar.fromPhone(datagram(responseText(request, status, told)), PEER, this.now);
    return this.#last('to-core');
  }

  /** Everything asked for is granted now. */
  grantAll(): void {
    for (const need of [...this.asked.values()]) this.#grant(need);
    this.settle();
  }

  denyAll(): void {
    for (const key of [...this.asked.keys()]) {
      this.asked.delete(key);
      this.sidecar.settled(key, undefined, this.now);
    }
    this.settle();
  }

  pass(ms: number): void {
    this.now += ms;
    this.sidecar.timeout(this.now);
    this.settle();
  }

  drops(): Record<string, number> {
    return Object.fromEntries(this.sidecar.drops);
  }

  /** All outputs so far of this type, oldest first, as messages. */
  sent(type: 'to-core' | 'to-phone'): Message[] {
    this.settle();
    return this.outputs.flatMap((one) => (one.type === type ? [datagram(one.octets)] : []));
  }

  settle(): void {
    for (let one = this.sidecar.poll(); one !== undefined; one = this.sidecar.poll()) {
      this.outputs.push(one);
      if (one.type === 'unneeded') {
        this.givenBack.push(one.need.key);
        this.sentMs.delete(one.need.key);
      }
      if (one.type !== 'need') continue;
      this.asked.set(one.need.key, one.need);
      if (this.grants) this.#grant(one.need);
    }
  }

  #last(type: 'to-core' | 'to-phone'): Message | undefined {
    const before = this.sent(type).length;
    const count = this.#seen.get(type) ?? 0;
    this.#seen.set(type, before);
    return before > count ? this.sent(type).at(-1) : undefined;
  }

  readonly #seen = new Map<string, number>();

  #grant(need: Need): void {
    this.asked.delete(need.key);
    if (need.type === 'bind') this.sentMs.set(need.key, this.now);
    this.sidecar.settled(need.key, this.#mapped(need), this.now);
  }

  #mapped(need: Need): Mapped[] {
    const port = this.#nextPort;
    this.#nextPort += 2;
    const host = need.type === 'bind' ? '198.51.100.2' : '127.0.0.1';
    const to = (n: number) => at(`${host}:${n}`);
    if (need.type === 'stand-in') {
      const faces = need.rtcp === undefined ? [need.rtp] : [need.rtp, need.rtcp];
      return faces.map((face, i) => ({ local: face, public: to(port + i) }));
    }
    const next = { ...need.ue, port: need.ue.port + 1 };
    const first = { local: need.ue, public: to(port) };
    return need.pair ? [first, { local: next, public: to(port + 1) }] : [first];
  }
}

export function sdpOf(message: Message | undefined): string {
  const [description] = message === undefined ? [] : (descriptionsIn(message) ?? []);
  if (message === undefined || description === undefined) return '';
  return textOf(octetsIn(message, description));
}

/** `198.51.100.2:40000` of the first m= line. */
export function placeOf(message: Message | undefined): string {
  const sdp = sdpOf(message);
  return `${/^c=IN IP4 (\S+)/m.exec(sdp)?.[1]}:${/^m=audio (\d+)/m.exec(sdp)?.[1]}`;
}

export function requestText(from: 'phone' | 'core', what: string, told: Told): string {
  const [method = '', number = '1'] = what.split(' ');
  const { callId = 'call', sdp = '', more = [], to } = told;
  const isPhone = from === 'phone';
  const branch =
    told.branch ?? `z9hG4bK${from}${callId}${method === 'CANCEL' ? 'INVITE' : method}${number}`;
  const [tag, other] = isPhone ? ['p', to ?? ''] : ['c', to ?? ''];
  return sip(
    [
      `${method} ${isPhone ? 'sip:bob@example.net' : `sip:alice@${PHONE}`} SIP/2.0`,
      `Via: SIP/2.0/${isPhone ? `UDP ${PHONE}` : 'TCP 198.51.100.1'};rport;branch=${branch}`,
      ...more,
      `From: <sip:${from}@example.org>;tag=${tag}`,
      `To: <sip:other@example.org>${other === '' ? '' : `;tag=${other}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${number} ${method}`,
      `Contact: <sip:alice@${isPhone ? PHONE : '198.51.100.9'}>`,
      'Max-Forwards: 70',
      ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    ],
    sdp,
  );
}

export function responseText(request: Message | undefined, status: number, told: Told): string {
  if (request === undefined) throw new Error('nothing to answer');
  const { sdp = '', more = [], to = 'x' } = told;
  const copied = request.fields
    .filter(({ key }) => ['via', 'record-route', 'from', 'to', 'call-id', 'cseq'].includes(key))
    .map(({ key, start, end }) => {
      const line = request.text.slice(start, end - 2);
      return key === 'to' && !line.includes(';tag=') ? `${line};tag=${to}` : line;
    });
  const type = sdp === '' ? [] : ['Content-Type: application/sdp'];
  return sip([`SIP/2.0 ${status} Said`, ...copied, ...more, ...type], sdp);
}
