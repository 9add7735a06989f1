/** One of the two agents as people run it: `tep client` or `tep server`, a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isIoFault } from '../../io/io-fault.ts';
import { askStatus } from '../../io/status-socket.ts';
import type { AgentStatus } from '../../ops/status.ts';
import { Failure } from '../command.ts';

/** Settings as a file of them has them: every value a text or a list of texts. */
export type AgentSettings = Readonly<Record<string, string | readonly string[]>>;

/** Where an agent is to run. */
export interface Place {
  /** For its files: settings and status socket. */
  readonly folder: string;
  /** What comes before `node` on the command line: how to get onto a host. */
  readonly command: readonly string[];
}

/** Only a hang takes so long: half a minute did not do for a dozen demos on two busy processors. */
const READY_MS = 90_000;
const STOP_MS = 10_000;
const POLL_MS = 20;
const MAX_LOG_LEN = 4_000;

const ENTRY = fileURLToPath(new URL('./agent-process.js', import.meta.url));

export class Agent<Status extends AgentStatus> {
  readonly #name: Status['agent'];
  readonly #socket: string;
  readonly #child: ChildProcess;
  #log = '';
  #hasEnded = false;

  constructor(name: Status['agent'], settings: AgentSettings, place: Place) {
    const file = join(place.folder, `${name}.yaml`);
    this.#name = name;
    this.#socket = join(place.folder, `${name}.sock`);
    const all = { ...settings, status: this.#socket, 'log.level': 'warn' };
    // JSON is YAML. It may hold a password.
    writeFileSync(file, JSON.stringify(all), { mode: 0o600 });
    const [program = '', ...args] = [...place.command, process.execPath, ENTRY];
    this.#child = spawn(program, [...args, name, '--config', file], {
      env: withoutSettings(process.env),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // In a process group of its own: Ctrl-C is for the demo, which then ends it in order.
      detached: true,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-MAX_LOG_LEN);
    });
    this.#child.on('error', (error) => this.#ended(error.message));
    this.#child.on('exit', (code, signal) => this.#ended(`${signal ?? `status ${code}`}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Undefined when it is not running, or not yet. */
  async status(): Promise<Status | undefined> {
    const answer = await askStatus(this.#socket);
    const isObject = typeof answer === 'object' && answer !== null;
    if (!isObject || isIoFault(answer) || 'starting' in answer) return undefined;
    // Asked of our own agent, on a socket that nobody else knows.
    return answer as Status;
  }

  /** The first status that satisfies; throws `Failure` when the agent ends or does not get there. */
  async until(isReady: (status: Status) => boolean, interrupt: AbortSignal): Promise<Status> {
    for (const endMs = Date.now() + READY_MS; Date.now() < endMs; ) {
      if (this.#hasEnded) throw new Failure(`tep ${this.#name} ended: ${this.#reason()}`);
      if (interrupt.aborted) throw new Failure('ended before the first packet');
      const status = await this.status();
      if (status !== undefined && isReady(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Failure(`tep ${this.#name} did not get ready: ${this.#reason()}`);
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.kill('SIGINT');
    await ended;
    clearTimeout(timer);
  }

  #ended(how: string): void {
    this.#hasEnded = true;
    this.#log += `${how}\n`;
  }

  #reason(): string {
    return this.#log.trim().split('\n').slice(-2).join('; ');
  }
}

/** Every setting is also an environment variable; the demo has its own. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEP_')));
}
