/** The SIP messages of test/vectors/sip and the small words that tests on them use. */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import {
  latin1,
  type Message,
  type Request,
  type Response,
  readDatagram,
} from '../../sip/message.ts';
import { faultName } from '../../wire/faults.ts';

const FOLDER = new URL('../../../test/vectors/sip/', import.meta.url);

/** Names of the messages in a folder: `torture`, `torture-ipv6`, `recorded`. */
export function names(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, FOLDER))
    .filter((name) => name.endsWith('.sip'))
    .map((name) => name.slice(0, -'.sip'.length));
}

export function vector(folder: string, name: string): Buffer {
  return readFileSync(new URL(`${folder}/${name}.sip`, FOLDER));
}

export function datagram(octets: Uint8Array | string): Message {
  const b = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
  const message = readDatagram(b, 0, b.length);
  if (typeof message === 'number') throw new Error(faultName(message));
  return message;
}

export function request(octets: Uint8Array | string): Request {
  const message = datagram(octets);
  if (message.type !== 'request') throw new Error('a response');
  return message;
}

export function response(octets: Uint8Array | string): Response {
  const message = datagram(octets);
  if (message.type !== 'response') throw new Error('a request');
  return message;
}

export function textOf(octets: Uint8Array): string {
  return latin1(octets, 0, octets.length);
}

/** What a message of these lines looks like on the wire; the body's length is written. */
export function sip(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** An INVITE with what a proxy needs, and further lines in front of the rest. */
export function invite(...more: readonly string[]): string {
  return sip([
    'INVITE sip:bob@example.net SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1',
    ...more,
    'From: <sip:alice@example.org>;tag=a',
    'To: <sip:bob@example.net>',
    'Call-ID: one@example.org',
    'CSeq: 7 INVITE',
    'Max-Forwards: 70',
  ]);
}
