import test, { type ExecutionContext } from 'ava';
import { dispatch } from '../../cli/dispatch.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { serveStatus } from '../../io/status-socket.ts';
import type { ClientStatus, ServerStatus } from '../../ops/status.ts';
import { scratch } from '../config/scratch.ts';
import { until } from '../tep-server/service.ts';
import { fakeWorld } from './world.ts';

const COMMON = {
  version: '1.0.0',
  pid: 77,
  startedMs: 1_000_000,
  drops: { 'send-queue-full': 12, 'no-binding': 3, 'ip-short': 0 },
  port: { kind: 'rings', received: 5, sent: 6, drops: { 'ring-overrun': 2 } },
} as const;

const QUALITY = {
  ...{ received: 1_990, lost: 10, jitterMs: 2.34, lateMs: { p50: 0.4, p99: 31.25 } },
  ...{ stalls: 3, longestStallMs: 180, mos: 4.126 },
} as const;

const NONE_LOST = { tunnelEnded: 0, noConnection: 0 } as const;

/** A call of 50 packets a second, at the moment that the agent is asked. */
function client(second: number): ClientStatus {
  const packets = 50 * second;
  return {
    ...COMMON,
    agent: 'client',
    nowMs: 1_000_000 + 1_000 * second,
    sent: { packets, octets: packets * 200 },
    received: { packets: 2 * packets, octets: packets * 400 },
    tunnel: {
      state: 'open',
      server: 'tls://tep.example:443',
      sinceMs: 1_000_000,
      outer: '192.0.2.1:4000',
      resumed: 2,
      lastFault: 'no answer\u001b[2J',
      connections: [{ peer: '203.0.113.1:443', state: 'ready', rttMs: 20.25, queuedOctets: 1_400 }],
      waiting: { packets: 0, octets: 0 },
    },
    bindings: [
      {
        ...{ ue: '10.0.0.2:5004', public: '198.51.100.7:30000', protocol: 'udp', origin: 'static' },
        quality: QUALITY,
        sending: [
          { class: 'rtcp', waitedMs: [5], tooOld: 1, tooFull: 0, brokenFrame: 0, ...NONE_LOST },
          {
            class: 'audio',
            waitedMs: [900, 0, 0, 0, 0, 1_040, 7, 0, 0, 0],
            tooOld: 1_200,
            tooFull: 30,
            brokenFrame: 3,
            ...NONE_LOST,
          },
        ],
      },
      {
        ...{ ue: '10.0.0.2:5005', public: '198.51.100.7:30001', protocol: 'udp', origin: 'static' },
        sending: [],
      },
    ],
    maps: [],
  };
}

function server(second: number): ServerStatus {
  const tunnels = Array.from({ length: 25 }, (_, id) => ({
    id,
    user: `user${id}`,
    sinceMs: 1_000_000,
    connections: [],
    bindings: [
      { public: '198.51.100.7:30000', protocol: 'udp' as const, quality: QUALITY, sending: [] },
      {
        ...{ public: '198.51.100.7:30002', protocol: 'udp' as const, sending: [] },
        quality: { ...QUALITY, mos: 3.2 },
      },
    ],
    sent: { packets: 0, octets: 0 },
    received: { packets: 0, octets: 0 },
    waiting: { packets: 0, octets: 0 },
    dropped: 0,
  }));
  const none = { packets: 0, octets: 0 };
  return {
    ...COMMON,
    agent: 'server',
    nowMs: 1_000_000 + 1_000 * second,
    sent: none,
    received: none,
    listening: ['[::]:80'],
    draining: false,
    workers: 1,
    connections: { all: 3, unauthenticated: 1 },
    turnedAway: { http: 4 },
    tunnelCount: 1_234,
    bindingCount: 5,
    tunnels,
  };
}

async function serve(t: ExecutionContext, path: string, answer: (n: number) => object) {
  let asked = 0;
  const socket = await serveStatus(path, () => answer(++asked));
  if (isIoFault(socket)) throw new Error(socket.text);
  t.teardown(() => socket.close());
}

test('a client: tunnel, rates, round trip, bindings, drops with what they mean', async (t) => {
  const path = `${scratch(t).folder}/client.sock`;
  await serve(t, path, client);
  const world = fakeWorld();
  t.is(await dispatch(['status', '--socket', path], world), 0);
  t.is(
    world.out(),
    `tep client 1.0.0, process 77, running for 2 s
  sent      50 packets/s, 80.0 kbit/s, 100 packets in all
  received  100 packets/s, 160.0 kbit/s, 200 packets in all
  tunnel    open, server tls://tep.example:443, for 2 s, seen as 192.0.2.1:4000, resumed 2 times
  last end  no answer\\x1b[2J

    connection       state  round trip  waiting
    203.0.113.1:443  ready  20.3 ms     1,400 octets

    phone          public                   by      dropped  received  lost    jitter  late     stalls  MOS
    10.0.0.2:5004  198.51.100.7:30000  udp  static  1,234    1,990     0.50 %  2.3 ms  31.3 ms  3       4.13
    10.0.0.2:5005  198.51.100.7:30001  udp  static  0        -         -       -       -        -       -

  packets into the tunnel, by how many ms they waited for a connection
    phone          class  below 1  below 2  below 5  below 10  below 20  below 50  below 100  below 150  below 300  longer  dropped
    10.0.0.2:5004  rtcp   5        0        0        0         0         0         0          0          0          0       1
    10.0.0.2:5004  audio  900      0        0        0         0         1,040     7          0          0          0       1,233

  dropped
    12  send-queue-full  the peer reads too slowly; queue at its limit
    3   no-binding       no binding for this address

  dropped at the packet port (rings)
    2  ring-overrun  more came than was taken in time; the kernel counts them
`,
  );
});

test('a server lists some of its tunnels', async (t) => {
  const path = `${scratch(t).folder}/server.sock`;
  await serve(t, path, server);
  const world = fakeWorld();
  t.is(await dispatch(['status', '--socket', path], world), 0);
  t.regex(
    world.out(),
    /tunnels {3}1,234, public ports 5\n {2}clients {3}connections 3, not authenticated 1\n/,
  );
  t.regex(world.out(), /round trip {2}stalls {2}least MOS\n/);
  t.regex(world.out(), /user19 .* 6 {7}3\.20\n/);
  t.notRegex(world.out(), /user20 /);
  t.regex(world.out(), /and 1,214 more/);
  t.regex(world.out(), /turned away\n {4}4 {2}http/);
});

test('a client: whether UDP passes, and who it is seen as', async (t) => {
  for (const [udp, text] of [
    [{ state: 'passes', mapped: '192.0.2.1:40000' }, 'passes, seen as 192.0.2.1:40000'],
    [{ state: 'unanswered' }, 'unanswered'],
  ] as const) {
    const path = `${scratch(t).folder}/client.sock`;
    await serve(t, path, (second) => ({ ...client(second), udp }));
    const world = fakeWorld();
    t.is(await dispatch(['status', '--socket', path], world), 0);
    t.true(world.out().includes(`\n  STUN      by UDP: ${text}\n`), world.out());
  }
});

test('both agents are found where they put their sockets', async (t) => {
  const { folder } = scratch(t);
  await serve(t, `${folder}/tep/client.sock`, client);
  await serve(t, `${folder}/tep/server.sock`, server);
  const world = fakeWorld('', { XDG_RUNTIME_DIR: folder });
  const user = { ...world, process: { ...world.process, uid: 1_000 } };
  t.is(await dispatch(['status', '--json'], user), 0);
  const answers = world
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const own = answers.filter(({ pid }) => pid === 77);
  t.deepEqual(
    own.map(({ agent }) => agent),
    ['client', 'server'],
  );
  t.is(own[0].rates.sent.packetsPerSecond, 50);
});

test('an agent that is starting says so; one that was restarted has no rates', async (t) => {
  const path = `${scratch(t).folder}/client.sock`;
  await serve(t, path, (n) => (n === 1 ? { agent: 'client', pid: 1, starting: true } : client(n)));
  const world = fakeWorld();
  t.is(await dispatch(['status', '--socket', path], world), 0);
  t.notRegex(world.out(), /packets\/s/);
  const other = `${path}2`;
  await serve(t, other, () => ({ agent: 'server', pid: 1, starting: true }));
  const second = fakeWorld();
  t.is(await dispatch(['status', '--socket', other], second), 0);
  t.is(second.out(), 'tep server is starting\n');
});

test('--watch goes on until it is interrupted', async (t) => {
  const path = `${scratch(t).folder}/client.sock`;
  const world = fakeWorld();
  await serve(t, path, (n) => {
    if (n === 4) world.interruptNow();
    return client(n);
  });
  t.is(await dispatch(['status', '--watch', '--json', '--socket', path], world), 0);
  t.true(world.out().trim().split('\n').length >= 2);
});

test('--watch waits for an agent that is being started again', async (t) => {
  const path = `${scratch(t).folder}/client.sock`;
  const world = fakeWorld();
  const first = await serveStatus(path, () => client(1));
  if (isIoFault(first)) throw new Error(first.text);
  const watching = dispatch(['status', '--watch', '--socket', path], world);
  await until(() => world.out().includes('running for'));
  await first.close();
  await until(() => world.out().includes('no agent is running that this user may ask'));
  await serve(t, path, () => ({ ...client(2), pid: 78 }));
  await until(() => world.out().includes('process 78'));
  world.interruptNow();
  t.is(await watching, 0);
});

test('no agent is exit status 1 with where it was looked for', async (t) => {
  const { folder } = scratch(t);
  await serve(t, `${folder}/odd.sock`, () => ({ agent: 'other' }));
  const world = fakeWorld('');
  t.is(await dispatch(['status', '--socket', `${folder}/none`], world), 1);
  t.is(
    world.err(),
    `tep: no agent is running that this user may ask (${folder}/none: nobody there)\n`,
  );
  const odd = fakeWorld();
  t.is(await dispatch(['status', '--socket', `${folder}/odd.sock`], odd), 1);
  t.regex(odd.err(), /no agent\)/);
});

test('a server beside rtpengine: gateway, calls, commands, what went wrong', async (t) => {
  const path = `${scratch(t).folder}/server.sock`;
  const ng = {
    listening: ['udp://127.0.0.1:2223'],
    gatewayAnswers: true,
    peers: 8,
    calls: 3,
    pinholes: 4,
    commands: { offer: 1_200, answer: 1_100 },
    faults: { refused: 2 },
  };
  await serve(t, path, (second) => ({ ...server(second), ng }));
  const world = fakeWorld();
  t.is(await dispatch(['status', '--socket', path], world), 0);
  t.true(
    world.out().includes(`
  control   udp://127.0.0.1:2223: gateway answers, proxies 8
  calls     3, open ways 4
  commands  offer 1,200, answer 1,100
`),
    world.out(),
  );
  t.true(
    world.out().includes(`
  control of the media gateway
    2  refused  the media gateway answered with an error
`),
  );
});
