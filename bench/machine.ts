/** Where and with what a figure was measured: without it a figure is worth nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { systemEnvironment } from '../lab/requirements.ts';

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  /** Of Debian's packages. */
  readonly peers: Readonly<Record<string, string>>;
}

const PACKAGES = ['coturn', 'udptunnel', 'openvpn'];

export function machine(): Machine {
  const [first, ...others] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16),
    processor: first?.model.trim() ?? '',
    cores: others.length + 1,
    memoryMb: Math.round(totalmem() / 1e6),
    kernel: release(),
    node: process.version,
    commit: said('git', ['describe', '--always', '--dirty']),
    peers: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

function versionOf(name: string): string {
  return said('dpkg-query', ['-W', '-f', `$\{Version}`, name]);
}

/** Empty when there is no such program or it has nothing to say. */
function said(program: string, args: readonly string[]): string {
  try {
    const options = { encoding: 'utf8', env: systemEnvironment(), stdio: 'pipe' } as const;
    return execFileSync(program, [...args], options).trim();
  } catch {
    return '';
  }
}
