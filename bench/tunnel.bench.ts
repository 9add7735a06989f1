/**
 * The core: what one packet of 200 octets costs in each direction at each end, through the real
 * machines. One operation is one packet. Octets come in chunks of 1,400, as TCP brings them; what is
 * queued is taken BATCH packets at a time, with one view each time, which is no cost of a packet.
 */
import { setU16, setU32, u16, u32 } from '../wire/bytes.ts';
import { bench, NO_OBJECT_BYTES } from './harness.ts';
import { MEDIA, PACKET_LEN, packetOf, UE } from './traffic.ts';
import { joined, move } from './tunnel.ts';

const BATCH = 300;
const PER_CHUNK = 7;

/** The views of the batches are a third of a byte per packet. */
const AIM = { maxNsPerOp: 250, maxBytesPerOp: NO_OBJECT_BYTES };

const tunnel = joined();
const { client, server, conn, address, received } = tunnel;

/** One boxed number, as an agent has that reads its clock once for all that came in. */
let now = tunnel.now;

const fromUe = packetOf(UE, MEDIA);
const fromCore = packetOf(MEDIA, address);
const fromPublic = packetOf(address, MEDIA);

/**
 * Makes a packet what it was before its rewrite: header checksum, one address and its port, UDP
 * checksum. Part of the operation, some 5 ns of it.
 */
function restore(packet: Uint8Array, at: number, original: Uint8Array): void {
  setU16(packet, at + 10, u16(original, 10));
  setU32(packet, at + 12, u32(original, 12));
  setU32(packet, at + 16, u32(original, 16));
  setU32(packet, at + 20, u32(original, 20));
  setU16(packet, at + 26, u16(original, 26));
}

function discard(end: typeof client | typeof server): void {
  end.writable();
  for (let n = end.pending(conn, now).length; n > 0; n = end.pending(conn, now).length) {
    end.wrote(conn, n, now);
  }
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
      for (let r = 0; r < records; r++) restore(chunk, r * PACKET_LEN, fromCore);
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
