/** Choice of server: order, head start, penalties, and that a tunnel stays where it is (G-13, M-07). */
import { PassThrough } from 'node:stream';
import test from 'ava';
import type { Dial, DialFault, ServerTarget } from '../../io/dial/types.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { Servers, serverName } from '../../tep-client/servers.ts';

/** Nobody waits for a server before the next one is asked; or everybody for ever. */
const NO_HEAD_START = 0;
const ENDLESS = 2 ** 30;

const [A, B, C] = ['a.example', 'b.example', 'c.example'].map((host) => ({
  host,
  port: 80,
  tls: false,
})) as [ServerTarget, ServerTarget, ServerTarget];

interface Attempt {
  readonly host: string;
  readonly stream: PassThrough;
  isAbandoned: boolean;
  connect(): void;
  fail(): void;
}

/** A network in which the test decides what each attempt comes to. */
class Network {
  now = 1_780_000_000_000;
  readonly attempts: Attempt[] = [];

  servers(targets: readonly ServerTarget[], headStartMs = ENDLESS): Servers<ServerTarget> {
    return new Servers(targets, { dial: this.#dial, clock: () => this.now, headStartMs });
  }

  get hosts(): string {
    return this.attempts.map(({ host }) => host[0]).join('');
  }

  last(): Attempt {
    const last = this.attempts.at(-1);
    if (last === undefined) throw new RangeError('no attempt');
    return last;
  }

  /** Waits until so many attempts were made. */
  async attempted(count: number): Promise<void> {
    while (this.attempts.length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  readonly #dial = ({ host }: ServerTarget): Dial => {
    let settle: (outcome: PassThrough | DialFault) => void = () => {};
    const result = new Promise<PassThrough | DialFault>((resolve) => {
      settle = resolve;
    });
    const stream = new PassThrough();
    const fail = (code: string) =>
      settle({ type: 'io-fault', stage: 'tcp', code, text: `${host}: ${code}` });
    const attempt: Attempt = {
      host,
      stream,
      isAbandoned: false,
      connect: () => settle(stream),
      fail: () => fail('ECONNREFUSED'),
    };
    this.attempts.push(attempt);
    const abandon = () => {
      attempt.isAbandoned = true;
      fail('ECANCELED');
    };
    return { result, abandon };
  };
}

/** Opens a tunnel at whatever server answers first when those of `down` do not. */
async function open(net: Network, servers: Servers<ServerTarget>, conn: number, down = '') {
  const dial = servers.dial(conn, false);
  for (let seen = net.attempts.length - 1; ; seen++) {
    await net.attempted(seen + 1);
    const attempt = net.attempts[seen];
    if (attempt === undefined) continue;
    if (down.includes(attempt.host[0] ?? '')) attempt.fail();
    else {
      attempt.connect();
      break;
    }
  }
  await dial.result;
  servers.admitted(conn);
}

test('the first one that answers has the tunnel; later ones are not even asked', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B, C]);
  await open(net, servers, 1);
  t.is(net.hosts, 'a');
  t.is(servers.current, A);
});

test('[G-13] one that is down costs no time: the next one is asked at once', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B, C]);
  await open(net, servers, 1, 'ab');
  t.is(net.hosts, 'abc');
  t.is(servers.current, C);
});

test('one that is silent has a head start, no more; what comes too late is closed', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B], NO_HEAD_START);
  const dial = servers.dial(1, false);
  await net.attempted(2);
  const { stream } = net.last();
  net.last().connect();
  t.is(await dial.result, stream);
  t.true(net.attempts[0]?.isAbandoned);
  t.false(net.attempts[1]?.isAbandoned);
  net.attempts[0]?.connect();
  servers.admitted(1);
  t.is(servers.current, B);
  // It was too slow: it is asked last for a while.
  servers.closed();
  servers.dial(2, false);
  t.is(net.hosts, 'abb');
});

test('a connection that wins a moment before another one is there: the other one is destroyed', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B], NO_HEAD_START);
  const dial = servers.dial(1, false);
  await net.attempted(2);
  net.attempts[0]?.connect();
  net.attempts[1]?.connect();
  await dial.result;
  await new Promise((resolve) => setImmediate(resolve));
  t.true(net.attempts[1]?.stream.destroyed);
  t.false(net.attempts[0]?.stream.destroyed);
});

test('all are down: one fault that tells about each of them, the preferred one first', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  const dial = servers.dial(1, false);
  net.last().fail();
  await net.attempted(2);
  net.last().fail();
  const fault = await dial.result;
  t.true(isIoFault(fault));
  if (isIoFault(fault)) t.is(fault.text, 'a.example: ECONNREFUSED; b.example: ECONNREFUSED');
  // And each is tried again next time, the one that may be back soonest first.
  servers.dial(2, false);
  t.is(net.hosts, 'aba');
});

test('[W-7] connections that join go to the server that has the tunnel, and it is not to blame', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  await open(net, servers, 1, 'a');
  net.now += 3_600_000;
  for (let conn = 2; conn < 5; conn++) {
    const dial = servers.dial(conn, true);
    t.is(net.last().host, B.host);
    net.last().fail();
    await dial.result;
    servers.ended(conn);
  }
  t.is(net.hosts, 'abbbb');
  t.is(servers.current, B);
});

test('back to the preferred one when a tunnel is opened anew, after its penalty', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  await open(net, servers, 1, 'a');
  servers.closed();
  net.now += 29_999;
  await open(net, servers, 2);
  t.is(servers.current, B);
  servers.closed();
  net.now += 1;
  await open(net, servers, 3);
  t.is(servers.current, A);
});

test('the penalty doubles from failure to failure, up to ten minutes', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  for (const penaltyMs of [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]) {
    await open(net, servers, 1, 'a');
    servers.closed();
    net.now += penaltyMs - 1;
    await open(net, servers, 1);
    t.is(servers.current, B);
    servers.closed();
    net.now += 1;
  }
  // One success and all is forgotten.
  await open(net, servers, 1);
  servers.closed();
  await open(net, servers, 1, 'a');
  servers.closed();
  net.now += 30_000;
  await open(net, servers, 1);
  t.is(servers.current, A);
});

test('[M-10] one that lets nobody in is passed over like one that is down', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  const dial = servers.dial(1, false);
  net.last().connect();
  await dial.result;
  servers.ended(1);
  servers.dial(2, false);
  t.is(net.hosts, 'ab');
  t.is(servers.current, undefined);
});

test('[W-7] the end of a connection that had the tunnel blames nobody; an expired tunnel does', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  await open(net, servers, 1);
  servers.ended(1);
  servers.dial(2, true);
  t.is(net.last().host, A.host);
  servers.expired();
  servers.dial(3, false);
  t.is(net.last().host, B.host);
});

test('[W-7] a server that has forgotten the tunnel and opens a new one is in favour again', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  await open(net, servers, 1);
  const dial = servers.dial(2, true);
  net.last().connect();
  await dial.result;
  servers.expired();
  servers.admitted(2);
  t.is(servers.current, A);
  servers.closed();
  servers.dial(3, false);
  t.is(net.last().host, A.host);
});

test('abandoning ends every attempt', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B], NO_HEAD_START);
  const dial = servers.dial(1, false);
  await net.attempted(2);
  dial.abandon();
  t.true(net.attempts.every(({ isAbandoned }) => isAbandoned));
  const fault = await dial.result;
  t.true(isIoFault(fault) && fault.code === 'ECANCELED');
  // Nobody failed.
  servers.dial(2, false);
  t.is(net.hosts, 'aba');
});

test('a new list: the tunnel stays, the next one is opened by the new order', async (t) => {
  const net = new Network();
  const servers = net.servers([A, B]);
  await open(net, servers, 1);
  servers.replace([C, B]);
  servers.dial(2, true);
  t.is(net.last().host, A.host);
  servers.closed();
  servers.dial(3, false);
  t.is(net.last().host, C.host);
});

test('servers are called as the configuration does', (t) => {
  t.is(serverName({ host: 'tep.example', port: 443, tls: true }), 'tls://tep.example:443');
  t.is(serverName({ host: '2001:db8::1', port: 80, tls: false }), 'tcp://[2001:db8::1]:80');
});
