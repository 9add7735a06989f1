/** What every packet port must do. Each kind brings a world in which packets really come and go. */
import type { ExecutionContext, TestFn } from 'ava';
import type { PacketPort } from '../../io/packet-port.ts';
import { type Endpoint, type Family, formatEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight, finishChecksums } from '../../wire/rewrite.ts';

export interface World {
  readonly port: PacketPort;
  /** A program of the world, and the address that the port stands for. */
  readonly program: Endpoint;
  readonly face: Endpoint;
  /** The incoming datagrams set out, in order; nothing comes before. */
  begin(): Promise<void>;
  /** The payloads of the first `n` datagrams that reached the program; waits for them. */
  heard(n: number): Promise<Buffer[]>;
}

/** Opens a world in which the program will send these payloads to the face. */
export type OpenWorld = (t: ExecutionContext, incoming: readonly Buffer[]) => Promise<World>;

/** The longest packet of all kinds of ports. */
const MAX_PACKET_LEN = 65_535;
const POISON = 0xa5;

export function portSuite(kind: string, family: Family, open: OpenWorld, run: TestFn): void {
  const caseOf = (text: string, body: (t: ExecutionContext) => Promise<void>) => {
    run(`${kind}, IPv${family}: ${text}`, body);
  };

  caseOf('what comes is given as whole packets, in order, and counted', async (t) => {
    const payloads = ['one', '', 'three'].map((text) => Buffer.from(text));
    const world = await open(t, payloads);
    const told = await receiveAll(t, world, payloads.length);
    t.deepEqual(
      told,
      payloads.map((payload) => payload.toString()),
    );
    t.is(world.port.counters.received, payloads.length);
    t.deepEqual([...world.port.counters.dropped], []);
  });

  caseOf('what is sent arrives whole and in order, whatever becomes of the buffer', async (t) => {
    const world = await open(t, []);
    world.port.start(() => {});
    const payloads = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i * 7, i));
    const b = new Uint8Array(500);
    for (const payload of payloads) {
      b.fill(POISON);
      const n = writeUdpPacket(b, 5, world.face, world.program, payload, 0, payload.length);
      world.port.send(b, 5, 5 + n);
      b.fill(POISON);
    }
    world.port.flush();
    t.deepEqual(await world.heard(payloads.length), payloads);
    t.is(world.port.counters.sent, payloads.length);
  });

  caseOf('packets of every length up to 65,535 octets pass both ways', async (t) => {
    const header = family === 4 ? 28 : 48;
    const lengths = [0, 1, 1_472, 1_940, 2_048, 9_000, MAX_PACKET_LEN - header];
    const payloads = lengths.map((length) => Buffer.alloc(length, length));
    const world = await open(t, payloads);
    t.deepEqual(
      (await receiveAll(t, world, lengths.length)).map((text) => text.length),
      lengths,
    );
    const b = new Uint8Array(MAX_PACKET_LEN);
    for (const payload of payloads) {
      const n = writeUdpPacket(b, 0, world.face, world.program, payload, 0, payload.length);
      world.port.send(b, 0, n);
      world.port.flush();
    }
    t.deepEqual(await world.heard(lengths.length), payloads);
  });

  caseOf('the receiver may write over the packet, and only over the packet', async (t) => {
    const payloads = Array.from({ length: 5 }, (_, i) => Buffer.from(`payload ${i}`));
    const world = await open(t, payloads);
    const told: string[] = [];
    const all = new Promise<void>((resolve) => {
      world.port.start((b, at, end) => {
        told.push(read(t, world, b, at, end));
        b.fill(POISON, at, end);
        if (told.length === payloads.length) resolve();
      });
    });
    await world.begin();
    await all;
    t.deepEqual(told, payloads.map(String));
  });

  caseOf('no packet at all is dropped, counted, and nobody is thrown at', async (t) => {
    const world = await open(t, []);
    world.port.start(() => {});
    for (const octets of [[], [0x00], [0x95, 1, 2, 3], Array(60).fill(0xff)]) {
      t.notThrows(() => world.port.send(Uint8Array.from(octets), 0, octets.length));
    }
    world.port.flush();
    const dropped = [...world.port.counters.dropped.values()].reduce((sum, n) => sum + n, 0);
    t.is(dropped, 4);
    t.is(world.port.counters.sent, 0);
  });

  caseOf('it is started once', async (t) => {
    const world = await open(t, []);
    world.port.start(() => {});
    t.throws(() => world.port.start(() => {}), { instanceOf: RangeError });
  });

  caseOf('closed, it neither takes nor gives, and may be closed again', async (t) => {
    const world = await open(t, [Buffer.from('late')]);
    let received = 0;
    world.port.start(() => {
      received += 1;
    });
    await world.port.close();
    await world.port.close();
    await world.begin();
    const b = new Uint8Array(100);
    const n = writeUdpPacket(b, 0, world.face, world.program, Buffer.from('x'), 0, 1);
    t.notThrows(() => {
      world.port.send(b, 0, n);
      world.port.flush();
    });
    t.is(received, 0);
    t.is(world.port.counters.sent, 0);
  });

  caseOf('a receiver may close the port: it gets no packet more', async (t) => {
    const payloads = Array.from({ length: 10 }, (_, i) => Buffer.from(`${i}`));
    const world = await open(t, payloads);
    let received = 0;
    const closed = new Promise<void>((resolve) => {
      world.port.start(() => {
        received += 1;
        void world.port.close().then(resolve);
      });
    });
    await world.begin();
    await closed;
    t.is(received, 1);
  });
}

/** Starts the port, lets the world begin, and gives the payloads of the packets that came. */
function receiveAll(t: ExecutionContext, world: World, n: number): Promise<string[]> {
  const told: string[] = [];
  return new Promise((resolve, reject) => {
    world.port.start((b, at, end) => {
      told.push(read(t, world, b, at, end));
      if (told.length === n) resolve(told);
    });
    world.begin().catch(reject);
  });
}

/** The payload of a packet, which must be from the program to the face, with checksums in order. */
function read(t: ExecutionContext, world: World, b: Uint8Array, at: number, end: number): string {
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), 0);
  t.is(view.start, at);
  t.is(view.end, end);
  finishChecksums(b, view);
  t.is(checksumsRight(b, view), 0);
  const { addressLength: n, version: family } = view;
  const endpoint = (at: number, port: number) =>
    formatEndpoint({ family, address: b.slice(at, at + n), port });
  t.is(endpoint(view.sourceAt, view.sourcePort), formatEndpoint(world.program));
  t.is(endpoint(view.destinationAt, view.destinationPort), formatEndpoint(world.face));
  return Buffer.from(b.subarray(view.payload, view.payloadEnd)).toString('latin1');
}
