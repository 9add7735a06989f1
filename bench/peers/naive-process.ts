/**
 * One end of the naive relay. On the connection: two octets of length, two of the flow's number, the packet.
 *
 *     node naive-process.js PLAN     a RelayPlan as JSON
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { At } from '../media/endpoints.ts';

export interface RelayPlan {
  readonly listen?: At;
  readonly connect?: At;
  /** Flow N has the port `firstPort` + N of this address, and belongs to peer N. */
  readonly own: string;
  readonly firstPort: number;
  readonly peers: readonly At[];
}

const HEADER_LEN = 4;

const plan = JSON.parse(process.argv[2] ?? '{}') as RelayPlan;
const sockets = await Promise.all(plan.peers.map((_, flow) => openSocket(plan.firstPort + flow)));
if (plan.listen !== undefined) {
  const server = createServer({ noDelay: true }, carry);
  server.listen(plan.listen.port, plan.listen.address, () => console.log('ready'));
} else if (plan.connect !== undefined) {
  const { address, port } = plan.connect;
  const connection = connect({ host: address, port, noDelay: true });
  await once(connection, 'connect');
  carry(connection);
  console.log('ready');
}

async function openSocket(port: number): Promise<UdpSocket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.bind(port, plan.own);
  await once(socket, 'listening');
  return socket;
}

function carry(connection: Socket): void {
  for (const [flow, socket] of sockets.entries()) {
    socket.on('message', (packet) => {
      const header = Buffer.alloc(HEADER_LEN);
      header.writeUInt16BE(packet.length, 0);
      header.writeUInt16BE(flow, 2);
      connection.write(Buffer.concat([header, packet]));
    });
  }
  let rest: Buffer = Buffer.alloc(0);
  connection.on('data', (chunk) => {
    rest = deliver(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  });
  connection.on('error', () => process.exit(1));
  connection.on('close', () => process.exit());
}

/** What is left of a packet that is not whole yet. */
function deliver(octets: Buffer): Buffer {
  let at = 0;
  while (octets.length - at >= HEADER_LEN) {
    const end = at + HEADER_LEN + octets.readUInt16BE(at);
    if (end > octets.length) break;
    const flow = octets.readUInt16BE(at + 2);
    const peer = plan.peers[flow];
    if (peer !== undefined) {
      sockets[flow]?.send(octets.subarray(at + HEADER_LEN, end), peer.port, peer.address);
    }
    at = end;
  }
  return octets.subarray(at);
}
