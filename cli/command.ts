/**
 * What every command of `tep` is, and the world it may touch. A command gets its streams and
 * environment handed in, so that tests run it inside their own process.
 */
import type { Readable, Writable } from 'node:stream';

export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface World {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Aborted by the first Ctrl-C. Whoever reads this property takes over the interrupt and ends by
   * itself; a command that never reads it is ended by the system as usual.
   */
  readonly interrupt: AbortSignal;
  readonly process: ProcessWorld;
}

export type SignalName = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** What a command that is a service needs of its process besides. */
export interface ProcessWorld {
  readonly pid: number;
  /** Real user; 0 is root. */
  readonly uid: number;
  readonly folder: string;
  /** Takes a signal over until the function it gives is called. */
  on(signal: SignalName, handler: () => void): () => void;
  /** For good, whatever is still open. */
  exit(status: number): void;
}

export const EXIT = { SUCCESS: 0, FAILED: 1, USAGE: 2 } as const;

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `tep help <name>`, best made with `helpText` of arguments.ts. */
  readonly help: string;
  /**
   * Arguments are those after the command's name; `--help` never arrives here. Resolves to the exit
   * status; throws `UsageError` for arguments that make no sense, `Failure` when it cannot go on.
   */
  run(args: readonly string[], world: World): Promise<number>;
}

/** The command line is wrong: one line for standard error, exit status 2. */
export class UsageError extends Error {}

/** The command cannot do its work here: one line for standard error, exit status 1. */
export class Failure extends Error {}
