/** What a packet costs without framing and session: reading its headers, rewriting one address. */
import { PacketView, readPacket } from '../wire/packet.ts';
import { finishChecksums, rewriteDestination, rewriteSource } from '../wire/rewrite.ts';
import { bench } from './harness.ts';
import { MEDIA, PACKET_LEN, PUBLIC, UE, uplinkPackets } from './traffic.ts';

const packet = Buffer.concat(uplinkPackets(1));
const view = new PacketView();

bench({
  name: 'wire: read the headers of a packet',
  run(times) {
    for (let i = 0; i < times; i++) readPacket(view, packet, 0, PACKET_LEN);
  },
});

bench({
  name: 'wire: rewrite the source of a packet',
  run(times) {
    for (let i = 0; i < times; i++) {
      const to = i % 2 === 0 ? PUBLIC : UE;
      rewriteSource(packet, view, to.address, 0, to.port);
    }
  },
});

bench({
  name: 'wire: rewrite the destination of a packet',
  run(times) {
    for (let i = 0; i < times; i++) {
      const to = i % 2 === 0 ? PUBLIC : MEDIA;
      rewriteDestination(packet, view, to.address, 0, to.port);
    }
  },
});

bench({
  name: 'wire: look for unfinished checksums',
  run(times) {
    for (let i = 0; i < times; i++) finishChecksums(packet, view);
  },
});
