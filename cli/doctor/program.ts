/** What both agents need of the machine: Node, system calls, a clock. */
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { type Finding, Findings } from './finding.ts';

const LEAST_NODE = [20, 19] as const;
/** Nobody has run this program before it was written. */
const FIRST_YEAR = 2026;
const LAST_YEAR = 2100;
/** adjtimex(2): the clock is not synchronised. */
const TIME_ERROR = 5;
/** More than `struct timex` takes anywhere; all zero changes nothing. */
const TIMEX_LEN = 256;

export function nodeFindings(version: string): Finding[] {
  const findings = new Findings('node');
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    findings.ok(`Node.js ${version}`);
  } else {
    findings.problem(
      `Node.js ${version} is too old`,
      `install Node.js ${LEAST_NODE.join('.')} or newer`,
    );
  }
  return findings.list;
}

/** `needed`: without them this configuration does not work. */
export function koffiFindings(needed: boolean): Finding[] {
  const findings = new Findings('system calls');
  const calls = libc();
  if (!isIoFault(calls)) findings.ok('system calls by koffi');
  else if (needed) findings.problem(calls.text, 'install tep again with npm ci on this machine');
  else findings.warning(calls.text, 'without them there are no rings and no word to systemd');
  return findings.list;
}

export function clockFindings(nowMs: number): Finding[] {
  const findings = new Findings('clock');
  const year = new Date(nowMs).getUTCFullYear();
  if (year < FIRST_YEAR || year > LAST_YEAR) {
    findings.problem(
      `the clock says ${new Date(nowMs).toISOString()}`,
      'set it: certificates and time-limited users depend on it',
    );
    return findings.list;
  }
  const calls = libc();
  const state = isIoFault(calls) ? calls : calls.adjtimex(new Uint8Array(TIMEX_LEN));
  if (state === TIME_ERROR) {
    findings.warning(
      'nothing keeps the clock right',
      'run an NTP client (systemd-timesyncd, chrony); in a container, on its host',
    );
  } else findings.ok(`the clock says ${new Date(nowMs).toISOString().slice(0, 16)}Z`);
  return findings.list;
}
