/** Whether TEP-S can listen where it is told to, and who is in the way. */
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostOf } from '../../io/endpoints.ts';
import { type IoFault, ioFault } from '../../io/io-fault.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { type Finding, Findings } from './finding.ts';
import type { Machine } from './machine.ts';

/** State "LISTEN" in /proc/net/tcp. */
const LISTEN = '0A';

export async function listeningFindings(
  listen: ReadonlyArray<Endpoint | 'systemd'>,
  isRunning: boolean,
  machine: Machine,
): Promise<Finding[]> {
  const findings = new Findings('listening');
  for (const at of listen) {
    if (at === 'systemd') findings.ok('listening sockets come from systemd');
    else judge(at, await tryToListen(at), isRunning, machine, findings);
  }
  return findings.list;
}

function judge(
  at: Endpoint,
  fault: IoFault | undefined,
  isRunning: boolean,
  machine: Machine,
  findings: Findings,
): void {
  const name = formatEndpoint(at);
  if (fault === undefined) findings.ok(`${name} is free`);
  else if (fault.code === 'EADDRINUSE' && isRunning) findings.ok(`${name} is in use by tep server`);
  else if (fault.code === 'EADDRINUSE') {
    const holder = whoListens(at.port, machine) ?? 'another program';
    findings.problem(`${name} is in use by ${holder}`, 'stop it, or listen on another port');
  } else if (fault.code === 'EACCES') {
    findings.problem(
      `${name}: this user may not listen on a port below 1024`,
      'use tep-server.socket (listen: systemd), or run the server as root',
    );
  } else if (fault.code === 'EADDRNOTAVAIL') {
    findings.problem(`${name} is no address of this machine`, 'correct listen, or use [::]');
  } else findings.problem(fault.text, 'correct listen');
}

function tryToListen(at: Endpoint): Promise<IoFault | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(ioFault(error)));
    server.listen(at.port, hostOf(at), () => server.close(() => resolve(undefined)));
  });
}

/** `nginx (process 812)`; undefined where this user may not see it. */
function whoListens(port: number, machine: Machine): string | undefined {
  const inodes = listeningInodes(port, machine);
  for (const pid of folders('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of folders(`/proc/${pid}/fd`)) {
      if (!inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))) continue;
      return `${machine.read(`/proc/${pid}/comm`) ?? 'a program'} (process ${pid})`;
    }
  }
  return undefined;
}

function listeningInodes(port: number, machine: Machine): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['tcp', 'tcp6'].flatMap((file) =>
    (machine.read(`/proc/net/${file}`) ?? '').split('\n').map((row) => row.trim().split(/\s+/)),
  );
  const matching = rows.filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix));
  return new Set(matching.map((row) => `socket:[${row[9]}]`));
}

function folders(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
