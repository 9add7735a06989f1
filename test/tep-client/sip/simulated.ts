/** A phone and a core on this machine that say what a test tells them to, SIP and media. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { endpointOf, hostOf } from '../../../io/endpoints.ts';
import { listenTcp, type TcpListener } from '../../../io/tcp.ts';
import { openUdp, type UdpSocket } from '../../../io/udp-socket.ts';
import { callIdOf, cseqOf } from '../../../sip/identity.ts';
import {
  header,
  type Message,
  type Request,
  type Response,
  readDatagram,
} from '../../../sip/message.ts';
import { SipStream } from '../../../sip/stream.ts';
import type { Endpoint } from '../../../wire/address.ts';
import { Diary } from '../../daemon/diary.ts';
import { must, openTalker, type Talker } from '../../daemon/pair.ts';
import { sip } from '../../sip/vectors.ts';

const HERE = '127.0.0.1';

/** What one side of SIP heard. */
export class Ear {
  readonly diary = new Diary<Message>();

  request(method: string, from = 0): Promise<Request> {
    return this.diary.first('request', (one) => one.method === method, from);
  }

  response(status: number, method: string, from = 0): Promise<Response> {
    return this.diary.first(
      'response',
      (one) => one.status === status && cseqOf(one)?.method === method,
      from,
    );
  }

  get count(): number {
    return this.diary.events.length;
  }
}

/** A description with one line of audio at this place; RTCP on the next port. */
export function audio({ address, port }: Endpoint, ...more: readonly string[]): string {
  const host = address.join('.');
  const lines = ['v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'];
  return `${[...lines, `m=audio ${port} RTP/AVP 0`, ...more].join('\r\n')}\r\n`;
}

export class SimPhone extends Ear {
  readonly socket: UdpSocket;
  readonly media: Talker;
  /** The sidecar. */
  readonly proxy: Endpoint;
  #branch = 0;

  private constructor(socket: UdpSocket, media: Talker, proxy: Endpoint, ear: Ear) {
    super();
    this.socket = socket;
    this.media = media;
    this.proxy = proxy;
    Object.assign(this, { diary: ear.diary });
  }

  static async open(proxy: Endpoint): Promise<SimPhone> {
    const ear = new Ear();
    const socket = must(
      await openUdp(endpointOf(HERE, 0), (payload) => {
        const message = readDatagram(payload, 0, payload.length);
        if (typeof message !== 'number') ear.diary.add(message);
      }),
    );
    return new SimPhone(socket, await openTalker(HERE), proxy, ear);
  }

  get contact(): string {
    return `<sip:alice@${HERE}:${this.socket.local.port}>`;
  }

  /** Octets as they are. */
  send(octets: Uint8Array | string): void {
    const b = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
    this.socket.send(b, 0, b.length, this.proxy.address, 0, this.proxy.port);
  }

  /** A request of the call `callId`; the text, so that it can be sent again. */
  ask(method: string, callId: string, told: Told = {}): string {
    this.#branch += 1;
    const { number = 1, more = [], body = '', to = '<sip:bob@example.net>' } = told;
    const text = sip(
      [
        `${method} ${told.uri ?? 'sip:bob@example.net'} SIP/2.0`,
        `Via: SIP/2.0/UDP ${HERE}:${this.socket.local.port};rport;branch=z9hG4bK${callId}${this.#branch}`,
        ...more,
        `From: <sip:alice@example.org>;tag=phone`,
        `To: ${to}`,
        `Call-ID: ${callId}`,
        `CSeq: ${number} ${method}`,
        `Contact: ${this.contact}`,
        'Max-Forwards: 70',
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
      ],
      body,
    );
    this.send(text);
    return text;
  }

  answer(request: Request, status: number, told: Told = {}): void {
    this.send(answerTo(request, status, 'phone', this.contact, told));
  }

  async close(): Promise<void> {
    await Promise.all([this.socket.close(), this.media.socket.close()]);
  }
}

export interface Told {
  readonly number?: number;
  readonly uri?: string;
  readonly to?: string;
  readonly more?: readonly string[];
  readonly body?: string;
}

export class SimCore extends Ear {
  readonly #listener: TcpListener;
  readonly media: Talker;
  readonly connections: Socket[] = [];
  #branch = 0;

  private constructor(listener: TcpListener, media: Talker, ear: Ear, connections: Socket[]) {
    super();
    this.#listener = listener;
    this.media = media;
    this.connections = connections;
    Object.assign(this, { diary: ear.diary });
  }

  static async open(port = 0): Promise<SimCore> {
    const ear = new Ear();
    const connections: Socket[] = [];
    const listener = must(
      await listenTcp({ host: HERE, port }, (socket) => {
        connections.push(socket);
        const stream = new SipStream('pings');
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          stream.append(chunk, 0, chunk.length);
          for (let e = stream.next(); e !== undefined; e = stream.next()) {
            if (e.type === 'message') ear.diary.add(e.message);
            else if (e.type === 'ping') socket.write('\r\n');
          }
        });
        socket.once('end', () => socket.end());
      }),
    );
    return new SimCore(listener, await openTalker(HERE), ear, connections);
  }

  get url(): string {
    const { local } = this.#listener;
    return `tcp://${hostOf(local)}:${local.port}`;
  }

  get port(): number {
    return this.#listener.local.port;
  }

  send(octets: string): void {
    this.connections.at(-1)?.write(octets, 'latin1');
  }

  answer(request: Request, status: number, told: Told = {}): void {
    this.send(answerTo(request, status, 'core', '<sip:bob@198.51.100.9>', told));
  }

  /** A request to the phone, as an edge proxy sends it on. */
  ask(method: string, callId: string, uri: string, told: Told = {}): void {
    this.#branch += 1;
    const { number = 1, more = [], body = '', to = '<sip:alice@example.org>' } = told;
    this.send(
      sip(
        [
          `${method} ${uri} SIP/2.0`,
          `Via: SIP/2.0/TCP 198.51.100.1;branch=z9hG4bKcore${callId}${this.#branch}`,
          ...more,
          'From: <sip:bob@example.net>;tag=core',
          `To: ${to}`,
          `Call-ID: ${callId}`,
          `CSeq: ${number} ${method}`,
          'Contact: <sip:bob@198.51.100.9>',
          'Max-Forwards: 60',
          ...(body === '' ? [] : ['Content-Type: application/sdp']),
        ],
        body,
      ),
    );
  }

  /** Resolves when the other end of the last connection has closed it. */
  async ended(): Promise<void> {
    const last = this.connections.at(-1);
    if (last?.closed === false) await once(last, 'close');
  }

  /** All connections break. */
  cut(): void {
    for (const socket of this.connections) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await Promise.all([this.#listener.close(), this.media.socket.close()]);
  }
}

function answerTo(request: Request, status: number, tag: string, contact: string, told: Told) {
  const { more = [], body = '' } = told;
  const vias = request.fields.filter(({ key }) => key === 'via' || key === 'record-route');
  const to = header(request, 'to') ?? '';
  return sip(
    [
      `SIP/2.0 ${status} Said`,
      ...vias.map(({ start, end }) => request.text.slice(start, end - 2)),
      `From: ${header(request, 'from') ?? ''}`,
      `To: ${to.includes(';tag=') ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${callIdOf(request)}`,
      `CSeq: ${header(request, 'cseq') ?? ''}`,
      ...(more.some((line) => line.startsWith('Contact')) ? [] : [`Contact: ${contact}`]),
      ...more,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    body,
  );
}
