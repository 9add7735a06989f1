/** Runs the programs that change the system, `ip` and `nft`: what they did can be read in their input. */
import { spawn } from 'node:child_process';
import type { IoFault } from '../io-fault.ts';

export type Program = 'ip' | 'nft';

const PACKAGES: Readonly<Record<Program, string>> = { ip: 'iproute2', nft: 'nftables' };

/**
 * Where system programs are, before the caller's own: that of a service has no `sbin`, and what npm runs
 * finds programs of packages first, one named `nft` among them.
 */
const PATH = `/usr/sbin:/sbin:/usr/bin:/bin:${process.env.PATH ?? ''}`;

/** How many lines of a program's complaints are handed on. */
const COMPLAINT_LINES = 3;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  /** The first lines, in one. */
  readonly complaint: string;
}

/** Runs a program to its end; a fault when it could not be started. `input` goes to its stdin. */
export function run(program: Program, args: readonly string[], input = ''): Promise<Ran | IoFault> {
  return new Promise((resolve) => {
    // A locale would translate the complaints.
    const env = { ...process.env, PATH, LC_ALL: 'C' };
    const child = spawn(program, [...args], { stdio: 'pipe', env });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (b: Buffer) => out.push(b));
    child.stderr.on('data', (b: Buffer) => err.push(b));
    child.on('error', (error) => resolve(notStarted(program, error)));
    child.on('close', (code) => {
      const complaint = Buffer.concat(err).toString().trim().split('\n').slice(0, COMPLAINT_LINES);
      const stdout = Buffer.concat(out).toString();
      resolve({ code: code ?? -1, stdout, complaint: complaint.join('; ') });
    });
    // It may end before it has read everything; its complaint says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** A batch of lines that is to succeed as a whole; undefined when it did. */
export async function change(
  program: Program,
  args: readonly string[],
  input: string,
): Promise<IoFault | undefined> {
  const ran = await run(program, args, input);
  if ('type' in ran) return ran;
  if (ran.code === 0) return undefined;
  const text = `${[program, ...args].join(' ')}: ${ran.complaint}${failedLine(ran.complaint, input)}`;
  return { type: 'io-fault', code: codeOf(ran.complaint), text };
}

function notStarted(program: Program, error: Error): IoFault {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  if (!isMissing) return { type: 'io-fault', code: 'EIO', text: `${program}: ${error.message}` };
  const text = `the program ${program} is not there: install ${PACKAGES[program]}`;
  return { type: 'io-fault', code: 'ENOENT', text };
}

/** `ip -batch` names the number of the line: people want the line. */
function failedLine(complaint: string, input: string): string {
  const number = Number(/Command failed -:(\d+)/.exec(complaint)?.[1]);
  const line = Number.isNaN(number) ? undefined : input.split('\n')[number - 1];
  return line === undefined ? '' : ` (${line})`;
}

function codeOf(complaint: string): string {
  if (/not permitted|denied/i.test(complaint)) return 'EPERM';
  if (/exists/i.test(complaint)) return 'EEXIST';
  return /no such|cannot find|does not exist/i.test(complaint) ? 'ENOENT' : 'EIO';
}
