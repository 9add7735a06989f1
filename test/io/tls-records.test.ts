/** Records as they are on the wire: cut by the length in their headers (RFC 8446 5.1). */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { systemRandom } from '../../io/random.ts';
import { MAX_RECORD_LEN } from '../../io/tls-records.ts';
import { TICKET_KEYS_LEN, TlsDoor } from '../../tep-server/tls-door.ts';
import { TestAuthority } from '../certificates.ts';
import { peerTest } from '../peers.ts';
import { dialled } from './dial/dialled.ts';
import { HOST, listen } from './dial/listening.ts';
import { clientTls } from './dial/tls-server.ts';

const APPLICATION_DATA = 23;
const HEADER_LEN = 5;
/** The most that a suite of TLS 1.3 adds: the inner type and a tag. */
const TAG_LEN = 17;
const LENGTH = 100_000;

/** Lengths of the records with data, from the start of a stream. */
function dataRecords(octets: Buffer): number[] {
  const lengths: number[] = [];
  for (let at = 0; at + HEADER_LEN <= octets.length; ) {
    const length = octets.readUInt16BE(at + 3);
    if (octets[at] === APPLICATION_DATA) lengths.push(length);
    at += HEADER_LEN + length;
  }
  return lengths;
}

/** Something between both ends that keeps what goes by, each way. */
async function tap(t: ExecutionContext, to: number) {
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  const server = createServer((near: Socket) => {
    const far = connect(to, HOST);
    near.on('data', (chunk: Buffer) => up.push(chunk));
    far.on('data', (chunk: Buffer) => down.push(chunk));
    near
      .on('error', () => {})
      .pipe(far.on('error', () => {}))
      .pipe(near);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, up, down };
}

peerTest('openssl', '[G-25] no record is longer than a segment, either way', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const { certificate, key } = await authority.issue();
  const ticketKeys = Buffer.from(systemRandom(TICKET_KEYS_LEN));
  const context = { cert: certificate, key };
  const door = new TlsDoor({ context, requireCertificate: false, ticketKeys });
  let received = 0;
  const server = await listen(t, ({ socket }) => {
    socket.removeAllListeners('data').pause();
    door.accept(socket, (stream) => {
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received === LENGTH) stream.write(Buffer.alloc(LENGTH));
      });
    });
  });
  const wire = await tap(t, server.port);
  const target = { host: 'localhost', port: wire.port, tls: true };
  const stream = await dialled(t, target, { tls: clientTls({ ca: authority.certificate }) });
  stream.write(Buffer.alloc(LENGTH));
  for (let answered = 0; answered < LENGTH; ) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    answered += chunk.length;
  }
  for (const way of [wire.up, wire.down]) {
    const records = dataRecords(Buffer.concat(way));
    const long = records.filter((length) => length > MAX_RECORD_LEN + TAG_LEN);
    // The handshake of TLS 1.3 looks like data too: certificates before, tickets after it.
    t.true(long.length <= 1, String(long));
    t.true(records.length >= LENGTH / MAX_RECORD_LEN);
  }
});
