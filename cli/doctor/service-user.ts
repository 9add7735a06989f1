/**
 * Whether the installed service can read what its configuration names: root, who looks, can read
 * everything, the user of the service cannot.
 */
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AgentName } from '../../ops/status.ts';
import { SERVICE_USER } from '../service/units.ts';
import { type Finding, Findings } from './finding.ts';
import type { Machine } from './machine.ts';

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const READ = 0o4;
const SEARCH = 0o1;
/** Bits of the owner, the group and everybody stand three apart. */
const GROUP_SHIFT = 3;
const OWNER_SHIFT = 6;

export function serviceUserFindings(
  agent: AgentName,
  files: readonly string[],
  machine: Machine,
): Finding[] {
  const unit = machine.read(`/etc/systemd/system/tep-${agent}.service`);
  if (!unit?.split('\n').includes(`User=${SERVICE_USER}`)) return [];
  const findings = new Findings('service user');
  const account = accountOf(machine.read('/etc/passwd') ?? '');
  if (account === undefined) {
    findings.problem(`there is no user ${SERVICE_USER}`, `tep service install ${agent} makes it`);
    return findings.list;
  }
  const closed = files.filter((path) => !mayRead(path, account));
  for (const path of closed) {
    findings.problem(
      `the service (user ${SERVICE_USER}) may not read ${path}`,
      `chgrp ${SERVICE_USER} ${path} && chmod g+r ${path}, and the folders above it`,
    );
  }
  if (closed.length === 0) findings.ok(`user ${SERVICE_USER} may read the files of the ${agent}`);
  return findings.list;
}

/** passwd(5): name, password, user and group number. */
function accountOf(passwd: string): Account | undefined {
  const line = passwd.split('\n').find((text) => text.startsWith(`${SERVICE_USER}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid), gid: Number(gid) };
}

/** The file may be read, and every folder above it searched. */
function mayRead(path: string, account: Account): boolean {
  try {
    if (!allows(statSync(path), account, READ)) return false;
    for (let at = dirname(path); ; at = dirname(at)) {
      if (!allows(statSync(at), account, SEARCH)) return false;
      if (at === dirname(at)) return true;
    }
  } catch {
    // It is not there: told elsewhere.
    return true;
  }
}

function allows({ mode, uid, gid }: Stats, account: Account, bit: number): boolean {
  if (uid === account.uid) return (mode & (bit << OWNER_SHIFT)) !== 0;
  if (gid === account.gid) return (mode & (bit << GROUP_SHIFT)) !== 0;
  return (mode & bit) !== 0;
}
