/** Which checks belong to which agent and configuration. */
import { networkInterfaces } from 'node:os';
import { placeOf } from '../../config/shared-keys.ts';
import { statusPath, statusPaths } from '../../config/status-path.ts';
import { hostOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { privilegeFault } from '../../io/rings/privileges.ts';
import { System } from '../../io/rings/system.ts';
import { askStatus } from '../../io/status-socket.ts';
import type { AgentName } from '../../ops/status.ts';
import type { ClientSettings } from '../../tep-client/settings.ts';
import type { ServerSettings } from '../../tep-server/settings.ts';
import { parseAddress } from '../../wire/address.ts';
import { prefixContains } from '../../wire/prefix.ts';
import { readUserFile } from '../../wire/stun/user-file.ts';
import type { World } from '../command.ts';
import { certificateFindings } from './certificate.ts';
import { type Finding, Findings } from './finding.ts';
import { gatewayFindings } from './gateway.ts';
import { forwardingFindings, kernelFindings, sourceFilterFindings } from './kernel.ts';
import { listeningFindings } from './listening.ts';
import type { Machine } from './machine.ts';
import { clockFindings, koffiFindings, nodeFindings } from './program.ts';
import { reachFindings } from './reach.ts';
import { sipFindings } from './sip.ts';
import { probingFindings, tcpFindings } from './tcp.ts';

export interface Surroundings {
  readonly world: World;
  readonly machine: Machine;
  readonly nowMs: number;
  readonly nodeVersion: string;
}

export function machineChecks(
  { nowMs, nodeVersion }: Surroundings,
  needsCalls: boolean,
): Finding[] {
  return [...nodeFindings(nodeVersion), ...koffiFindings(needsCalls), ...clockFindings(nowMs)];
}

export async function clientChecks(s: ClientSettings, around: Surroundings): Promise<Finding[]> {
  const isRunning = await runs('client', s.status, around.world);
  return [
    ...(s['packets.port'] === 'rings' ? await ringChecks('client', s, around, false) : []),
    ...tcpFindings(s['transport.congestion']),
    ...probingFindings(around.machine),
    ...certificateFindings(s, around.nowMs),
    ...(await listeningFindings(
      { agent: 'client', at: s['sip.listen'], udp: true, isRunning },
      around.machine,
    )),
    ...(await reachFindings(s, around.world.env)),
    ...(await sipFindings(s)),
  ];
}

export async function serverChecks(s: ServerSettings, around: Surroundings): Promise<Finding[]> {
  const usesRings = s['packets.port'] === 'rings';
  const reflexive = s['addresses.mode'] === 'reflexive';
  const isRunning = await runs('server', s.status, around.world);
  return [
    ...(usesRings ? await ringChecks('server', s, around, reflexive) : []),
    ...(usesRings ? forwardingFindings(around.machine, foreignFamilies(s)) : []),
    ...tcpFindings(s['transport.congestion']),
    ...probingFindings(around.machine),
    ...certificateFindings(s, around.nowMs),
    ...userFindings(s),
    ...(s['addresses.mode'] === 'relay' ? ownAddressFindings(s) : []),
    ...(await listeningFindings(
      { agent: 'server', at: s.listen, udp: s['stun-udp'], isRunning },
      around.machine,
    )),
    ...(await gatewayFindings(s)),
  ];
}

async function ringChecks(
  agent: AgentName,
  s: Parameters<typeof placeOf>[0],
  { world, machine }: Surroundings,
  needsNft: boolean,
): Promise<Finding[]> {
  const findings = new Findings('privileges');
  const lacking = await privilegeFault();
  if (lacking === undefined) findings.ok('CAP_NET_ADMIN and CAP_NET_RAW');
  else findings.problem(lacking.text, `tep service install ${agent} grants them to the service`);
  return [
    ...findings.list,
    ...(await kernelFindings(machine, world.process.uid, needsNft)),
    ...sourceFilterFindings(machine),
    ...(await clashFindings(s)),
  ];
}

/** What a running agent of ours has made is no clash. */
async function clashFindings(s: Parameters<typeof placeOf>[0]): Promise<Finding[]> {
  const findings = new Findings('clashes');
  const calls = libc();
  if (isIoFault(calls)) return [];
  const place = placeOf(s);
  const fault = await new System(place, calls).check();
  if (fault === undefined) {
    findings.ok(
      `interface ${place.name}, table ${place.table} and rule priority ${place.priority}`,
    );
  } else {
    findings.problem(fault.text, 'see packets.interface, packets.table, packets.priority');
  }
  return findings.list;
}

function userFindings(s: ServerSettings): Finding[] {
  if (s.users === undefined) return [];
  const findings = new Findings('users');
  const { users, problems } = readUserFile(s.users.octets.toString('utf8'));
  for (const problem of problems) {
    findings.problem(`${s.users.path}: ${problem}`, 'lines are name:password or name:{sha256}KEY');
  }
  if (problems.length > 0) return findings.list;
  if (users.length === 1) findings.ok(`1 user in ${s.users.path}`);
  else if (users.length > 0) findings.ok(`${users.length} users in ${s.users.path}`);
  else findings.warning(`${s.users.path} has no users`, 'write a line name:password');
  return findings.list;
}

/** A socket can be opened on an address of this machine only. */
function ownAddressFindings(s: ServerSettings): Finding[] {
  const findings = new Findings('addresses');
  const own = ownAddresses();
  for (const prefix of s['addresses.public']) {
    const isOwn = own.some((address) => prefixContains(prefix, address, 0, address.length));
    const name = hostOf({ ...prefix, port: 0 });
    if (isOwn) findings.ok(`${name} is an address of this machine`);
    else {
      findings.problem(
        `${name} is no address of this machine`,
        'relay needs its own: correct addresses.public, or use addresses.mode: pool',
      );
    }
  }
  return findings.list;
}

/** Of media gateways that are not this machine. */
function foreignFamilies(s: ServerSettings): ReadonlySet<4 | 6> {
  const own = ownAddresses();
  const foreign = s['media.allow'].filter(({ prefix }) => {
    const isHost = prefix.length === prefix.address.length * 8;
    return !isHost || !own.some((a) => prefixContains(prefix, a, 0, a.length));
  });
  return new Set(foreign.map(({ prefix }) => prefix.family));
}

function ownAddresses(): Uint8Array[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return found.flatMap(({ address }) => parseAddress(address) ?? []);
}

/** Asked where the configuration has its status socket, and where it usually is. */
async function runs(agent: AgentName, setting: string, { env, process }: World): Promise<boolean> {
  const own = statusPath(setting, agent, env, process.uid);
  const usual = statusPaths(agent, env, process.uid);
  const paths = new Set(own === undefined ? usual : [own, ...usual]);
  const answers = await Promise.all([...paths].map((path) => askStatus(path)));
  return answers.some(
    (answer) => typeof answer === 'object' && answer !== null && 'agent' in answer,
  );
}
