/** Reassembly: packets of 200 octets out of chunks as TCP delivers them, good and worst. */
import { FrameBuffer } from '../framing/frame-buffer.ts';
import { CHANNELS } from '../framing/framing.ts';
import { innerIp } from '../framing/inner-ip/inner-ip.ts';
import { bench, NO_OBJECT_BYTES } from './harness.ts';
import { PACKET_LEN, uplinkPackets } from './traffic.ts';

const stream = Buffer.concat(uplinkPackets(700));
const packet = stream.subarray(0, PACKET_LEN);

/** One operation is one record. Chunks are cut before; the last record of a chunk may be unfinished. */
function reassembly(chunkLength: number): (times: number) => void {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += chunkLength) {
    chunks.push(Buffer.from(stream.subarray(at, at + chunkLength)));
  }
  return (times) => {
    const buffer = new FrameBuffer(innerIp);
    let found = 0;
    for (let i = 0; found < times; i = i + 1 === chunks.length ? 0 : i + 1) {
      const chunk = chunks[i] ?? stream;
      buffer.append(chunk, 0, chunk.length);
      while (buffer.next()) found += 1;
    }
    if (buffer.fault !== 0) throw new Error(`fault ${buffer.fault}`);
  };
}

bench({
  name: 'reassembly: chunks of 1,400 octets, records of 200',
  octets: PACKET_LEN,
  aim: { minMbPerSecond: 1000, maxBytesPerOp: NO_OBJECT_BYTES },
  run: reassembly(1400),
});

bench({
  name: 'reassembly: chunks of 1,399 octets, each ending inside a record of 200',
  octets: PACKET_LEN,
  aim: { minMbPerSecond: 1000, maxBytesPerOp: NO_OBJECT_BYTES },
  run: reassembly(1399),
});

bench({
  name: 'reassembly: chunks of 7 octets, records of 200',
  octets: PACKET_LEN,
  run: reassembly(7),
});

const out = new Uint8Array(65_535);

bench({
  name: 'framing: wrap a packet of 200 octets',
  octets: PACKET_LEN,
  run(times) {
    for (let i = 0; i < times; i++) innerIp.wrap(CHANNELS.IP, packet, 0, PACKET_LEN, out, 0);
  },
});
