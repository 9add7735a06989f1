/** TLS on the port of the tunnel: with Node's TLS and openssl as clients. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { type LegacyCiphers, tlsOptions } from '../../io/tls-options.ts';
import { TICKET_KEYS_LEN, TlsDoor } from '../../tep-server/tls-door.ts';
import type { Endpoint } from '../../wire/address.ts';
import { decode, encode, find } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import { type KeyPair, TestAuthority } from '../certificates.ts';
import { openPair, type Pair } from '../daemon/pair.ts';
import { peerMissing, peerTest } from '../peers.ts';

const CONNECT = 'CONNECT tep.example:443 HTTP/1.1\r\nHost: tep.example:443\r\n\r\n';
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
const BINDING_REQUEST = encode({
  class: 'request',
  method: METHODS.BINDING,
  transactionId: new Uint8Array(12).fill(7),
  attributes: [],
});
const LIMITS = { connections: 100, connectionsPerAddress: 100, greetingMs: 10_000 };

let authority: TestAuthority;
let pairOfKeys: KeyPair;

test.before(async () => {
  if (peerMissing('openssl') !== undefined) return;
  authority = await TestAuthority.make();
  pairOfKeys = await authority.issue();
});

test.after.always(async () => {
  await authority?.remove();
});

interface DoorWishes {
  readonly keys?: KeyPair;
  readonly requireCertificate?: boolean;
  readonly ticketKeys?: Buffer;
  readonly legacyCiphers?: LegacyCiphers;
}

function tlsDoor(wishes: DoorWishes = {}): TlsDoor {
  const { keys = pairOfKeys, requireCertificate = false, legacyCiphers = 'none' } = wishes;
  const { certificate, key } = keys;
  const ca = authority.certificate;
  const settings = { ca, certificate, key, minVersion: 'TLSv1.2', legacyCiphers } as const;
  const context = tlsOptions(settings, 'server');
  if (isIoFault(context)) throw new Error(context.text);
  const ticketKeys = wishes.ticketKeys ?? Buffer.from(systemRandom(TICKET_KEYS_LEN));
  return new TlsDoor({ context, requireCertificate, ticketKeys });
}

function openTlsPair(wishes: DoorWishes = {}, limits = LIMITS): Promise<Pair> {
  return openPair({ door: { tls: tlsDoor(wishes), limits } });
}

async function dialPlain(t: ExecutionContext, { port }: Endpoint): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function dialTls(
  t: ExecutionContext,
  { port }: Endpoint,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const to = { host: '127.0.0.1', port, ca: authority.certificate };
  const socket = connectTls({ ...to, ...options });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

async function read(socket: Socket, length: number): Promise<Buffer> {
  let got = Buffer.alloc(0);
  while (got.length < length) got = Buffer.concat([got, (await once(socket, 'data'))[0]]);
  return got;
}

/** Asks plain STUN; the port that the server saw. */
async function mappedPort(socket: Socket): Promise<number | undefined> {
  socket.write(BINDING_REQUEST);
  const octets = await read(socket, 20);
  const message = decode(octets, 0, octets.length);
  return typeof message === 'number' ? undefined : find(message, 'XOR-MAPPED-ADDRESS')?.port;
}

peerTest('openssl', '[M-09] STUN in TLS on the port that also takes it plain', async (t) => {
  const pair = await openTlsPair();
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await dialTls(t, pair.listening, { maxVersion });
    t.is(socket.getProtocol(), maxVersion);
    t.is(await mappedPort(socket), socket.localPort);
  }
  const plain = await dialPlain(t, pair.listening);
  t.is(await mappedPort(plain), plain.localPort);
  await pair.stop();
});

peerTest(
  'openssl',
  '[H-03] [H-08] CONNECT, then TLS; inside it the same rules again',
  async (t) => {
    const pair = await openTlsPair();
    const outside = await dialPlain(t, pair.listening);
    outside.write(CONNECT);
    t.is(String(await read(outside, ESTABLISHED.length)), ESTABLISHED);
    const inside = connectTls({ socket: outside, host: '127.0.0.1', ca: authority.certificate });
    await once(inside, 'secureConnect');
    inside.write(CONNECT);
    t.is(String(await read(inside, ESTABLISHED.length)), ESTABLISHED);
    t.is(await mappedPort(inside), outside.localPort);

    const scanner = await dialTls(t, pair.listening);
    scanner.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    t.true((await text(scanner)).startsWith('HTTP/1.1 404 Not Found\r\n'));
    const twice = await dialTls(t, pair.listening);
    twice.write(Buffer.from('16030100', 'hex'));
    await new Promise((resolve) => twice.resume().on('close', resolve));
    t.is(pair.server.door.turnedAway.get('frame-foreign'), 1);
    await pair.stop();
  },
);

peerTest(
  'openssl',
  '[W-1] a ClientHello octet by octet, and in one segment with a CONNECT',
  async (t) => {
    const pair = await openTlsPair();
    const [near, far] = [await dialPlain(t, pair.listening), await dialPlain(t, pair.listening)];
    far.setNoDelay();
    far.write(CONNECT);
    await read(far, ESTABLISHED.length);
    near.destroy();
    const slow = connectTls({
      host: '127.0.0.1',
      ca: authority.certificate,
      socket: dripping(far),
    });
    await once(slow, 'secureConnect');
    t.is(await mappedPort(slow), far.localPort);
    await pair.stop();
  },
);

/** A stream over the socket that writes each octet by itself. */
function dripping(socket: Socket): Socket {
  const write = socket.write.bind(socket);
  const drip = (chunk: Uint8Array, ...rest: unknown[]): boolean => {
    for (let at = 0; at < chunk.length - 1; at++) write(chunk.subarray(at, at + 1));
    return Reflect.apply(write, socket, [chunk.subarray(chunk.length - 1), ...rest]);
  };
  Reflect.set(socket, 'write', drip);
  return socket;
}

peerTest(
  'openssl',
  '[G-22] garbage in TLS, a client that breaks off, and one that says nothing',
  async (t) => {
    const pair = await openTlsPair({}, { ...LIMITS, greetingMs: 400 });
    const garbage = await dialPlain(t, pair.listening);
    garbage.write(Buffer.concat([Buffer.from('1603010200', 'hex'), Buffer.alloc(512, 0xa5)]));
    await new Promise((resolve) => garbage.resume().on('close', resolve));
    const early = await dialPlain(t, pair.listening);
    early.end(Buffer.from('1603010200010001fc0303', 'hex'));
    await new Promise((resolve) => early.resume().on('close', resolve));
    const silent = await dialPlain(t, pair.listening);
    silent.write(Buffer.from('1603010200', 'hex'));
    await new Promise((resolve) => silent.resume().on('close', resolve));
    while (pair.server.door.crowd.size > 0) await new Promise((resolve) => setImmediate(resolve));
    t.is(pair.server.door.turnedAway.get('tls-failed'), 3);
    await pair.stop();
  },
);

peerTest(
  'openssl',
  '[M-09] clients without the certificate that is asked for are not let in',
  async (t) => {
    const pair = await openTlsPair({ requireCertificate: true });
    const { certificate: cert, key } = await authority.issue();
    const known = await dialTls(t, pair.listening, { cert, key });
    t.is(await mappedPort(known), known.localPort);
    const stranger = connectTls({
      ...{ host: '127.0.0.1', port: pair.listening.port, ca: authority.certificate },
    });
    stranger.on('error', () => {});
    await new Promise((resolve) => stranger.resume().on('close', resolve));
    while (pair.server.door.turnedAway.get('tls-failed') !== 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await pair.stop();
    t.pass();
  },
);

peerTest(
  'openssl',
  '[M-09] another certificate for new connections; those that are there go on',
  async (t) => {
    const pair = await openTlsPair();
    const before = await dialTls(t, pair.listening);
    const fresh = await authority.issue();
    pair.server.renewDoor({ tls: tlsDoor({ keys: fresh }) });
    const after = await dialTls(t, pair.listening);
    t.not(after.getPeerCertificate().fingerprint, before.getPeerCertificate().fingerprint);
    t.is(await mappedPort(before), before.localPort);
    t.is(await mappedPort(after), after.localPort);
    await pair.stop();
  },
);

peerTest(
  'openssl',
  '[M-09] sessions are resumed by tickets, after a change of certificates too',
  async (t) => {
    const ticketKeys = Buffer.from(systemRandom(TICKET_KEYS_LEN));
    const pair = await openTlsPair({ ticketKeys });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = connectTls({
        ...{ host: '127.0.0.1', port: pair.listening.port, ca: authority.certificate, maxVersion },
      });
      t.teardown(() => first.destroy());
      const ticket = once(first, 'session');
      first.on('error', () => {});
      first.write(BINDING_REQUEST);
      const [session] = await ticket;
      pair.server.renewDoor({ tls: tlsDoor({ ticketKeys, keys: await authority.issue() }) });
      const again = await dialTls(t, pair.listening, { session, maxVersion });
      t.true(again.isSessionReused(), maxVersion);
      // Who has to show a certificate now does not get around it with a ticket of before.
      pair.server.renewDoor({ tls: tlsDoor({ ticketKeys, requireCertificate: true }) });
      const stranger = connectTls({
        ...{ host: '127.0.0.1', port: pair.listening.port, ca: authority.certificate },
        ...{ session, maxVersion },
      });
      stranger.on('error', () => {});
      await new Promise((resolve) => stranger.resume().on('close', resolve));
      pair.server.renewDoor({ tls: tlsDoor({ ticketKeys }) });
    }
    t.is(pair.server.door.turnedAway.get('tls-failed'), 2);
    await pair.stop();
  },
);

peerTest(
  'openssl',
  '[M-09] openssl s_client: certificate verified, HTTP answered, old TLS refused',
  async (t) => {
    const pair = await openTlsPair();
    const at = ['-connect', `127.0.0.1:${pair.listening.port}`, '-CAfile', authority.file];
    const client = spawn('openssl', ['s_client', ...at, '-verify_return_error', '-ign_eof']);
    client.stdin.write('GET / HTTP/1.0\r\n\r\n');
    const said = await text(client.stdout);
    client.stdin.destroy();
    t.regex(said, /Verify return code: 0 \(ok\)/);
    t.regex(said, /HTTP\/1\.1 404 Not Found/);
    const old = await new Promise<number | string | null | undefined>((resolve) => {
      execFile('openssl', ['s_client', ...at, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], (error) => {
        resolve(error?.code);
      }).stdin?.end();
    });
    t.is(old, 1);
    await pair.stop();
  },
);

peerTest(
  'openssl',
  '[M-09] suites without encryption only where the operator says so',
  async (t) => {
    const rsa = await authority.issue({ rsa: true });
    const ciphers = 'NULL-SHA256:@SECLEVEL=0';
    const asking = { ciphers, maxVersion: 'TLSv1.2' } as const;
    const strict = await openTlsPair({ keys: rsa });
    await t.throwsAsync(dialTls(t, strict.listening, asking));
    await strict.stop();
    const legacy = await openTlsPair({ keys: rsa, legacyCiphers: 'null' });
    const socket = await dialTls(t, legacy.listening, asking);
    t.is(socket.getCipher().name, 'NULL-SHA256');
    t.is(await mappedPort(socket), socket.localPort);
    await legacy.stop();
  },
);

peerTest(
  'openssl',
  '[W-1] behind a balancer: PROXY header, then TLS, and the peer is the one behind it',
  async (t) => {
    const loopback = { family: 4, address: Uint8Array.of(127, 0, 0, 0), length: 8 } as const;
    const pair = await openPair({ door: { tls: tlsDoor(), limits: LIMITS, proxies: [loopback] } });
    const outside = await dialPlain(t, pair.listening);
    outside.write('PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n');
    const inside = connectTls({ socket: outside, host: '127.0.0.1', ca: authority.certificate });
    await once(inside, 'secureConnect');
    t.is(await mappedPort(inside), 1234);
    await pair.stop();
  },
);
