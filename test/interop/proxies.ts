/** squid and tinyproxy on loopback, with the settings that a test needs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { peerOutput } from '../peers.ts';
import { freePorts } from './ports.ts';

export const HOST = '127.0.0.1';
export const USER = 'caller';
/** With a colon and a space, which are easily got wrong; tinyproxy's settings cannot write those. */
export const SQUID_PASSWORD = 'sesame: open';
export const TINYPROXY_PASSWORD = 'sesame';

const REALM = 'a proxy';
const HELPERS = '/usr/lib/squid';

export interface RealProxy {
  readonly port: number;
  /** What it has logged of requests so far. */
  log(): Promise<string>;
}

export interface ProxyWishes {
  readonly auth?: 'basic' | 'digest';
  readonly connectPorts: readonly number[];
  /** More lines for squid, in front of its own rules. */
  readonly rules?: readonly string[];
}

export async function startSquid(t: ExecutionContext, wishes: ProxyWishes): Promise<RealProxy> {
  const folder = await newFolder(t);
  const port = await freePort();
  await writeFile(join(folder, 'passwords'), await passwords(wishes.auth));
  const settings = join(folder, 'squid.conf');
  await writeFile(settings, squidSettings(wishes, folder, port));
  // Instances are told apart by name: it names their shared memory.
  const name = `teptest${randomInt(1_000_000_000)}`;
  await start(t, spawn('squid', ['-N', '-n', name, '-f', settings], { stdio: 'ignore' }), port);
  return { port, log: () => readFile(join(folder, 'access.log'), 'utf8') };
}

export async function startTinyproxy(t: ExecutionContext, wishes: ProxyWishes): Promise<RealProxy> {
  const folder = await newFolder(t);
  const port = await freePort();
  const settings = join(folder, 'tinyproxy.conf');
  const log = join(folder, 'log');
  const lines = [
    ...[`Listen ${HOST}`, `Port ${port}`, 'Timeout 60', 'MaxClients 20', `LogFile "${log}"`],
    ...wishes.connectPorts.map((allowed) => `ConnectPort ${allowed}`),
    ...(wishes.auth === undefined ? [] : [`BasicAuth ${USER} ${TINYPROXY_PASSWORD}`]),
  ];
  await writeFile(settings, `${lines.join('\n')}\n`);
  await start(t, spawn('tinyproxy', ['-d', '-c', settings], { stdio: 'ignore' }), port);
  return { port, log: () => readFile(log, 'utf8') };
}

function squidSettings(
  { auth, connectPorts, rules = [] }: ProxyWishes,
  folder: string,
  port: number,
) {
  const helper = auth === 'basic' ? 'basic_ncsa_auth' : 'digest_file_auth -c';
  const login = [
    `auth_param ${auth} program ${HELPERS}/${helper} ${folder}/passwords`,
    `auth_param ${auth} children 1`,
    `auth_param ${auth} realm ${REALM}`,
    'acl known proxy_auth REQUIRED',
    'http_access deny !known',
  ];
  return [
    `http_port ${HOST}:${port}`,
    `pid_filename ${folder}/squid.pid`,
    `access_log stdio:${folder}/access.log`,
    `cache_log ${folder}/cache.log`,
    `coredump_dir ${folder}`,
    ...['cache deny all', 'visible_hostname proxy.example', 'pinger_enable off'],
    ...['cache_effective_user proxy', 'shutdown_lifetime 0 seconds', 'dns_timeout 1 second'],
    ...rules,
    ...(auth === undefined ? [] : login),
    `acl allowed port ${connectPorts.join(' ')}`,
    ...['http_access deny !allowed', 'http_access allow all', ''],
  ].join('\n');
}

async function passwords(auth: ProxyWishes['auth']): Promise<string> {
  if (auth === undefined) return '';
  if (auth === 'basic') {
    return `${USER}:${await peerOutput('openssl', ['passwd', '-apr1', SQUID_PASSWORD])}`;
  }
  const key = `${USER}:${REALM}:${SQUID_PASSWORD}`;
  return `${USER}:${REALM}:${createHash('md5').update(key).digest('hex')}\n`;
}

/** Open to the user that squid and tinyproxy change to. */
async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tep-proxy-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o777);
  return folder;
}

async function freePort(): Promise<number> {
  const [port] = await freePorts(1, HOST);
  if (port === undefined) throw new Error('no free port');
  return port;
}

/** Waits until it takes connections; it ends with the test. */
async function start(t: ExecutionContext, child: ChildProcess, port: number): Promise<void> {
  let ended = false;
  const exit = once(child, 'exit').then(() => {
    ended = true;
  });
  t.teardown(async () => {
    // By force squid would leave its shared memory behind.
    child.kill('SIGTERM');
    await exit;
  });
  while (!(await answers(port))) {
    if (ended) throw new Error('the proxy ended before it was ready');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
