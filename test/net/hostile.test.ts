/**
 * People and programs that a server on the Internet meets. Each time there is an honest call beside it,
 * which must not notice.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { CaptureRun } from '../../lab/capture.ts';
import { makeCertificate } from '../../lab/certificate.ts';
import type { Program } from '../../lab/program.ts';
import type { LabProgram } from '../../lab/requirements.ts';
import { SERVER_NAME } from '../../lab/sites.ts';
import type { Mode, Settings } from './agents.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { addUser, Call, type Scene, withAgents } from './scene.ts';
import { until } from './until.ts';

const GREETING_MS = 3_000;
/** On top of the limit: for a machine that is busy. */
const SLACK_MS = 30_000;
const EARS_PORT = 9_999;
const METADATA = '169.254.169.254';
/** The server gets it when it runs already. */
const LATER = '192.0.2.99';
const HALF_OPEN = 60;
const FLOOD = 4_000;
/** Of the server with one reader that does not read: what Node takes, and its queue. */
const MAX_RESIDENT_KIB = 200_000;
/** Most silence in an honest call on a machine that does something else besides. */
const SILENCE_MS = 2_000;

interface Hostility {
  readonly title: string;
  readonly programs?: readonly LabProgram[];
  readonly modes?: readonly Mode[];
  readonly server?: Settings;
  readonly act: (t: ExecutionContext, scene: Scene, call: Call) => Promise<void>;
}

const HOSTILITIES: readonly Hostility[] = [
  {
    title: 'connections on which nothing is said are ended in time',
    act: async (t, scene) => {
      const { closedMs } = await run(scene, 'half-open', String(HALF_OPEN));
      t.true(Number(closedMs) < GREETING_MS + SLACK_MS, `closed after ${closedMs} ms`);
    },
  },
  {
    title: 'beginnings that never end are ended in time',
    act: async (t, scene) => {
      const { closedMs } = await run(scene, 'slowloris');
      t.true(Number(closedMs) < GREETING_MS + SLACK_MS, `closed after ${closedMs} ms`);
    },
  },
  {
    title: 'what is neither tunnel nor HTTP nor TLS is ended',
    act: async (t, scene) => {
      const { closedMs } = await run(scene, 'garbage');
      t.true(Number(closedMs) < GREETING_MS + SLACK_MS, `closed after ${closedMs} ms`);
    },
  },
  { title: 'a port scanner finds ports and learns nothing', programs: ['nmap'], act: scan },
  { title: 'health checks by HTTP get a sane answer', act: checkHealth },
  { title: 'a wrong password opens no tunnel', act: guessPassword },
  { title: 'a stolen or guessed token of a tunnel is of no use to others', act: stealToken },
  { title: 'what was sent on one connection opens nothing on another', act: replay },
  { title: 'a client that reads nothing costs nobody else anything', act: readNothing },
  {
    title: "nobody sends from an address that is not his, or to one that is nobody's business",
    modes: ['relay', 'pool', 'reflexive'],
    // As an operator would write who does not think of it.
    server: { 'media.allow': ['0.0.0.0/0', '::/0'] },
    act: forge,
  },
];

for (const hostility of HOSTILITIES) {
  for (const mode of hostility.modes ?? ['relay']) {
    const programs: LabProgram[] = ['tcpdump', 'openssl', ...(hostility.programs ?? [])];
    netTest(`[G-22] ${hostility.title}, public addresses by ${mode}`, programs, ({ t, folder }) =>
      beside(t, hostility, mode, folder),
    );
  }
}

/** With an honest call beside it. */
async function beside(
  t: ExecutionContext,
  { server = {}, act }: Hostility,
  mode: Mode,
  folder: string,
): Promise<void> {
  const { certificate, key } = await makeCertificate(folder, [SERVER_NAME]);
  const limits = { 'limits.greeting': `${GREETING_MS / 1000}s` };
  const tls = { 'tls.certificate': certificate, 'tls.key': key };
  const settings = { ...limits, ...tls, ...server };
  await withAgents({ kind: 'open', mode, folder, server: settings }, async (scene) => {
    await addUser(scene, 'mallory', 'let me in');
    const call = await Call.begin(scene);
    await act(t, scene, call);
    await call.goesOn();
    const { up, down } = await call.end();
    t.is(up.missing + down.missing, 0, 'packets of an honest call are missing');
    t.true(Math.max(up.gapMs, down.gapMs) < SILENCE_MS, `${up.gapMs}, ${down.gapMs} ms of silence`);
    t.false(scene.server.program.hasExited);
  });
}

async function run(
  scene: Scene,
  name: string,
  ...args: readonly string[]
): Promise<Record<string, unknown>> {
  const { command, args: all } = hostileProgram(scene, name, ...args);
  const output = await scene.network.run('ue', command, all);
  return JSON.parse(output.trim());
}

function hostileProgram({ site }: Scene, name: string, ...args: readonly string[]) {
  return nodeProgram('hostile/hostile-main.js', name, site.server.v4, '80', ...args);
}

async function scan(t: ExecutionContext, { network, site }: Scene): Promise<void> {
  const options = ['-Pn', '-n', '-sT', '-p', '79-81,443', '-sV', '--version-light', '--open'];
  const limits = ['--host-timeout', '30s'];
  const found = await network.run('ue', 'nmap', [...options, ...limits, site.server.v4]);
  t.regex(found, /^80\/tcp +open/m);
  t.regex(found, /^443\/tcp +open/m);
  t.notRegex(found, /^(?:79|81)\/tcp +open/m);
}

async function checkHealth(t: ExecutionContext, scene: Scene): Promise<void> {
  const { codes } = await run(scene, 'health');
  t.deepEqual(codes, [404, 404]);
}

async function guessPassword(t: ExecutionContext, scene: Scene): Promise<void> {
  const { codes } = await run(scene, 'guess');
  t.deepEqual(codes, [401, 401, 401]);
}

async function stealToken(t: ExecutionContext, scene: Scene): Promise<void> {
  const { stolen, guessed, own } = await run(scene, 'steal');
  t.true(Number(stolen) >= 400, `stolen: ${stolen}`);
  // Whoever tries learns nothing from the answer.
  t.is(guessed, stolen);
  t.is(own, 0);
}

async function replay(t: ExecutionContext, scene: Scene): Promise<void> {
  const ears = await listen(scene);
  const result = await run(scene, 'replay', `${scene.site.gateway.v4}:${EARS_PORT}`);
  t.false(result.aliceIsClosed);
  t.true(result.isClosed);
  await until(() => ears.output.includes('heard once'));
  t.is(ears.output.match(/heard once/g)?.length, 1, JSON.stringify(result));
  await ears.stop();
}

async function readNothing(t: ExecutionContext, scene: Scene, call: Call): Promise<void> {
  const { network, server } = scene;
  const reader = await network.start('ue', {
    ...hostileProgram(scene, 'slow-reader'),
    takesInput: true,
    ready: { output: /public/ },
  });
  const [, address = '', port = ''] = await reader.said(/public ([0-9.]+):([0-9]+)/);
  const flood = nodeProgram('hostile/flood-main.js', address, port, String(FLOOD));
  await network.run('gateway', flood.command, flood.args);
  await call.goesOn();
  const resident = residentKiB(server.program.pid);
  t.true(resident < MAX_RESIDENT_KIB, `${resident} KiB`);
  await reader.stop();
}

function residentKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? Number.NaN);
}

/**
 * From a tunnel: as somebody else, and to where no media gateway is. Nothing of it may appear on any
 * interface of the server, while what is honest arrives.
 */
async function forge(t: ExecutionContext, scene: Scene, { publicAddress }: Call): Promise<void> {
  const { network, site, folder } = scene;
  await network.run('server', 'ip', ['addr', 'add', `${LATER}/32`, 'dev', 'lo']);
  await scene.server.program.said(/addresses of this host read again/);
  await network.run('server', 'ip', ['addr', 'add', `${METADATA}/32`, 'dev', 'lo']);
  const ears = await listen(scene);
  const local = await listen(scene, 'server');
  const file = join(folder, 'server.pcap');
  const capture = await CaptureRun.start(network, {
    host: 'server',
    interface: 'any',
    file,
    filter: `udp port ${EARS_PORT} or udp port 80 or udp port 443`,
  });
  const claimed = `${publicAddress.address}:${publicAddress.port}`;
  const forger = await network.start('ue', {
    ...hostileProgram(
      scene,
      'forge',
      claimed,
      `${site.gateway.v4}:${EARS_PORT}`,
      ...targets(scene),
    ),
    takesInput: true,
  });
  await until(() => ears.output.includes('honest again'));
  forger.write('end\n');
  const { isClosed } = JSON.parse((await forger.said(/\{.*\}/))[0]);
  t.false(isClosed, 'packets that are refused close no tunnel');
  await capture.stop();
  t.notRegex(ears.output, /knock/, "somebody else's address");
  t.notRegex(local.output, /knock/, 'an address of the server');
  const seen = await readFile(file, 'latin1');
  t.true(seen.includes('honest again'), 'the capture sees what leaves');
  t.false(seen.includes('knock'), 'on an interface of the server');
}

function targets({ site }: Scene): string[] {
  return [
    `127.0.0.1:${EARS_PORT}`,
    `[::1]:${EARS_PORT}`,
    `[::ffff:127.0.0.1]:${EARS_PORT}`,
    `[64:ff9b::7f00:1]:${EARS_PORT}`,
    `${METADATA}:80`,
    `[::ffff:${METADATA}]:80`,
    `${site.server.v4}:80`,
    `${site.server.v4}:443`,
    `${LATER}:80`,
    `[${site.server.v6}]:80`,
    `${site.relay.v4}:80`,
    `255.255.255.255:${EARS_PORT}`,
    `224.0.0.1:${EARS_PORT}`,
    `0.0.0.0:${EARS_PORT}`,
  ];
}

function listen({ network }: Scene, host = 'gateway'): Promise<Program> {
  const program = nodeProgram('hostile/ears-main.js', String(EARS_PORT));
  return network.start(host, { ...program, ready: { output: /ready/ } });
}
