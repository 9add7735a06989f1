/** coturn on loopback, on ports that were free a moment ago, with a certificate of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { peerOutput } from '../peers.ts';
import { freePorts } from './ports.ts';

export const ADDRESS = '127.0.0.1';
const REALM = 'example.org';

export interface TurnServer {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the certificate, which is for the name `localhost`. */
  readonly certificate: string;
  stop(): Promise<void>;
}

/** `credentials` are the options of coturn that say who is let in. */
export async function startTurnServer(credentials: readonly string[]): Promise<TurnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tep-coturn-'));
  const certificateFile = await makeCertificate(folder);
  const [port, tlsPort] = await freePorts(2, ADDRESS);
  if (port === undefined || tlsPort === undefined) throw new Error('no free port');
  const child = spawn(
    'turnserver',
    [
      ...['-v', '-n', '--no-cli', '--no-dtls', '--fingerprint', `--realm=${REALM}`, ...credentials],
      ...['-L', ADDRESS, '-E', ADDRESS, '-m', '1'],
      ...[`--listening-port=${port}`, `--tls-listening-port=${tlsPort}`],
      ...[`--cert=${certificateFile}`, `--pkey=${join(folder, 'key.pem')}`],
      ...['--log-file=stdout', '--simple-log'],
      ...[`--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'db')}`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], cwd: folder },
  );
  await listening(child, [
    `TCP listener opened on : ${ADDRESS}:${port}`,
    `TCP listener opened on : ${ADDRESS}:${tlsPort}`,
    `UDP listener opened on: ${ADDRESS}:${port}`,
  ]);
  return {
    port,
    tlsPort,
    certificate: await readFile(certificateFile, 'utf8'),
    stop: async () => {
      await stopped(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeCertificate(folder: string): Promise<string> {
  const file = join(folder, 'cert.pem');
  await peerOutput('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'],
    ...['-keyout', join(folder, 'key.pem'), '-out', file],
  ]);
  return file;
}

/** Waits until the log has told all of `lines`; throws when the program ends before. */
async function listening(child: ChildProcess, lines: readonly string[]): Promise<void> {
  if (child.stdout === null) throw new Error('no output to read');
  const missing = new Set(lines);
  const log = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`turnserver ended before: ${[...missing].join()}`)));
    log.on('line', (line) => {
      for (const wanted of missing) if (line.includes(wanted)) missing.delete(wanted);
      if (missing.size === 0) resolve();
    });
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
