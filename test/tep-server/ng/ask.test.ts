/** A question to the media gateway, and what stands in the way of its answer. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import type { NgAddress } from '../../../config/address-kinds.ts';
import { readDatagram, stringOf } from '../../../framing/ng/message.ts';
import { ask } from '../../../tep-server/ng/ask.ts';
import { command } from './proxies.ts';

const PING = new Map([['command', 'ping']]);
/** Nobody waits for so long. */
const LONG_MS = 60_000;

function gatewayAt(transport: NgAddress['transport'], { port }: AddressInfo): NgAddress {
  return { transport, at: { family: 4, address: Uint8Array.of(127, 0, 0, 1), port } };
}

test('UDP: what somebody else says to the port of the question is no answer', async (t) => {
  const stranger = createSocket('udp4');
  const gateway = createSocket('udp4');
  gateway.on('message', (octets, from) => {
    const question = readDatagram(octets, 0, octets.length);
    const cookie = typeof question === 'number' ? '' : question.cookie;
    stranger.send(command(cookie, { result: 'forged' }), from.port, from.address, () => {
      gateway.send(command(cookie, { result: 'pong' }), from.port, from.address);
    });
  });
  gateway.bind(0, '127.0.0.1');
  await once(gateway, 'listening');
  t.teardown(() => {
    stranger.close();
    gateway.close();
  });
  const answer = await ask(gatewayAt('udp', gateway.address()), PING, LONG_MS);
  t.is(answer && stringOf(answer, 'result'), 'pong');
});

test('TCP: an answer that drips is not waited for any longer than one that does not come', async (t) => {
  const server = createServer((socket) => {
    socket.write('c d6:result200000:');
    const dripping = setInterval(() => socket.write('x'), 5);
    socket.on('error', () => {}).on('close', () => clearInterval(dripping));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.is(await ask(gatewayAt('tcp', server.address() as AddressInfo), PING, 200), undefined);
});

test('HTTP: an answer without an end is not kept', async (t) => {
  const server = createHttpServer((_, to) => {
    const pour = () => {
      while (!to.destroyed && to.write('x'.repeat(10_000)));
    };
    to.on('drain', pour);
    pour();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  t.is(await ask(gatewayAt('http', server.address() as AddressInfo), PING, LONG_MS), undefined);
});
