/** SIP proxies that control a media gateway over one transport, as Kamailio does. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { Plain } from '../../../framing/ng/bencode.ts';
import { encodeMessage, type NgMessage, readDatagram } from '../../../framing/ng/message.ts';
import { NgStream } from '../../../framing/ng/stream.ts';

export type Dictionary = Readonly<Record<string, Plain>>;

export interface SipProxy {
  /** Sends octets as they are. */
  send(octets: Uint8Array): void;
  /** The octets of the next answer. */
  next(): Promise<Uint8Array>;
  /** A command with a cookie of its own, and its answer. */
  ask(dictionary: Dictionary): Promise<NgMessage>;
  close(): void;
}

export type Transport = 'udp' | 'tcp' | 'http' | 'ws';

export async function openProxy(transport: Transport, port: number): Promise<SipProxy> {
  const inbox = new Inbox();
  const link = await LINKS[transport](port, (octets) => inbox.put(octets));
  const { send } = link;
  const ask = async (dictionary: Dictionary) => {
    const cookie = randomBytes(8).toString('hex');
    send(command(cookie, dictionary));
    const octets = await inbox.take();
    const message = readDatagram(octets, 0, octets.length);
    if (typeof message === 'number') throw new Error(`fault ${message} in an answer`);
    if (message.cookie !== cookie) throw new Error('the answer to something else');
    return message;
  };
  return { ...link, next: () => inbox.take(), ask };
}

export function command(cookie: string, dictionary: Dictionary): Uint8Array {
  return encodeMessage(cookie, new Map(Object.entries(dictionary)));
}

class Inbox {
  readonly #arrived: Uint8Array[] = [];
  readonly #waiting: ((octets: Uint8Array) => void)[] = [];

  put(octets: Uint8Array): void {
    const waits = this.#waiting.shift();
    if (waits) waits(octets);
    else this.#arrived.push(octets);
  }

  take(): Promise<Uint8Array> {
    const octets = this.#arrived.shift();
    if (octets) return Promise.resolve(octets);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

interface Link {
  send(octets: Uint8Array): void;
  close(): void;
}

type Heard = (octets: Uint8Array) => void;

const LINKS: Readonly<Record<Transport, (port: number, heard: Heard) => Promise<Link>>> = {
  async udp(port, heard) {
    const socket = createSocket('udp4');
    socket.on('message', heard).on('error', () => {});
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
    return { send: (octets) => socket.send(octets), close: () => socket.close() };
  },
  async tcp(port, heard) {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const stream = new NgStream();
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        const messages = stream.push(chunk);
        if (typeof messages !== 'number') messages.forEach(heard);
      });
    return { send: (octets) => socket.write(octets), close: () => socket.destroy() };
  },
  async http(port, heard) {
    const send = async (octets: Uint8Array) => {
      const headers = { 'content-type': 'application/x-rtpengine-ng' };
      const body = Buffer.from(octets);
      const answer = await fetch(`http://127.0.0.1:${port}/ng`, { method: 'POST', headers, body });
      heard(new Uint8Array(await answer.arrayBuffer()));
    };
    return { send: (octets) => void send(octets), close: () => {} };
  },
  async ws(port, heard) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'ng.rtpengine.com');
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('message', (data) => heard(data as Buffer));
    return { send: (octets) => socket.send(octets), close: () => socket.terminate() };
  },
};
