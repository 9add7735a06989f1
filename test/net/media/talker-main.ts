/**
 * `node talker-main.js ADDRESS PORT`: one end of a call that knows every octet. Does what lines on its
 * standard input say:
 *
 *     stun ADDRESS PORT              asks there for its public address; prints `mapped ADDRESS PORT`
 *     talk ADDRESS PORT SSRC COUNT   sends so many packets, one each 20 ms; prints `sent SSRC COUNT`
 *     follow                         talks on to wherever the latest packet came from, as gateways do
 *     hush                           ends talking early; `sent` tells how many there were
 *     report                         prints `heard` and a JSON list of the streams
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { formatAddress } from '../../../wire/address.ts';
import { decode, encode, find, looksLikeStun } from '../../../wire/stun/message.ts';
import { METHODS } from '../../../wire/stun/registry.ts';
import { Listener } from './heard.ts';
import { readRtpPacket, rtpPacket } from './rtp-packet.ts';

const PACKET_MS = 20;
const ASK_AGAIN_MS = 250;

const [address = '', portText = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const listeners = new Map<number, Listener>();
/** Packets that are none of a stream: changed, or somebody else's. */
let strange = 0;
let mapped: string | undefined;
let asking: NodeJS.Timeout | undefined;
/** Where the latest packet came from, when that is where to talk to. */
let latest: { readonly host: string; readonly port: number } | undefined;
let follows = false;
let talking: { timer: NodeJS.Timeout; hush: () => void } | undefined;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function ask(host: string, port: number): void {
  mapped = undefined;
  clearInterval(asking);
  const request = encode(
    { class: 'request', method: METHODS.BINDING, transactionId: randomBytes(12), attributes: [] },
    { fingerprint: true },
  );
  const send = () => socket.send(request, port, host, () => {});
  send();
  asking = setInterval(send, ASK_AGAIN_MS);
}

function answered(b: Buffer): void {
  const message = decode(b, 0, b.length);
  if (typeof message === 'number' || message.class !== 'success' || mapped !== undefined) return;
  const found = find(message, 'XOR-MAPPED-ADDRESS');
  if (found === undefined) return;
  clearInterval(asking);
  mapped = `${formatAddress(found.address, 0, found.address.length)} ${found.port}`;
  say(`mapped ${mapped}`);
}

/** Each packet at its own time, however late the one before it was. */
function talk(host: string, port: number, ssrc: number, count: number): void {
  const beganMs = performance.now();
  let n = 0;
  const end = () => {
    clearInterval(talking?.timer);
    talking = undefined;
    say(`sent ${ssrc} ${n}`);
  };
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor((performance.now() - beganMs) / PACKET_MS));
    // Refused by the system while an interface is down: lost, like on any network.
    for (; n < due; n++) {
      const to = (follows ? latest : undefined) ?? { host, port };
      socket.send(rtpPacket(ssrc, n), to.port, to.host, () => {});
    }
    if (n >= count) end();
  }, PACKET_MS);
  talking = { timer, hush: end };
}

function obey(line: string): void {
  const [verb, host = '', port, ssrc, count] = line.split(' ');
  if (verb === 'stun') ask(host, Number(port));
  else if (verb === 'talk') talk(host, Number(port), Number(ssrc), Number(count));
  else if (verb === 'follow') follows = true;
  else if (verb === 'hush') talking?.hush();
  else if (verb === 'report') {
    const streams = [...listeners.values()].map((listener) => listener.report());
    say(`heard ${JSON.stringify({ streams, strange })}`);
  }
}

socket.on('error', () => {});
socket.on('message', (b, from) => {
  if (looksLikeStun(b, 0, b.length)) return answered(b);
  const packet = readRtpPacket(b);
  if (packet === undefined) {
    strange += 1;
    return;
  }
  const listener = listeners.get(packet.ssrc) ?? new Listener(packet.ssrc);
  listeners.set(packet.ssrc, listener);
  latest = { host: from.address, port: from.port };
  listener.packet(packet.n, `${from.address} ${from.port}`, performance.now());
});
socket.bind(Number(portText), address, () => say('ready'));
createInterface({ input: process.stdin }).on('line', obey);
