/**
 * HTTP proxies: squid and tinyproxy, as people's companies run them. Settings are made here; the
 * programs are the system's own.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeLabFile } from './files.ts';
import type { Network } from './network.ts';
import type { Program } from './program.ts';
import { runTool } from './tool.ts';

export interface ProxyPlan {
  readonly program: 'squid' | 'tinyproxy';
  readonly auth: 'open' | 'basic' | 'digest';
  /** Ports of servers that CONNECT may reach. */
  readonly connectPorts: readonly number[];
}

export const PROXY_USER = 'caller';
/** With a colon and a space, which are easily got wrong. */
export const PROXY_PASSWORD = 'sesame: open';
export const SQUID_PORT = 3128;
export const TINYPROXY_PORT = 8888;

const REALM = 'lab proxy';
const HELPERS = '/usr/lib/squid';
/** squid names shared memory by it; two of them may run on the machine. */
const serviceName = () => `tep${randomBytes(6).toString('hex')}`;

/**
 * Starts it on a host; files that it needs are made in `folder`, which must be its alone, in folders that
 * every user may pass through.
 */
export async function startProxy(
  network: Network,
  host: string,
  plan: ProxyPlan,
  folder: string,
): Promise<Program> {
  await mkdir(folder, { recursive: true });
  // squid writes its logs as a user of its own.
  await chmod(folder, 0o1777);
  return plan.program === 'squid'
    ? startSquid(network, host, plan, folder)
    : startTinyproxy(network, host, plan, folder);
}

async function startSquid(
  network: Network,
  host: string,
  plan: ProxyPlan,
  folder: string,
): Promise<Program> {
  const settings = join(folder, 'squid.conf');
  await writeLabFile(join(folder, 'passwords'), await passwordFile(plan.auth));
  await writeLabFile(settings, squidSettings(plan, folder));
  return network.start(host, {
    command: 'squid',
    args: ['-N', '-n', serviceName(), '-f', settings],
    logFile: join(folder, 'squid.log'),
    ready: { port: SQUID_PORT, protocol: 'tcp' },
  });
}

async function startTinyproxy(
  network: Network,
  host: string,
  plan: ProxyPlan,
  folder: string,
): Promise<Program> {
  const settings = join(folder, 'tinyproxy.conf');
  await writeLabFile(settings, tinyproxySettings(plan));
  return network.start(host, {
    command: 'tinyproxy',
    args: ['-d', '-c', settings],
    logFile: join(folder, 'tinyproxy.log'),
    ready: { port: TINYPROXY_PORT, protocol: 'tcp' },
  });
}

export function squidSettings({ auth, connectPorts }: ProxyPlan, folder: string): string {
  return [
    `http_port ${SQUID_PORT}`,
    `pid_filename ${folder}/squid.pid`,
    `access_log stdio:${folder}/access.log`,
    `cache_log ${folder}/cache.log`,
    `coredump_dir ${folder}`,
    'cache deny all',
    'cache_effective_user proxy',
    'visible_hostname proxy.example',
    'pinger_enable off',
    'shutdown_lifetime 0 seconds',
    ...squidAuth(auth, folder),
    'acl CONNECT method CONNECT',
    `acl tunnel_ports port ${connectPorts.join(' ')}`,
    'http_access deny !CONNECT',
    'http_access deny !tunnel_ports',
    'http_access allow all',
    '',
  ].join('\n');
}

function squidAuth(auth: ProxyPlan['auth'], folder: string): string[] {
  if (auth === 'open') return [];
  const helper = auth === 'basic' ? 'basic_ncsa_auth' : 'digest_file_auth -c';
  return [
    `auth_param ${auth} program ${HELPERS}/${helper} ${folder}/passwords`,
    `auth_param ${auth} children 1`,
    `auth_param ${auth} realm ${REALM}`,
    'acl known proxy_auth REQUIRED',
    'http_access deny !known',
  ];
}

export function tinyproxySettings({ auth, connectPorts }: ProxyPlan): string {
  // Its settings have no way to quote a space.
  if (auth !== 'open') throw new RangeError('tinyproxy is run without authentication');
  return [
    'User nobody',
    'Group nogroup',
    `Port ${TINYPROXY_PORT}`,
    'Timeout 600',
    'LogLevel Connect',
    'MaxClients 100',
    ...connectPorts.map((port) => `ConnectPort ${port}`),
    '',
  ].join('\n');
}

async function passwordFile(auth: ProxyPlan['auth']): Promise<string> {
  switch (auth) {
    case 'open':
      return '';
    case 'basic':
      return `${PROXY_USER}:${await hashedPassword()}`;
    case 'digest':
      return `${PROXY_USER}:${REALM}:${ha1()}\n`;
  }
}

/** As the Apache server's `htpasswd` makes them. */
function hashedPassword(): Promise<string> {
  return runTool({
    program: 'openssl',
    args: ['passwd', '-apr1', '-stdin'],
    input: `${PROXY_PASSWORD}\n`,
  });
}

/** RFC 7616 section 3.4.2. */
function ha1(): string {
  const text = `${PROXY_USER}:${REALM}:${PROXY_PASSWORD}`;
  return createHash('md5').update(text).digest('hex');
}
