import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { type DatagramEvents, NodeDatagrams, openDatagrams } from '../../io/datagrams.ts';
import { endpointOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { openUdp } from '../../io/udp-socket.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

const FAMILIES = [
  { name: 'IPv4', loopback: '127.0.0.1', gateway: '192.0.2.7', header: 20, run: test },
  {
    name: 'IPv6',
    loopback: '::1',
    gateway: '2001:db8::7',
    header: 40,
    run: hasIpv6 ? test : test.skip,
  },
] as const;

/** Both ways to UDP sockets; the first is the second where the machine has no system calls for us. */
const WAYS = {
  'system calls': openDatagrams,
  "Node's sockets": (events: DatagramEvents) => new NodeDatagrams(events),
} as const;
type Way = keyof typeof WAYS;

/** More than any call takes. */
const BURST = 150;

/** An ordinary program with a UDP socket. */
async function program(t: ExecutionContext, host: string): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  t.teardown(() => socket.close());
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

function open(t: ExecutionContext, way: Way = 'system calls'): [UdpSockets, () => Promise<Buffer>] {
  const port = new UdpSockets(randomBytes, WAYS[way]);
  const packets: Buffer[] = [];
  let wake = () => {};
  port.start((b, at, end) => {
    packets.push(Buffer.from(b.subarray(at, end)));
    wake();
  });
  t.teardown(() => port.close());
  const next = async () => {
    while (packets.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return packets.shift() ?? Buffer.alloc(0);
  };
  return [port, next];
}

function isEndpoint(t: ExecutionContext, value: object): asserts value is Endpoint {
  t.false(isIoFault(value), JSON.stringify(value));
}

/** What a packet says, and that its checksums are right. */
function told(t: ExecutionContext, b: Uint8Array) {
  const view = new PacketView();
  t.is(readPacket(view, b, 0, b.length), 0);
  t.is(checksumsRight(b, view), 0);
  const family = view.version;
  const { addressLength: n, sourceAt, destinationAt } = view;
  const endpoint = (at: number, port: number) =>
    formatEndpoint({ family, address: b.slice(at, at + n), port });
  return {
    from: endpoint(sourceAt, view.sourcePort),
    to: endpoint(destinationAt, view.destinationPort),
    payload: Buffer.from(b.subarray(view.payload, view.payloadEnd)),
  };
}

function localOf(socket: Socket): Endpoint {
  return endpointOf(socket.address().address, socket.address().port);
}

const CASES = FAMILIES.flatMap((family) =>
  (Object.keys(WAYS) as Way[]).map((way) => ({ ...family, way, name: `${family.name}, ${way}` })),
);

for (const { name, way, loopback, gateway, header, run } of CASES) {
  run(`${name}: a socket that stands for itself is the public address of a relay`, async (t) => {
    const [port, next] = open(t, way);
    const agw = await program(t, loopback);
    const local = await port.listen(1, endpointOf(loopback, 0));
    isEndpoint(t, local);
    t.not(local.port, 0);

    agw.send('down', local.port, loopback);
    const down = told(t, await next());
    t.is(down.from, formatEndpoint(localOf(agw)));
    t.is(down.to, formatEndpoint(local));
    t.is(down.payload.toString(), 'down');

    const up = new Uint8Array(100).fill(0xa5);
    const n = writeUdpPacket(up, 3, local, localOf(agw), Buffer.from('up'), 0, 2);
    const received = once(agw, 'message');
    port.send(up, 3, 3 + n);
    port.flush();
    const [payload, from] = await received;
    t.is(payload.toString(), 'up');
    t.is(from.port, local.port);
  });

  run(
    `${name}: a socket that stands for a gateway serves every application that uses it`,
    async (t) => {
      const [port, next] = open(t, way);
      const agw = endpointOf(gateway, 40_000);
      const local = await port.listen(1, endpointOf(loopback, 0), agw);
      isEndpoint(t, local);
      for (const word of ['one', 'two']) {
        const phone = await program(t, loopback);
        phone.send(word, local.port, loopback);
        const up = told(t, await next());
        t.is(up.from, formatEndpoint(localOf(phone)));
        t.is(up.to, formatEndpoint(agw));
        t.is(up.payload.toString(), word);

        const down = new Uint8Array(100);
        const n = writeUdpPacket(down, 0, agw, localOf(phone), Buffer.from(word), 0, 3);
        const received = once(phone, 'message');
        port.send(down, 0, n);
        port.flush();
        const [payload, from] = await received;
        t.is(payload.toString(), word);
        t.is(from.port, local.port);
      }
    },
  );

  run(`${name}: empty datagrams are packets; the longest record is the limit`, async (t) => {
    const [port, next] = open(t, way);
    const agw = await program(t, loopback);
    const local = await port.listen(1, endpointOf(loopback, 0));
    isEndpoint(t, local);
    agw.send('', local.port, loopback);
    t.is((await next()).length, header + 8);
    const longest = Buffer.alloc(65_535 - header - 8, 0x5a);
    // One octet more exists only in IPv6, where the packet is longer than its payload length says.
    if (header === 40) agw.send(Buffer.alloc(longest.length + 1), local.port, loopback);
    agw.send(longest, local.port, loopback);
    const packet = await next();
    t.is(packet.length, 65_535);
    t.deepEqual(told(t, packet).payload, longest);
    t.is(port.counters.dropped.get('too-long'), header === 40 ? 1 : undefined);
    const received = once(agw, 'message');
    const back = new Uint8Array(65_535);
    writeUdpPacket(back, 0, local, localOf(agw), longest, 0, longest.length);
    port.send(back, 0, back.length);
    port.flush();
    t.deepEqual((await received)[0], longest);
  });

  run(`${name}: more than goes in one call leaves at the flush, in order`, async (t) => {
    const [port] = open(t, way);
    const agw = await program(t, loopback);
    const local = await port.listen(1, endpointOf(loopback, 0));
    isEndpoint(t, local);
    const packet = new Uint8Array(100);
    const numbers: number[] = [];
    const all = new Promise<void>((resolve) => {
      agw.on('message', (payload) => {
        if (numbers.push(payload.readUInt16BE(0)) === BURST) resolve();
      });
    });
    for (let i = 0; i < BURST; i++) {
      const n = writeUdpPacket(packet, 0, local, localOf(agw), Uint8Array.of(i >> 8, i), 0, 2);
      port.send(packet, 0, n);
    }
    port.flush();
    await all;
    t.deepEqual(numbers, [...Array(BURST).keys()]);
    t.is(port.counters.sent, BURST);
  });

  run(`${name}: packets that arrived together are all taken`, async (t) => {
    const [port, next] = open(t, way);
    const agw = await program(t, loopback);
    const locals: Endpoint[] = [];
    for (let id = 0; id < 3; id++) {
      const local = await port.listen(id, endpointOf(loopback, 0));
      isEndpoint(t, local);
      locals.push(local);
    }
    for (let i = 0; i < BURST; i++) {
      agw.send(Buffer.of(i >> 8, i), locals[i % locals.length]?.port ?? 0, loopback);
    }
    const numbers = new Set<number>();
    while (numbers.size < BURST) numbers.add(told(t, await next()).payload.readUInt16BE(0));
    t.is(port.counters.received, BURST);
  });

  run(`${name}: what the system refuses is counted and holds nothing up`, async (t) => {
    const [port] = open(t, way);
    const agw = await program(t, loopback);
    const local = await port.listen(1, endpointOf(loopback, 0));
    isEndpoint(t, local);
    const packet = new Uint8Array(100);
    const received = once(agw, 'message');
    for (const to of [{ ...localOf(agw), port: 0 }, localOf(agw)]) {
      const n = writeUdpPacket(packet, 0, local, to, Buffer.from('x'), 0, 1);
      port.send(packet, 0, n);
    }
    port.flush();
    await received;
    t.is(port.counters.sent, 1);
    t.deepEqual([...port.counters.dropped], [['refused', 1]]);
  });
}

test('system calls are used where they can be', (t) => {
  const datagrams = openDatagrams({ received: () => {}, refused: () => {} });
  t.teardown(() => datagrams.end());
  t.is(datagrams instanceof NodeDatagrams, isIoFault(libc()));
});

test('an address in use is a value, and the id is free again', async (t) => {
  const [port] = open(t);
  const taken = await program(t, '127.0.0.1');
  const fault = await port.listen(1, localOf(taken));
  t.true(isIoFault(fault) && fault.code === 'EADDRINUSE');
  isEndpoint(t, await port.listen(1, endpointOf('127.0.0.1', 0)));
  await t.throwsAsync(port.listen(1, endpointOf('127.0.0.1', 0)), { instanceOf: RangeError });
});

test('an address that is not of this machine is a value', async (t) => {
  const [port] = open(t);
  const fault = await port.listen(1, endpointOf('192.0.2.1', 0));
  t.true(isIoFault(fault) && fault.code === 'EADDRNOTAVAIL');
});

test('a socket released while it was being opened stays closed', async (t) => {
  const [port] = open(t);
  const opening = port.listen(1, endpointOf('127.0.0.1', 0));
  await port.release(1);
  const fault = await opening;
  t.true(isIoFault(fault) && fault.code === 'ECANCELED');
});

test('a released address can be opened again at once, by another id', async (t) => {
  const [port] = open(t);
  const local = await port.listen(1, endpointOf('127.0.0.1', 0));
  isEndpoint(t, local);
  await port.release(1);
  await port.release(1);
  t.deepEqual(await port.listen(2, local), local);
});

test('what waits to be sent by one socket is not lost when another is released', async (t) => {
  const [port] = open(t);
  const far = await program(t, '127.0.0.1');
  const arrived = once(far, 'message');
  const [one, other] = await Promise.all([
    port.listen(1, endpointOf('127.0.0.1', 0)),
    port.listen(2, endpointOf('127.0.0.1', 0)),
  ]);
  isEndpoint(t, one);
  isEndpoint(t, other);
  const packet = new Uint8Array(40);
  const to = endpointOf('127.0.0.1', far.address().port);
  const n = writeUdpPacket(packet, 0, one, to, Buffer.from('kept'), 0, 4);
  port.send(packet, 0, n);
  await port.release(2);
  port.flush();
  const [payload] = await arrived;
  t.is(String(payload), 'kept');
});

test('what no socket stands for, and what is not UDP, is dropped and counted', async (t) => {
  const [port] = open(t);
  const here = endpointOf('127.0.0.1', 9);
  const packet = new Uint8Array(40);
  const n = writeUdpPacket(packet, 0, here, here, Buffer.from('x'), 0, 1);
  port.send(packet, 0, n);
  t.deepEqual([...port.counters.dropped], [['no-socket', 1]]);
  port.send(packet, 0, n - 1);
  t.is(port.counters.dropped.get('not-udp'), 1);
  packet[9] = 6;
  port.send(packet, 0, n);
  t.is(port.counters.dropped.get('not-udp'), 2);
  t.is(port.counters.sent, 0);
});

test('a socket cannot stand for an address of the other family', async (t) => {
  const [port] = open(t);
  const six = endpointOf('2001:db8::1', 1);
  await t.throwsAsync(port.listen(1, endpointOf('127.0.0.1', 0), six), { instanceOf: RangeError });
});

test('nothing can be sent to port 0: counted, and nobody is thrown at', async (t) => {
  let refused = 0;
  const count = () => {
    refused += 1;
  };
  const socket = await openUdp(endpointOf('127.0.0.1', 0), () => {}, count);
  if (isIoFault(socket)) throw new Error(socket.text);
  t.teardown(() => socket.close());
  const { address } = socket.local;
  t.notThrows(() => socket.send(address, 0, 4, address, 0, 0));
  t.is(refused, 1);
});
