import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { encodeProxyHeader } from '../../framing/proxy-protocol.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { FAULTS, faultName } from '../../wire/faults.ts';
import { decode, encode, find, type StunMessage } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import { peerOutput, peerTest } from '../peers.ts';
import { anotherClient, openCall, openPair, openTalker } from './pair.ts';
import { type CuttableWire, openWire } from './wire.ts';

const CONNECT =
  'CONNECT tep.example:80 HTTP/1.1\r\nHost: tep.example:80\r\nUser-Agent: 3GPP-IMS-FS_FIRE/1.0\r\n\r\n';
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

const BINDING_REQUEST = encode({
  class: 'request',
  method: METHODS.BINDING,
  transactionId: new Uint8Array(12).fill(7),
  attributes: [],
});

async function dial(t: ExecutionContext, { port }: Endpoint): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Reads until so many octets are there. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  let got = Buffer.alloc(0);
  while (got.length < length) got = Buffer.concat([got, (await once(socket, 'data'))[0]]);
  return got;
}

function answered(t: ExecutionContext, octets: Uint8Array): StunMessage {
  const message = decode(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error(faultName(message));
  t.is(message.class, 'success');
  return message;
}

test('[H-03] a CONNECT that no proxy consumed is answered, and the tunnel goes on behind it', async (t) => {
  let wire: CuttableWire | undefined;
  const pair = await openPair({
    through: async (server) => {
      wire = await openWire(server, async (far) => {
        far.write(CONNECT);
        t.is((await read(far, ESTABLISHED.length)).toString(), ESTABLISHED);
      });
      return wire.target;
    },
  });
  const { phone, gateway, standIn, close } = await openCall(pair);
  phone.say('through CONNECT', standIn);
  await gateway.hear('through CONNECT');
  await close();
  await pair.stop();
  await wire?.close();
});

test('[H-03] CONNECT and what follows in one segment, or octet by octet', async (t) => {
  const pair = await openPair();
  const whole = Buffer.concat([Buffer.from(CONNECT), BINDING_REQUEST]);
  for (const piece of [whole.length, 1]) {
    const socket = await dial(t, pair.listening);
    socket.setNoDelay();
    for (let at = 0; at < whole.length; at += piece) {
      socket.write(whole.subarray(at, at + piece));
      if (piece === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await read(socket, ESTABLISHED.length + 20);
    t.is(answer.toString('latin1', 0, ESTABLISHED.length), ESTABLISHED);
    const stun = answered(t, answer.subarray(ESTABLISHED.length));
    t.is(find(stun, 'XOR-MAPPED-ADDRESS')?.port, socket.localPort);
    socket.destroy();
  }
  await pair.stop();
});

test('[W-1] any other HTTP request gets a short answer and a close', async (t) => {
  const pair = await openPair();
  for (const [request, status] of [
    ['GET / HTTP/1.1\r\nHost: tep.example\r\n\r\n', '404 Not Found'],
    ['HEAD /health HTTP/1.0\r\n\r\n', '404 Not Found'],
    ['GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['CONNECT no-port HTTP/1.1\r\nHost: x\r\n\r\n', '400 Bad Request'],
  ] as const) {
    const socket = await dial(t, pair.listening);
    socket.write(request);
    t.true((await text(socket)).startsWith(`HTTP/1.1 ${status}\r\n`), request);
  }
  const turnedAway = pair.serverSays.events.filter(({ type }) => type === 'turned-away');
  t.is(turnedAway.length, 4);
  await pair.stop();
});

test('[W-1] what speaks something else is closed without an answer, and told', async (t) => {
  const pair = await openPair();
  for (const [greeting, speech] of [
    [Buffer.from('INVITE sip:a@b SIP/2.0\r\n'), 'sip'],
    [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]), 'tls'],
    [Buffer.from('SSH-2.0-scanner\r\n'), 'frame-unknown'],
    [Buffer.from(`${CONNECT}${CONNECT}`), 'connect'],
  ] as const) {
    const mark = pair.serverSays.events.length;
    const socket = await dial(t, pair.listening);
    socket.write(greeting);
    socket.resume();
    await once(socket, 'close');
    const told = await pair.serverSays.first('turned-away', () => true, mark);
    t.is(told.reason, speech);
  }
  await pair.stop();
});

test('connections that say nothing do not keep the server from stopping', async (t) => {
  const pair = await openPair();
  const silent = [await dial(t, pair.listening), await dial(t, pair.listening)];
  silent[1]?.write('CONN');
  // Not `once`: it would take the reset for a failure.
  const closed = silent.map(
    (socket) => new Promise((resolve) => socket.resume().on('close', resolve)),
  );
  await pair.stop();
  await Promise.all(closed);
  t.pass();
});

test('[M-02] [M-05] plain STUN by TCP and by UDP on the same port: where the request came from', async (t) => {
  const pair = await openPair({ stunUdp: true });
  const socket = await dial(t, pair.listening);
  socket.write(BINDING_REQUEST);
  const byTcp = answered(t, await read(socket, 20));
  t.is(find(byTcp, 'XOR-MAPPED-ADDRESS')?.port, socket.localPort);

  const talker = await openTalker('127.0.0.1');
  const { address, port } = pair.listening;
  talker.socket.send(BINDING_REQUEST, 0, BINDING_REQUEST.length, address, 0, port);
  const heard = await talker.heard.first('heard');
  const byUdp = answered(t, heard.payload);
  t.is(find(byUdp, 'XOR-MAPPED-ADDRESS')?.port, talker.socket.local.port);
  await talker.socket.close();
  await pair.stop();
});

peerTest('turnutils_stunclient', "[M-05] coturn's STUN client is answered by UDP", async (t) => {
  const pair = await openPair({ stunUdp: true });
  const args = ['-p', String(pair.listening.port), '127.0.0.1'];
  t.regex(await peerOutput('turnutils_stunclient', args), /UDP reflexive addr: 127\.0\.0\.1:\d+/);
  await pair.stop();
});

test('[M-05] a client that ends its side with its question still gets the answer', async (t) => {
  const pair = await openPair();
  const socket = connect({ port: pair.listening.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.end(BINDING_REQUEST);
  const answer = Buffer.concat(await socket.toArray());
  answered(t, answer);
  await pair.stop();
});

test('stopping waits for nobody who was turned away', async (t) => {
  const pair = await openPair();
  const socket = connect({ port: pair.listening.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await once(socket, 'data');
  const late = setTimeout(() => t.fail('still waiting'), 5_000);
  await pair.stop();
  clearTimeout(late);
  t.pass();
});

test('a client that ends its side before it has said anything is closed at once', async (t) => {
  const pair = await openPair();
  const socket = connect({ port: pair.listening.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.end();
  socket.resume();
  await once(socket, 'close');
  t.like(await pair.serverSays.first('turned-away'), { reason: 'silent' });
  await pair.stop();
});

const LOOPBACK = { family: 4, address: Uint8Array.of(127, 0, 0, 0), length: 8 } as const;
const LIMITS = { connections: 100, connectionsPerAddress: 100, greetingMs: 10_000 };

/** Not `once`: it would take a reset for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().on('close', () => resolve()));
}

test('[W-1] from a load balancer: the address in the PROXY header is the peer, both versions', async (t) => {
  const pair = await openPair({ door: { proxies: [LOOPBACK] } });
  const four = { family: 4, address: Uint8Array.of(192, 0, 2, 7), port: 1234 } as const;
  for (const header of [
    Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1234 80\r\n'),
    encodeProxyHeader(four, pair.listening),
  ]) {
    const socket = await dial(t, pair.listening);
    socket.write(Buffer.concat([header, Buffer.from(CONNECT), BINDING_REQUEST]));
    const answer = await read(socket, ESTABLISHED.length + 20);
    const mapped = find(answered(t, answer.subarray(ESTABLISHED.length)), 'XOR-MAPPED-ADDRESS');
    t.deepEqual(mapped && formatEndpoint(mapped), '192.0.2.7:1234');
    socket.destroy();
  }
  await pair.stop();
});

test("[W-1] a balancer's own connection, such as a health check, is its own", async (t) => {
  const pair = await openPair({ door: { proxies: [LOOPBACK] } });
  const socket = await dial(t, pair.listening);
  socket.write(Buffer.concat([Buffer.from('PROXY UNKNOWN\r\n'), BINDING_REQUEST]));
  const answer = answered(t, await read(socket, 20));
  t.is(find(answer, 'XOR-MAPPED-ADDRESS')?.port, socket.localPort);
  await pair.stop();
});

test('[W-1] without its header a balancer is closed; from anybody else a header is nothing', async (t) => {
  for (const [proxies, octets, reason] of [
    [[LOOPBACK], BINDING_REQUEST, 'proxy-header'],
    [[LOOPBACK], Buffer.from('GET / HTTP/1.0\r\n\r\n'), 'proxy-header'],
    [[], Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1234 80\r\n'), 'frame-unknown'],
    [[], Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), 'frame-unknown'],
  ] as const) {
    const pair = await openPair({ door: { proxies } });
    const socket = await dial(t, pair.listening);
    socket.write(octets);
    await closed(socket);
    t.like(await pair.serverSays.first('turned-away'), { reason });
    t.is(pair.server.door.turnedAway.get(reason), 1);
    await pair.stop();
  }
});

test('[G-22] connections from one address: those behind a balancer are counted by their own', async (t) => {
  const limits = { ...LIMITS, connectionsPerAddress: 1 };
  const pair = await openPair({ door: { proxies: [LOOPBACK], limits } });
  const from = async (address: string) => {
    const socket = await dial(t, pair.listening);
    socket.write(`PROXY TCP4 ${address} 198.51.100.1 1234 80\r\n`);
    socket.write(BINDING_REQUEST);
    return socket;
  };
  const first = await from('192.0.2.1');
  await read(first, 20);
  await closed(await from('192.0.2.1'));
  const { peer } = await pair.serverSays.first(
    'turned-away',
    ({ reason }) => reason === 'connections-per-address',
  );
  t.is(formatEndpoint(peer), '192.0.2.1:1234');
  await read(await from('192.0.2.2'), 20);
  t.is(pair.server.door.crowd.unauthenticated, 2);
  await pair.stop();
});

test('[G-22] who is authenticated does not count against his address any more', async (t) => {
  const limits = { ...LIMITS, connectionsPerAddress: 1 };
  const pair = await openPair({ door: { limits } });
  t.is((await pair.client.open()).type, 'opened');
  const other = anotherClient(pair);
  t.is((await other.client.open()).type, 'opened');
  t.is(pair.server.door.crowd.unauthenticated, 0);
  t.is(pair.server.door.crowd.size, 2);
  await other.stop();
  await pair.stop();
});

test('[G-22] connections over the limit are closed and counted', async (t) => {
  const pair = await openPair({ door: { limits: { ...LIMITS, connections: 1 } } });
  const first = await dial(t, pair.listening);
  await closed(await dial(t, pair.listening));
  t.is(pair.server.door.turnedAway.get('connections'), 1);
  first.destroy();
  await pair.serverSays.first('turned-away', ({ reason }) => reason === 'silent');
  const next = await dial(t, pair.listening);
  next.write(BINDING_REQUEST);
  await read(next, 20);
  await pair.stop();
});

test('[G-22] one deadline for all that comes before authentication, however slowly it drips', async (t) => {
  const pair = await openPair({ door: { limits: { ...LIMITS, greetingMs: 300 } } });
  const begin = Date.now();
  const [silent, drip, challenged] = [
    await dial(t, pair.listening),
    await dial(t, pair.listening),
    await dial(t, pair.listening),
  ];
  const dripping = setInterval(() => drip.write('C'), 50);
  challenged.write(BINDING_REQUEST);
  await Promise.all([silent, drip, challenged].map(closed));
  clearInterval(dripping);
  t.true(Date.now() - begin >= 250);
  t.is(pair.server.counters.of(FAULTS.TRANSACTION_TIMEOUT), 1);
  const told = [...pair.server.door.turnedAway.keys()].sort();
  t.true(told.includes('silent'));
  await pair.stop();
});

test('[G-22] empty lines without end, and a request without end, are not read for ever', async (t) => {
  const pair = await openPair();
  const lines = await dial(t, pair.listening);
  lines.write('\r\n'.repeat(10_000));
  await closed(lines);
  t.is(pair.server.door.turnedAway.get('unauthenticated-limit'), 1);
  const flood = connect({ port: pair.listening.port, host: '127.0.0.1', allowHalfOpen: true });
  flood.on('error', () => {});
  flood.write('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(flood, 'data');
  flood.write(Buffer.alloc(1_000_000));
  while (pair.server.door.crowd.size > 0) await new Promise((resolve) => setImmediate(resolve));
  flood.destroy();
  await pair.stop();
});
