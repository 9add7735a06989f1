/**
 * `node hostile-main.js SCENARIO HOST PORT …`: one thing that nobody should do to a TEP-S. Prints a line of
 * JSON that tells how TEP-S took it.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { connect, type Socket } from 'node:net';
import { formatEndpoint } from '../../../wire/address.ts';
import { PASSWORD, USER } from '../agents.ts';
import { endpoint, udpPacket } from './packets.ts';
import { codeOf, WirePeer } from './wire-peer.ts';

const ALICE = { name: USER, password: PASSWORD };
const MALLORY = { name: 'mallory', password: 'let me in' };
const DRIP_MS = 200;

type Scenario = (host: string, port: number, args: readonly string[]) => Promise<object>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  forge,
  guess,
  health,
  steal,
  replay,
  'slow-reader': slowReader,
  'half-open': halfOpen,
  slowloris,
  garbage,
};

const [name = '', host = '', port = '', ...rest] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new RangeError(`no scenario ${name}`);
process.stdout.write(`${JSON.stringify(await scenario(host, Number(port), rest))}\n`);
process.exit();

/**
 * `CLAIMED GATEWAY DESTINATION…`: with a tunnel of its own, sends from an address that is somebody else's
 * to the gateway, and from its own to every destination. The first and the last packet are honest.
 */
async function forge(host: string, port: number, args: readonly string[]): Promise<object> {
  const [claimed = '', gateway = '', ...destinations] = args;
  const peer = await WirePeer.connect(host, port, MALLORY);
  await peer.open();
  const own = { 4: await peer.bind(4), 6: await peer.bind(6) };
  const four = own[4];
  if (four === undefined) throw new Error('no public address');
  const there = endpoint(gateway);
  peer.send(udpPacket(four, there, 'honest'));
  peer.send(udpPacket(endpoint(claimed), there, 'knock'));
  for (const destination of destinations.map(endpoint)) {
    // With public addresses as the server sees its clients there is none of the other family.
    const source = own[destination.family];
    if (source !== undefined) peer.send(udpPacket(source, destination, 'knock'));
  }
  peer.send(udpPacket(four, there, 'honest again'));
  // Its end would come before what is on the way.
  await once(process.stdin, 'data');
  return { own: formatEndpoint(four), isClosed: peer.isClosed };
}

/** Alice's name with passwords that are not hers. */
async function guess(host: string, port: number): Promise<object> {
  const codes: number[] = [];
  for (const password of ['x', 'password', PASSWORD.toUpperCase()]) {
    const peer = await WirePeer.connect(host, port, { name: USER, password });
    codes.push(codeOf(await peer.ask([{ type: 'TEP-TUNNEL', value: new Uint8Array(0) }])));
  }
  return { codes };
}

/** As load balancers do, in plain and in TLS. */
async function health(host: string): Promise<object> {
  const plain = get(`http://${host}/health`);
  const secure = getSecurely(`https://${host}/`, { rejectUnauthorized: false });
  const answers = [plain, secure].map(async (request) => {
    const [answer] = await once(request, 'response');
    return answer.statusCode;
  });
  return { codes: await Promise.all(answers) };
}

/** Mallory has a tunnel token of Alice's, as one who could read her connection would. */
async function steal(host: string, port: number): Promise<object> {
  const alice = await WirePeer.connect(host, port, ALICE);
  const token = await alice.open();
  const join = async (value: Uint8Array) => {
    const mallory = await WirePeer.connect(host, port, MALLORY);
    return codeOf(await mallory.ask([{ type: 'TEP-TUNNEL', value }]));
  };
  return {
    stolen: await join(token),
    guessed: await join(randomBytes(16)),
    // She still has it herself.
    own: codeOf(await alice.ask([{ type: 'TEP-TUNNEL', value: token }])),
  };
}

/** All that Alice has sent is sent again, octet by octet, on a connection of its own: `GATEWAY`. */
async function replay(host: string, port: number, args: readonly string[]): Promise<object> {
  const alice = await WirePeer.connect(host, port, ALICE);
  const token = await alice.open();
  const own = await alice.bind(4);
  if (own === undefined) throw new Error('no public address');
  await alice.ask([{ type: 'TEP-TUNNEL', value: token }]);
  alice.send(udpPacket(own, endpoint(args[0] ?? ''), 'once'));
  const again = await WirePeer.connect(host, port, ALICE);
  for (const octets of alice.sent) again.send(octets);
  const codes: number[] = [];
  for (let answer = await again.next(); answer; answer = await again.next()) {
    codes.push(codeOf(answer.message));
  }
  return { codes, isClosed: again.isClosed, aliceIsClosed: alice.isClosed };
}

/** Has a tunnel with a public address, and takes nothing from its connection any more. */
async function slowReader(host: string, port: number): Promise<object> {
  const peer = await WirePeer.connect(host, port, ALICE);
  await peer.open();
  const own = await peer.bind(4);
  if (own === undefined) throw new Error('no public address');
  peer.pause();
  process.stdout.write(`public ${formatEndpoint(own)}\n`);
  await once(process.stdin, 'data');
  return { isClosed: peer.isClosed };
}

/** `COUNT`: connections on which nothing is ever said. */
async function halfOpen(host: string, port: number, args: readonly string[]): Promise<object> {
  const sockets = await openMany(host, port, Number(args[0]));
  return { closedMs: await allClosed(sockets) };
}

/** A few beginnings, an octet at a time. */
async function slowloris(host: string, port: number): Promise<object> {
  const beginnings = [
    Buffer.from('GET / HTTP/1.1\r\nHost: tep.example\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
    Buffer.from(
      'CONNECT tep.example:80 HTTP/1.1\r\nHost: tep.example\r\nX-Long: aaaaaaaaaaaaaaaaa',
    ),
    Buffer.from('000100002112a442', 'hex'),
    Buffer.from('16030102000100', 'hex'),
  ];
  const sockets = await openMany(host, port, beginnings.length);
  const timer = setInterval(() => {
    for (const [i, socket] of sockets.entries()) {
      const beginning = beginnings[i] ?? Buffer.alloc(0);
      const at = socket.bytesWritten;
      // What has been said is said again for ever: no beginning may end.
      if (at < beginning.length) socket.write(beginning.subarray(at, at + 1));
    }
  }, DRIP_MS);
  const closedMs = await allClosed(sockets);
  clearInterval(timer);
  return { closedMs };
}

/** What is no tunnel, no HTTP and no TLS. */
async function garbage(host: string, port: number): Promise<object> {
  const hello = Buffer.from('1603010200010001fc0303', 'hex');
  const junk = [
    Buffer.concat([hello, randomBytes(505)]),
    Buffer.concat([Buffer.from('160301ffff', 'hex'), randomBytes(4_000)]),
    Buffer.concat([Buffer.from('1603', 'hex'), randomBytes(64)]),
    randomBytes(4_096),
    Buffer.alloc(4_096),
    Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'),
    Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'),
    Buffer.from('0001ffff2112a442', 'hex'),
    Buffer.from(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n`),
  ];
  const sockets = await openMany(host, port, junk.length);
  for (const [i, socket] of sockets.entries()) socket.write(junk[i] ?? '');
  return { closedMs: await allClosed(sockets) };
}

async function openMany(host: string, port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ host, port }));
  for (const socket of sockets) socket.on('error', () => {}).resume();
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

/** Resolves when the other side has ended all of them; to how long the last one took. */
async function allClosed(sockets: readonly Socket[]): Promise<number> {
  const beganMs = performance.now();
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  return Math.round(performance.now() - beganMs);
}
