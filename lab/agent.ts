/** `tep client` or `tep server` on a host, as people run them: a program with a file of settings. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.ts';
import type { Exit, Program } from './program.ts';

export interface AgentPlan {
  readonly host: string;
  readonly kind: 'client' | 'server';
  /** The settings. */
  readonly file: string;
  readonly statusSocket: string;
  /** For its log. */
  readonly folder: string;
}

const TEP = fileURLToPath(new URL('../cli/tep.js', import.meta.url));
/** Longer than an agent may take to end. */
const STOP_MS = 60_000;

export class Agent {
  readonly program: Program;
  readonly statusSocket: string;

  private constructor(program: Program, statusSocket: string) {
    this.program = program;
    this.statusSocket = statusSocket;
  }

  static async start(network: Network, plan: AgentPlan): Promise<Agent> {
    const { host, kind, file, folder, statusSocket } = plan;
    const program = await network.start(host, {
      name: `tep ${kind} on ${host}`,
      command: process.execPath,
      // Agents of several hosts share the file system of one machine.
      args: [TEP, kind, '--config', file, '--status', statusSocket],
      logFile: join(folder, `${kind}.log`),
      ready: { output: /(?:client|server) is running/ },
    });
    return new Agent(program, statusSocket);
  }

  /** At once, without waiting for calls to end by themselves. */
  stop(): Promise<Exit> {
    return this.program.stop('SIGINT', STOP_MS);
  }

  kill(): Promise<Exit> {
    return this.program.stop('SIGKILL');
  }
}
