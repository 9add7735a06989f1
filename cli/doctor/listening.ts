/** Whether an agent can listen where it is told to, and who is in the way. */
import { createSocket } from 'node:dgram';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostOf } from '../../io/endpoints.ts';
import { type IoFault, ioFault } from '../../io/io-fault.ts';
import type { AgentName } from '../../ops/status.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { type Finding, Findings } from './finding.ts';
import type { Machine } from './machine.ts';

export interface ListenPlan {
  readonly agent: AgentName;
  readonly at: ReadonlyArray<Endpoint | 'systemd'>;
  /** On the same ports too. */
  readonly udp: boolean;
  /** What is in use is in use by the agent itself. */
  readonly isRunning: boolean;
}

type Protocol = 'tcp' | 'udp';

/** The states of sockets that take what comes, in /proc/net/tcp and /proc/net/udp. */
const OPEN_STATE: Readonly<Record<Protocol, string>> = { tcp: '0A', udp: '07' };
const ADVICE: Readonly<
  Record<AgentName, { readonly privilege: string; readonly address: string }>
> = {
  client: { privilege: 'use a port from 1024 on', address: 'correct sip.listen' },
  server: {
    privilege: 'use tep-server.socket (listen: systemd), or run the server as root',
    address: 'correct listen, or use [::]',
  },
};

export async function listeningFindings(plan: ListenPlan, machine: Machine): Promise<Finding[]> {
  const findings = new Findings('listening');
  const protocols: readonly Protocol[] = plan.udp ? ['tcp', 'udp'] : ['tcp'];
  for (const at of plan.at) {
    if (at === 'systemd') findings.ok('listening sockets come from systemd');
    else await judge(at, protocols, plan, machine, findings);
  }
  return findings.list;
}

async function judge(
  at: Endpoint,
  protocols: readonly Protocol[],
  { agent, isRunning }: ListenPlan,
  machine: Machine,
  findings: Findings,
): Promise<void> {
  for (const protocol of protocols) {
    const fault = await (protocol === 'tcp' ? tryTcp(at) : tryUdp(at));
    if (fault === undefined) continue;
    const name = `${formatEndpoint(at)}${protocol === 'udp' ? ' (UDP)' : ''}`;
    if (fault.code === 'EADDRINUSE' && isRunning) findings.ok(`${name} is in use by tep ${agent}`);
    else if (fault.code === 'EADDRINUSE') {
      const holder = whoListens(at.port, protocol, machine) ?? 'another program';
      findings.problem(`${name} is in use by ${holder}`, 'stop it, or listen on another port');
    } else if (fault.code === 'EACCES') {
      findings.problem(
        `${name}: this user may not listen on a port below 1024`,
        ADVICE[agent].privilege,
      );
    } else if (fault.code === 'EADDRNOTAVAIL') {
      findings.problem(`${name} is no address of this machine`, ADVICE[agent].address);
    } else findings.problem(fault.text, ADVICE[agent].address);
    return;
  }
  findings.ok(`${formatEndpoint(at)} is free`);
}

function tryTcp(at: Endpoint): Promise<IoFault | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(ioFault(error)));
    server.listen(at.port, hostOf(at), () => server.close(() => resolve(undefined)));
  });
}

function tryUdp(at: Endpoint): Promise<IoFault | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(at.family === 4 ? 'udp4' : 'udp6');
    socket.once('error', (error) => {
      socket.close();
      resolve(ioFault(error));
    });
    socket.bind(at.port, hostOf(at), () => socket.close(() => resolve(undefined)));
  });
}

/** `nginx (process 812)`; undefined where this user may not see it. */
function whoListens(port: number, protocol: Protocol, machine: Machine): string | undefined {
  const inodes = inodesAt(port, protocol, machine);
  for (const pid of folders('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of folders(`/proc/${pid}/fd`)) {
      if (!inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))) continue;
      return `${machine.read(`/proc/${pid}/comm`) ?? 'a program'} (process ${pid})`;
    }
  }
  return undefined;
}

function inodesAt(port: number, protocol: Protocol, machine: Machine): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = [protocol, `${protocol}6`].flatMap((file) =>
    (machine.read(`/proc/net/${file}`) ?? '').split('\n').map((row) => row.trim().split(/\s+/)),
  );
  const matching = rows.filter(
    ([, local, , state]) => state === OPEN_STATE[protocol] && local?.endsWith(suffix),
  );
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
