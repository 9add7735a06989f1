/** `tep lab install`: what the laboratory needs of Debian, said before it is done. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { CALL_PROGRAMS } from '../../lab/calls/call-lab.ts';
import { packagesMissing } from '../../lab/requirements.ts';
import { EXIT, Failure } from '../command.ts';
import type { LabTask } from '../lab.ts';

/** Debian asks it before a package starts its service; 101 forbids that (invoke-rc.d(8)). */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\n# While tep lab install runs: no service is started.\nexit 101\n';
/** Services of these packages; the laboratory starts the programs itself. */
const SERVICES = ['kamailio', 'rtpengine-daemon', 'squid', 'tinyproxy'];

export async function install({ world, values }: LabTask): Promise<number> {
  const packages = packagesMissing(CALL_PROGRAMS);
  if (packages.length === 0) {
    world.stdout.write('Everything that the laboratory needs is installed.\n');
    return EXIT.SUCCESS;
  }
  const services = SERVICES.filter((name) => packages.includes(name));
  world.stdout.write(plan(packages, services));
  if (!existsSync('/usr/bin/apt-get')) throw new Failure('there is no apt-get here');
  if (world.process.uid !== 0) throw new Failure('this needs root: sudo tep lab install');
  if (!values.yes && !(await agreed(world))) {
    world.stdout.write('Nothing was done.\n');
    return EXIT.FAILED;
  }
  withoutStarting(() => {
    apt(['update', '-q']);
    apt(['install', '-y', '-q', '--no-install-recommends', ...packages]);
  });
  if (existsSync('/run/systemd/system') && services.length > 0) {
    spawnSync('systemctl', ['disable', ...services], { stdio: 'inherit' });
  }
  return EXIT.SUCCESS;
}

function plan(packages: readonly string[], services: readonly string[]): string {
  const off = services.length === 0 ? '' : `Services that stay off: ${services.join(', ')}.\n`;
  return `To be installed from Debian, without recommended packages: ${packages.join(', ')}.\n${off}`;
}

async function agreed({ stdin, stdout }: LabTask['world']): Promise<boolean> {
  const lines = createInterface({ input: stdin });
  stdout.write('Go on? [y/N] ');
  for await (const line of lines) {
    lines.close();
    return /^y(?:es)?$/i.test(line.trim());
  }
  return false;
}

function withoutStarting(work: () => void): void {
  // One of the machine's own says what it wants.
  const isOurs = !existsSync(POLICY_FILE);
  if (isOurs) writeFileSync(POLICY_FILE, POLICY, { mode: 0o755 });
  try {
    work();
  } finally {
    if (isOurs) rmSync(POLICY_FILE);
  }
}

function apt(args: readonly string[]): void {
  const { status } = spawnSync('apt-get', [...args], {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Failure(`apt-get ${args[0]} ended with ${status}`);
}
