import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { TcpInfo } from '../../io/tcp-info.ts';
import { TestAuthority } from '../certificates.ts';
import { peerTest } from '../peers.ts';
import { dialled, first, plain } from './dial/dialled.ts';
import { listen } from './dial/listening.ts';
import { clientTls, listenTls } from './dial/tls-server.ts';

/**
 * `struct tcp_info` of Linux 6.18 on x86-64, as `getsockopt` gave it: a connection over 20 ms of delay each way
 * on which one segment in thirty was lost, in recovery. The values are those that a C program with
 * linux/tcp.h reads from it.
 */
const VECTOR = Buffer.from(
  '010300000007aa0120b90300409c0000a8050000a80500001b00000003000000' +
    '02000000010000000000000000000000000000003000000000000000dc050000' +
    '0b30010029a20000cb060000ffffff7f17000000a805000003000000bd9c0000' +
    '903800000100000008c50f0000000000ffffffffffffffffc129000000000000' +
    '08070000000000003800000025000000c8000000489d0000140000002c000000' +
    '2cad030000000000007701000000000000000000000000000000000000000000',
  'hex',
);

test('a vector of the kernel: every field is where it is looked for', (t) => {
  const info = new TcpInfo();
  info.bytes.set(VECTOR);
  t.deepEqual(info.state(), {
    congestion: 'recovery',
    rttMs: 41.513,
    rttVarMs: 1.739,
    rtoMs: 244,
    outstandingOctets: 0,
    segments: 27,
    congestionWindow: 23,
    resentSegments: 1,
    deliveredBitsPerSecond: 1_927_520,
  });
  t.is(info.acknowledged, VECTOR.readUInt32LE(120));
  // This vector ends before it; by offsetof() it is octet 224.
  info.bytes[224] = 9;
  t.is(info.outOfOrder, 9);
});

test('a connection of this machine: nothing is outstanding once it was acknowledged', async (t) => {
  const server = await listen(t, (peer) => peer.say('hello'));
  const stream = await dialled<Socket>(t, plain(server.port));
  await first(stream);
  const info = new TcpInfo();
  t.true(info.read(stream));
  const state = info.state();
  t.like(state, { congestion: 'open', outstandingOctets: 0, segments: 0, resentSegments: 0 });
  t.true(state.rttMs > 0 && state.rttMs < 1_000);
  t.true(state.rtoMs > state.rttMs);
  t.true(state.congestionWindow > 0);
});

test('what the other end does not take is outstanding', async (t) => {
  const server = await listen(t, ({ socket }) => socket.removeAllListeners('data').pause());
  const stream = await dialled<Socket>(t, plain(server.port));
  const info = new TcpInfo();
  t.true(info.read(stream));
  t.is(info.outstanding, 0);
  const length = 64 * 1024 * 1024;
  stream.write(Buffer.alloc(length));
  t.true(info.read(stream));
  t.true(info.outstanding > 0);
  t.true(info.outstanding < length);
});

peerTest('openssl', 'the connection below TLS is looked at', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const server = await listenTls(t, await authority.issue());
  const stream = await dialled(t, server.target, { tls: clientTls({ ca: authority.certificate }) });
  const info = new TcpInfo();
  t.true(info.read(stream));
  t.true(info.rttMs > 0);
});

test('a stream that is closed, or is none of the system, tells nothing', async (t) => {
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port));
  stream.destroy();
  await once(stream, 'close');
  const info = new TcpInfo();
  t.false(info.read(stream));
  t.false(info.read(new PassThrough()));
});
