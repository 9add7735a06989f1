/** The packet ports that need no privilege. */
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { endpointOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { LINK_TYPES } from '../../io/pcap/link-types.ts';
import { PcapPort } from '../../io/pcap/port.ts';
import { readCapture } from '../../io/pcap/read.ts';
import { CaptureWriter } from '../../io/pcap/write.ts';
import { systemRandom } from '../../io/random.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { openProgram } from './port-programs.ts';
import { type OpenWorld, portSuite } from './port-suite.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
const IPV4 = { loopback: '127.0.0.1', gateway: '192.0.2.7' };
const IPV6 = { loopback: '::1', gateway: '2001:db8::7' };
const RAW = { linkType: LINK_TYPES.RAW, precision: 'nanoseconds' } as const;

function sockets({ loopback, gateway }: typeof IPV4): OpenWorld {
  return async (t, incoming) => {
    const port = new UdpSockets(systemRandom);
    t.teardown(() => port.close());
    const program = await openProgram(t, loopback);
    const face = endpointOf(gateway, 40_000);
    const local = await port.listen(1, endpointOf(loopback, 0), face);
    if (isIoFault(local)) throw new Error(local.text);
    return {
      port,
      program: program.at,
      face,
      begin: () => program.send(incoming, local),
      heard: (n) => program.heard(n),
    };
  };
}

function pcap({ loopback, gateway }: typeof IPV4): OpenWorld {
  return async (t, incoming) => {
    const folder = mkdtempSync(join(tmpdir(), 'tep-port-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const [from, to] = [join(folder, 'from.pcap'), join(folder, 'to.pcap')];
    const program = endpointOf(loopback, 5_000);
    const face = endpointOf(gateway, 40_000);
    const writer = new CaptureWriter(from, RAW);
    const b = new Uint8Array(65_535);
    for (const [i, payload] of incoming.entries()) {
      writer.write(i, 0, b, 0, writeUdpPacket(b, 0, program, face, payload, 0, payload.length));
    }
    writer.finish();
    const port = new PcapPort({ from: readCapture(from), to: new CaptureWriter(to, RAW) });
    t.teardown(() => port.close());
    return {
      port,
      program,
      face,
      begin: () => port.finished,
      heard: async (n) => {
        await port.close();
        return (await payloadsOf(to)).slice(0, n);
      },
    };
  };
}

async function payloadsOf(file: string): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  const view = new PacketView();
  for await (const batch of readCapture(file)) {
    for (const { b, at, end } of batch) {
      if (readPacket(view, b, at, end) !== 0) continue;
      payloads.push(Buffer.from(b.subarray(view.payload, view.payloadEnd)));
    }
  }
  return payloads;
}

portSuite('sockets', 4, sockets(IPV4), test);
if (hasIpv6) portSuite('sockets', 6, sockets(IPV6), test);
portSuite('pcap', 4, pcap(IPV4), test);
portSuite('pcap', 6, pcap(IPV6), test);
