/** What the system was really told: asked back by getsockopt, of connections that were dialled and accepted. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { abilityFindings, tcpFindings } from '../../cli/doctor/tcp.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { type Libc, libc } from '../../io/kernel/libc.ts';
import {
  congestionFault,
  descriptorOf,
  TCP_OPTIONS,
  type TcpOption,
  tcpAbilities,
} from '../../io/tcp-options.ts';
import { Listeners } from '../../tep-server/listeners.ts';
import { TestAuthority } from '../certificates.ts';
import { peerTest } from '../peers.ts';
import { dialled, plain } from './dial/dialled.ts';
import { HOST, listen } from './dial/listening.ts';
import { clientTls, listenTls } from './dial/tls-server.ts';

const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;
/** The one that every kernel has and lets everybody use. */
const RENO = 'reno';

function must<T extends number | object>(value: T | IoFault): T {
  if (typeof value === 'object' && isIoFault(value)) throw new Error(value.text);
  return value;
}

function calls(): Libc {
  return must(libc());
}

function optionOf(stream: Duplex, level: number, number: number): number {
  const value = new Int32Array(1);
  must(calls().getOption(descriptorOf(stream), level, number, new Uint8Array(value.buffer)));
  return value[0] ?? 0;
}

function congestionOf(stream: Duplex): string {
  const name = new Uint8Array(16);
  must(calls().getOption(descriptorOf(stream), 6, TCP_CONGESTION, name));
  return String.fromCharCode(...name.subarray(0, name.indexOf(0)));
}

/** Times are rounded up to ticks of the kernel, of which a second has 100 to 1,000. */
const TICK_US = 10_000;

function isAsTold({ name, value }: TcpOption, told: number): boolean {
  // The system doubles the buffer, for its own needs (socket(7)).
  if (name === 'SO_SNDBUF') return told === 2 * value;
  return told >= value && told < value + (name.endsWith('_US') ? TICK_US : 1);
}

function assertShallow(t: ExecutionContext, stream: Duplex): void {
  const { known } = must(tcpAbilities());
  t.true(known.length >= 3);
  for (const option of known) {
    const told = optionOf(stream, option.level, option.number);
    t.true(isAsTold(option, told), `${option.name} is ${told}`);
  }
}

test('[G-25] a connection that was dialled is kept shallow', async (t) => {
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port), {
    userTimeoutMs: 12_345,
    congestion: RENO,
  });
  assertShallow(t, stream);
  t.is(optionOf(stream, 6, TCP_USER_TIMEOUT), 12_345);
  t.is(congestionOf(stream), RENO);
});

test('[G-25] where nobody has named a congestion control, a short way has that of the system', async (t) => {
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port));
  const ofSystem = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
  t.is(congestionOf(stream), ofSystem);
});

peerTest('openssl', '[G-25] the same below TLS', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const server = await listenTls(t, await authority.issue());
  const tls = clientTls({ ca: authority.certificate });
  const stream = await dialled(t, server.target, { tls });
  assertShallow(t, stream);
});

test('[G-25] a connection that was accepted is kept shallow', async (t) => {
  const accepted = await new Promise<Socket>((resolve) => {
    void accepting(t, resolve);
  });
  assertShallow(t, accepted);
  t.is(congestionOf(accepted), RENO);
});

async function accepting(t: ExecutionContext, accept: (socket: Socket) => void): Promise<void> {
  const listeners = must(
    await Listeners.open({
      at: [{ family: 4, address: Uint8Array.of(127, 0, 0, 1), port: 0 }],
      stunUdp: false,
      congestion: RENO,
      accept: (socket) => {
        t.teardown(() => {
          socket.destroy();
        });
        accept(socket);
      },
      datagram: () => undefined,
    }),
  );
  t.teardown(() => listeners.close());
  await dialled(t, plain(listeners.local[0]?.port ?? 0, HOST));
}

test('congestion control that the system does not have, or does not allow', (t) => {
  t.is(congestionFault(RENO), undefined);
  t.regex(congestionFault('no-such-one')?.text ?? '', /^no-such-one: the system has no/);
});

test('doctor: options that this kernel has, and what is missing in others', (t) => {
  const [found] = tcpFindings('no-such-one');
  t.like(found, { check: 'TCP', result: 'ok' });
  t.regex(found?.text ?? '', /TCP_NOTSENT_LOWAT/);
  t.like(tcpFindings('no-such-one').at(-1), { check: 'congestion control', result: 'warning' });
  const fault = { type: 'io-fault', code: 'ENOPROTOOPT', text: 'setsockopt' } as const;
  const refused = TCP_OPTIONS.map((option) => ({ option, fault }));
  for (const { result, text, todo } of abilityFindings({ known: [], refused })) {
    t.is(result, 'warning');
    t.regex(text, /^\w+ cannot be set \(ENOPROTOOPT\): /);
    t.truthy(todo);
  }
});

/** What a machine does that koffi has no binary for. */
const WITHOUT_KOFFI = `import Module from 'node:module';
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (name === 'koffi') throw new Error('no binary for this machine');
    return load(name, ...rest);
  };`;

test('[G-25] without koffi a call is carried all the same', async (t) => {
  const base = new URL('../../', import.meta.url);
  const program = `const { openPair, openCall } = await import('${base}test/daemon/pair.js');
    const { tcpAbilities } = await import('${base}io/tcp-options.js');
    const pair = await openPair();
    const call = await openCall(pair);
    call.phone.say('up', call.standIn);
    const { from } = await call.gateway.hear('up');
    call.gateway.say('down', from);
    await call.phone.hear('down');
    console.log(JSON.stringify([tcpAbilities().code, pair.server.tcpState(0) ?? 'nothing']));
    await call.close();
    await pair.stop();`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--import=data:text/javascript,${encodeURIComponent(WITHOUT_KOFFI)}`,
    '--input-type=module',
    '--eval',
    program,
  ]);
  t.deepEqual(JSON.parse(stdout), ['ENOSYS', 'nothing']);
});

test('[G-25] without koffi little is under way all the same, by what TEP-S says has arrived', async (t) => {
  const base = new URL('../../', import.meta.url);
  const program = `const { openPair, openCall } = await import('${base}test/daemon/pair.js');
    const { openSlowWire } = await import('${base}test/daemon/slow-wire.js');
    const { setTimeout: pause } = await import('node:timers/promises');
    const pair = await openPair({
      through: async (server) => (await openSlowWire(server, 100)).target,
    });
    const call = await openCall(pair);
    // 100 octets a millisecond get through, 300 are offered.
    for (let i = 0; i < 100; i++) {
      for (let k = 0; k < 6; k++) call.phone.say('v'.repeat(1_000), call.standIn);
      await pause(20);
    }
    const { sentOctets } = pair.client.counters;
    console.log(JSON.stringify([sentOctets, pair.server.counters.receivedOctets]));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--import=data:text/javascript,${encodeURIComponent(WITHOUT_KOFFI)}`,
    '--input-type=module',
    '--eval',
    program,
  ]);
  const [sent = 0, received = 0] = JSON.parse(stdout) as number[];
  t.true(received > 50_000, `${received} received`);
  // Without questions it is all that the buffers of the system take: hundreds of kilobytes.
  t.true(sent - received < 65_536, `${sent - received} under way`);
});
