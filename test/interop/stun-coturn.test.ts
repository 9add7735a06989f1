/**
 * Our codec and the client's half of the authentication against coturn, over UDP, TCP and TLS, and
 * coturn's own client against our Binding answers.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { answerBinding } from '../../wire/stun/binding.ts';
import { ClientAuth, type SignedRequest, type Verdict } from '../../wire/stun/client-auth.ts';
import { type Credentials, timeLimitedPassword } from '../../wire/stun/keys.ts';
import { decode, find, type StunMessage, type StunParts } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import * as udp from '../../wire/udp.ts';
import { peerMissing, peerOutput } from '../peers.ts';
import { ADDRESS, startTurnServer, type TurnServer } from './turnserver.ts';

const ALICE: Credentials = { name: 'alice', password: 'secret' };
const SECRET = 'north';
const MISSING = peerMissing('turnserver') ?? peerMissing('openssl');

let server: TurnServer;
let timeLimited: TurnServer;

if (MISSING === undefined) {
  test.before(async () => {
    [server, timeLimited] = await Promise.all([
      startTurnServer(['--lt-cred-mech', '--user=alice:secret']),
      startTurnServer(['--use-auth-secret', `--static-auth-secret=${SECRET}`]),
    ]);
  });

  test.after.always(async () => {
    await Promise.all([server?.stop(), timeLimited?.stop()]);
  });
}

function interop(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (MISSING === undefined) test(title, body);
  else test.skip(`${title} (${MISSING})`, body);
}

/** One way to reach a server: send octets, get the octets of one message back. */
interface Link {
  readonly local: Endpoint;
  readonly reliable: boolean;
  ask(octets: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

const TRANSPORTS = { udp: openUdp, tcp: openTcp, tls: openTls } as const;

async function openUdp(to: TurnServer): Promise<Link> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(to.port, ADDRESS, resolve));
  const { address, port } = socket.address();
  return {
    local: endpoint(address, port),
    reliable: false,
    ask: (octets) =>
      new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('message', resolve);
        socket.send(octets);
      }),
    close: () => socket.close(),
  };
}

async function openTcp(to: TurnServer): Promise<Link> {
  const socket = connectTcp(to.port, ADDRESS);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return stream(socket);
}

async function openTls(to: TurnServer): Promise<Link> {
  const socket = connectTls({
    port: to.tlsPort,
    host: ADDRESS,
    ca: to.certificate,
    servername: 'localhost',
  });
  await new Promise((resolve, reject) =>
    socket.once('secureConnect', resolve).once('error', reject),
  );
  return stream(socket);
}

function stream(socket: Socket): Link {
  return {
    local: endpoint(socket.localAddress, socket.localPort),
    reliable: true,
    ask: (octets) =>
      new Promise((resolve, reject) => {
        let held = Buffer.alloc(0);
        const take = (chunk: Buffer) => {
          held = Buffer.concat([held, chunk]);
          if (held.length < 20 || held.length < 20 + held.readUInt16BE(2)) return;
          socket.off('data', take);
          resolve(held);
        };
        socket.on('data', take);
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('closed by the server')));
        socket.write(octets);
      }),
    close: () => socket.destroy(),
  };
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  const parsed = parseEndpoint(`${address}:${port}`);
  if (parsed === undefined) throw new Error(`no address: ${address}:${port}`);
  return parsed;
}

function read(octets: Uint8Array): StunMessage {
  const message = decode(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error(`fault ${message}`);
  return message;
}

function request(method: number, attributes: Attribute[] = []): StunParts {
  return { class: 'request', method, transactionId: randomBytes(12), attributes };
}

function allocate(): StunParts {
  return request(METHODS.ALLOCATE, [
    { type: 'REQUESTED-TRANSPORT', value: udp.PROTOCOL },
    { type: 'LIFETIME', value: 600 },
  ]);
}

interface Exchange {
  readonly verdict: Verdict;
  readonly response: StunMessage;
  /** Error codes of all the answers. */
  readonly codes: readonly number[];
}

/** Sends a request, and again as long as the verdict is to do so. */
async function exchange(link: Link, client: ClientAuth, parts: StunParts): Promise<Exchange> {
  const codes: number[] = [];
  let signed: SignedRequest = client.request(parts);
  for (;;) {
    const octets = await link.ask(signed.octets);
    const response = read(octets);
    const verdict = client.digest(signed, response, octets, 0);
    const code = find(response, 'ERROR-CODE')?.code;
    if (code !== undefined) codes.push(code);
    if (verdict.type !== 'retry' || codes.length > 4) return { verdict, response, codes };
    signed = client.retry(signed, randomBytes(12));
  }
}

for (const [name, open] of Object.entries(TRANSPORTS)) {
  interop(`[M-05] coturn over ${name}: Binding gives the address of our socket`, async (t) => {
    const link = await open(server);
    t.teardown(link.close);
    const client = new ClientAuth({ mechanism: 'none', reliable: link.reliable });
    const { verdict, response } = await exchange(link, client, request(METHODS.BINDING));
    t.is(verdict.type, 'success');
    t.deepEqual(find(response, 'XOR-MAPPED-ADDRESS'), link.local);
    t.not(response.fingerprintAt, 0);
  });

  interop(`[M-08] coturn over ${name}: long-term, 401 then success, both ways`, async (t) => {
    const link = await open(server);
    t.teardown(link.close);
    const client = new ClientAuth({
      mechanism: 'long-term',
      credentials: ALICE,
      reliable: link.reliable,
    });
    const first = await exchange(link, client, allocate());
    t.deepEqual(first.codes, [401]);
    t.is(first.verdict.type, 'success');
    t.deepEqual(find(first.response, 'XOR-MAPPED-ADDRESS'), link.local);
    t.is(find(first.response, 'XOR-RELAYED-ADDRESS')?.family, 4);
    t.is(find(first.response, 'LIFETIME'), 600);
    const refresh = request(METHODS.REFRESH, [{ type: 'LIFETIME', value: 0 }]);
    const second = await exchange(link, client, refresh);
    t.deepEqual(second.codes, [], 'the nonce is still good');
    t.is(second.verdict.type, 'success');
  });

  interop(`[M-08] coturn over ${name}: wrong password and unknown user are refused`, async (t) => {
    for (const credentials of [
      { name: 'alice', password: 'wrong' },
      { name: 'mallory', password: 'secret' },
    ]) {
      const link = await open(server);
      t.teardown(link.close);
      const client = new ClientAuth({
        mechanism: 'long-term',
        credentials,
        reliable: link.reliable,
      });
      const { codes, verdict } = await exchange(link, client, allocate());
      t.deepEqual(codes, [401, 401]);
      t.is(verdict.type, 'failed');
    }
  });

  interop(
    `[B5] coturn over ${name}: a nonce of another connection is stale, the next one good`,
    async (t) => {
      const [first, second] = [await open(server), await open(server)];
      t.teardown(first.close);
      t.teardown(second.close);
      const client = new ClientAuth({
        mechanism: 'long-term',
        credentials: ALICE,
        reliable: first.reliable,
      });
      t.is((await exchange(first, client, allocate())).verdict.type, 'success');
      const { codes, verdict } = await exchange(second, client, allocate());
      t.deepEqual(codes, [438]);
      t.is(verdict.type, 'success');
    },
  );
}

interop(
  '[W-3] coturn lets in the time-limited users that we make, and not expired ones',
  async (t) => {
    const end = async (expiry: number, secret: string) => {
      const link = await openTcp(timeLimited);
      t.teardown(link.close);
      const name = `${expiry}:alice`;
      const client = new ClientAuth({
        mechanism: 'long-term',
        credentials: { name, password: timeLimitedPassword(secret, name) },
        reliable: true,
      });
      const { verdict } = await exchange(link, client, allocate());
      return verdict.type;
    };
    const seconds = Math.floor(Date.now() / 1000);
    t.is(await end(seconds + 600, SECRET), 'success');
    t.is(await end(seconds + 600, 'another'), 'failed');
    t.is(await end(seconds - 600, SECRET), 'failed');
  },
);

interop('[B5] coturn answers 420 to what it does not know, and we read the list', async (t) => {
  const link = await openTcp(server);
  t.teardown(link.close);
  const client = new ClientAuth({ mechanism: 'none', reliable: true });
  const odd: Attribute = { type: 'unknown', number: 0x7777, value: randomBytes(3) };
  const { response, codes } = await exchange(link, client, request(METHODS.BINDING, [odd]));
  t.deepEqual(codes, [420]);
  t.deepEqual(find(response, 'UNKNOWN-ATTRIBUTES'), [0x7777]);
});

interop(
  '[W-4] coturn skips our own attributes: an ordinary server is told by their absence',
  async (t) => {
    const link = await openTcp(server);
    const client = new ClientAuth({ mechanism: 'none', reliable: true });
    const ours: Attribute = { type: 'TEP-TUNNEL', value: new Uint8Array(0) };
    const { verdict, response } = await exchange(link, client, request(METHODS.BINDING, [ours]));
    t.is(verdict.type, 'success');
    t.is(find(response, 'TEP-TUNNEL'), undefined);
  },
);

interop('[M-05] the client of coturn reads our Binding answers', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.on('message', (octets, from) => {
    const message = decode(octets, 0, octets.length);
    if (typeof message === 'number') return;
    const client = endpoint(from.address, from.port);
    const answer = answerBinding(message, client, 'tep');
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, ADDRESS, resolve));
  const output = await peerOutput('turnutils_stunclient', [
    '-p',
    `${socket.address().port}`,
    ADDRESS,
  ]);
  t.regex(output, /UDP reflexive addr: 127\.0\.0\.1:\d+/);
});
