/** A command of our own to the media gateway, and its answer: over whichever transport it is reached by. */
import { connect } from 'node:net';
import type { NgAddress } from '../../config/address-kinds.ts';
import type { Plain } from '../../framing/ng/bencode.ts';
import { encodeMessage, type NgMessage, readDatagram } from '../../framing/ng/message.ts';
import { NgStream } from '../../framing/ng/stream.ts';
import { hostOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { openUdp } from '../../io/udp-socket.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../wire/address.ts';
import { bodyOf } from './http-body.ts';

const AGAIN_MS = 500;
const COOKIE_LEN = 8;

type Dictionary = ReadonlyMap<string, Plain>;

/** Undefined when no answer came in time, or none that can be read. */
export async function ask(
  { transport, at }: NgAddress,
  dictionary: Dictionary,
  limitMs: number,
): Promise<NgMessage | undefined> {
  const cookie = Buffer.from(systemRandom(COOKIE_LEN)).toString('hex');
  const octets = encodeMessage(cookie, dictionary);
  const answer = await WAYS[transport](at, octets, limitMs);
  const message = answer && readDatagram(answer, 0, answer.length);
  return typeof message === 'object' && message.cookie === cookie ? message : undefined;
}

type Way = (at: Endpoint, octets: Uint8Array, limitMs: number) => Promise<Uint8Array | undefined>;

const WAYS: Readonly<Record<NgAddress['transport'], Way>> = {
  udp: byUdp,
  tcp: byTcp,
  http: byHttp,
};

async function byUdp(at: Endpoint, octets: Uint8Array, limitMs: number) {
  let heard: (payload: Uint8Array | undefined) => void = () => {};
  const answered = new Promise<Uint8Array | undefined>((resolve) => {
    heard = resolve;
  });
  const any = { family: at.family, address: new Uint8Array(at.address.length), port: 0 };
  const socket = await openUdp(any, (payload, from) => {
    // Only the gateway is asked: whatever else comes to this port is no answer.
    if (sameEndpoint(from, at)) heard(payload);
  });
  if (isIoFault(socket)) return undefined;
  const send = () => socket.send(octets, 0, octets.length, at.address, 0, at.port);
  send();
  const again = setInterval(send, AGAIN_MS);
  const late = setTimeout(() => heard(undefined), limitMs);
  const answer = await answered;
  clearInterval(again);
  clearTimeout(late);
  await socket.close();
  return answer;
}

function byTcp(at: Endpoint, octets: Uint8Array, limitMs: number): Promise<Uint8Array | undefined> {
  const socket = connect({ host: hostOf(at), port: at.port });
  const stream = new NgStream();
  let late: NodeJS.Timeout | undefined;
  return new Promise<Uint8Array | undefined>((resolve) => {
    late = setTimeout(() => resolve(undefined), limitMs);
    socket.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      const messages = stream.push(chunk);
      if (typeof messages === 'number') resolve(undefined);
      else if (messages.length > 0) resolve(messages[0]);
    });
    socket.write(octets);
  }).finally(() => {
    clearTimeout(late);
    socket.destroy();
  });
}

async function byHttp(at: Endpoint, octets: Uint8Array, limitMs: number) {
  try {
    const answer = await fetch(`http://${formatEndpoint(at)}/ng`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-rtpengine-ng' },
      body: Buffer.from(octets),
      signal: AbortSignal.timeout(limitMs),
    });
    return answer.body === null ? undefined : await bodyOf(answer.body);
  } catch {
    return undefined;
  }
}
