/** rtpengine on loopback: user space only, on ports that were free a moment ago. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './ports.ts';

const ADDRESS = '127.0.0.1';
/** Below those that systems give out. rtpengine takes the next port where somebody else has one. */
const FIRST_MEDIA_PORT = 16_000;
const MEDIA_PORTS = 4_000;
const MEDIA_RANGES = 4;

export interface Rtpengine {
  readonly ports: { readonly udp: number; readonly tcp: number; readonly http: number };
  /** Ends at once, as when it is killed, and begins again with nothing. */
  restart(): Promise<void>;
  /** Ends at once; `restart` begins again. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** `timeoutS`: how long a call may be without media. */
export async function startRtpengine(timeoutS = 3_600): Promise<Rtpengine> {
  const folder = await mkdtemp(join(tmpdir(), 'tep-rtpengine-'));
  const [udp = 0, tcp = 0, http = 0] = await freePorts(3, ADDRESS);
  const first = FIRST_MEDIA_PORT + MEDIA_PORTS * randomInt(MEDIA_RANGES);
  const args = [
    ...['--foreground', '--log-stderr', '--log-level=6', '--table=-1', `--interface=${ADDRESS}`],
    ...[`--listen-ng=${ADDRESS}:${udp}`, `--listen-tcp-ng=${ADDRESS}:${tcp}`],
    ...[`--listen-http=${ADDRESS}:${http}`, '--http-threads=2', '--num-threads=2'],
    ...[`--port-min=${first}`, `--port-max=${first + MEDIA_PORTS - 1}`],
    ...[`--timeout=${timeoutS}`, '--delete-delay=0', `--pidfile=${join(folder, 'pid')}`],
    '--config-file=none',
  ];
  let child = await begin(args);
  const kill = () => ended(child);
  return {
    ports: { udp, tcp, http },
    kill,
    restart: async () => {
      await kill();
      child = await begin(args);
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function begin(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('rtpengine', [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  if (child.stderr === null) throw new Error('no output to read');
  const log = createInterface({ input: child.stderr });
  const told: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`rtpengine ended: ${told.join(' ')}`)));
    log.on('line', (line) => {
      if (told.length < 20) told.push(line);
      if (line.includes('Startup complete')) resolve();
    });
  });
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
