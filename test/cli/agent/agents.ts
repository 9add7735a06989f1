/** The two agents as real processes, configured by real files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const BIN = fileURLToPath(new URL('../../../../build/cli/tep.js', import.meta.url));

export class AgentProcess {
  readonly child: ChildProcess;
  log = '';
  #arrived: () => void = () => {};

  constructor(t: ExecutionContext, args: readonly string[], cwd: string, env = {}) {
    const clean = Object.entries(process.env).filter(([name]) => !/_proxy$|^TEP_/i.test(name));
    this.child = spawn(process.execPath, [BIN, ...args], {
      cwd,
      env: { ...Object.fromEntries(clean), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.teardown(() => this.child.kill('SIGKILL'));
    this.child.stderr?.on('data', (chunk) => {
      this.log += chunk;
      this.#arrived();
    });
    this.child.on('exit', () => this.#arrived());
  }

  /** Waits for a line in the log; gives what matched. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.log);
      if (found !== null) return found;
      if (this.child.exitCode !== null) throw new Error(`${pattern} never came:\n${this.log}`);
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** Exit status; -1 where a signal ended it. */
  async ended(): Promise<number> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, 'exit');
    return this.child.exitCode ?? -1;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}
