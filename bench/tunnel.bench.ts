/**
 * The core: what one packet of 200 octets costs in each direction at each end, through the real
 * machines. One operation is one packet. Octets come in chunks of 1,400, as TCP brings them; what is
 * queued is taken BATCH packets at a time, with one view each time, which is no cost of a packet.
 */
import { copy } from '../wire/bytes.ts';
import { bench } from './harness.ts';
import { MEDIA, PACKET_LEN, packetOf, UE } from './traffic.ts';
import { joined, move } from './tunnel.ts';

const BATCH = 300;
const PER_CHUNK = 7;
/** IPv4 header and UDP header: all that a rewrite changes. */
const HEADERS_LEN = 28;

/** 250 ns, and less than an object: the views of the batches are a third of a byte per packet. */
const AIM = { maxNsPerOp: 250, maxBytesPerOp: 0.5 };

const tunnel = joined();
const { client, server, conn, address, received } = tunnel;

/** One boxed number, as an agent has that reads its clock once for all that came in. */
let now = tunnel.now;

const fromUe = packetOf(UE, MEDIA);
const fromCore = packetOf(MEDIA, address);
const fromPublic = packetOf(address, MEDIA);

/** Makes a packet what it was before its rewrite. Part of the operation; 30 ns of it. */
function restore(packet: Uint8Array, at: number, original: Uint8Array): void {
  copy(original, 0, packet, at, HEADERS_LEN);
}

function discard(end: typeof client | typeof server): void {
  end.writable();
  end.wrote(conn, end.pending(conn).length);
}

/** Every packet must have come out: a bench of drops would be a fast one. */
function expectCount(before: number, after: number, times: number): void {
  if (after - before !== times) throw new Error(`${after - before} packets of ${times}`);
}

bench({
  name: 'uplink at TEP-C: application packet to record',
  octets: PACKET_LEN,
  aim: AIM,
  run(times) {
    const before = client.counters.sentRecords;
    const packet = Buffer.from(fromUe);
    for (let i = 1; i <= times; i++) {
      restore(packet, 0, fromUe);
      client.packet(packet, 0, PACKET_LEN, now);
      if (i % BATCH === 0) now += 1;
      if (i % BATCH === 0 || i === times) discard(client);
    }
    expectCount(before, client.counters.sentRecords, times);
  },
});

bench({
  name: 'uplink at TEP-S: record to core packet',
  octets: PACKET_LEN,
  aim: AIM,
  run(times) {
    const before = received.packets;
    const chunk = Buffer.concat(Array.from({ length: PER_CHUNK }, () => fromPublic));
    for (let i = 0; i < times; i += PER_CHUNK) {
      const records = Math.min(PER_CHUNK, times - i);
      server.input(conn, chunk, 0, records * PACKET_LEN, now);
    }
    expectCount(before, received.packets, times);
  },
});

bench({
  name: 'downlink at TEP-S: core packet to record',
  octets: PACKET_LEN,
  aim: AIM,
  run(times) {
    const before = server.counters.sentRecords;
    const packet = Buffer.from(fromCore);
    for (let i = 1; i <= times; i++) {
      server.packet(packet, 0, PACKET_LEN, now);
      if (i % BATCH === 0) now += 1;
      if (i % BATCH === 0 || i === times) discard(server);
    }
    expectCount(before, server.counters.sentRecords, times);
  },
});

bench({
  name: 'downlink at TEP-C: record to application packet',
  octets: PACKET_LEN,
  aim: AIM,
  run(times) {
    const before = received.packets;
    const chunk = Buffer.concat(Array.from({ length: PER_CHUNK }, () => fromCore));
    for (let i = 0; i < times; i += PER_CHUNK) {
      const records = Math.min(PER_CHUNK, times - i);
      for (let r = 0; r < records; r++) copy(fromCore, 0, chunk, r * PACKET_LEN, HEADERS_LEN);
      client.input(conn, chunk, 0, records * PACKET_LEN, now);
    }
    expectCount(before, received.packets, times);
  },
});

bench({
  name: 'uplink through both ends',
  octets: PACKET_LEN,
  run(times) {
    const before = received.packets;
    const packet = Buffer.from(fromUe);
    for (let i = 1; i <= times; i++) {
      restore(packet, 0, fromUe);
      client.packet(packet, 0, PACKET_LEN, now);
      if (i % PER_CHUNK === 0 || i === times) move(client, server, conn, now);
    }
    expectCount(before, received.packets, times);
  },
});

bench({
  name: 'downlink through both ends',
  octets: PACKET_LEN,
  run(times) {
    const before = received.packets;
    const packet = Buffer.from(fromCore);
    for (let i = 1; i <= times; i++) {
      server.packet(packet, 0, PACKET_LEN, now);
      if (i % PER_CHUNK === 0 || i === times) move(server, client, conn, now);
    }
    expectCount(before, received.packets, times);
  },
});
