/**
 * A program that runs on a host of the lab until it ends or is stopped. Its output is kept; it has a
 * process group of its own, so that stopping ends whatever it started too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { LabError, notWritten } from './lab-error.ts';
import { lastLines } from './plain-text.ts';
import { isReady, type Ready } from './ready.ts';
import { systemEnvironment } from './requirements.ts';

export interface ProgramPlan {
  /** For messages; the command where none is given. */
  readonly name?: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Both outputs go there, whole. What `Program.output` keeps has a limit. */
  readonly logFile?: string;
  /** Default `started`. */
  readonly ready?: Ready;
  readonly readyMs?: number;
  /** Whether standard input stays open, for `Program.write`. */
  readonly takesInput?: boolean;
}

export interface Exit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Only a hang takes so long, on however busy a machine. */
const DEFAULT_READY_MS = 90_000;
const POLL_MS = 10;
/** How long a program may take to end when it is asked to. */
const STOP_MS = 20_000;
/** The latest output that is kept in memory. */
const MAX_OUTPUT_LEN = 4_000_000;
const SHOWN_LINES = 3;
/** What messages say that it did not become. */
const NOT_READY = 'was not ready';

export class Program {
  readonly name: string;
  /** Resolves when it has ended and all it printed is in `output`. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #logFile: string | undefined;
  #output = '';
  #printedLength = 0;
  #exit: Exit | undefined;
  /** Why its log is not whole. */
  #unlogged: string | undefined;

  private constructor(name: string, child: ChildProcess, logFile: string | undefined) {
    this.name = name;
    this.#child = child;
    this.#logFile = logFile;
    const keep = (text: string) => this.#keep(text);
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    // Written to after it has ended: its end is told by `exited`.
    child.stdin?.on('error', () => {});
    // What it started and left behind would keep its outputs open.
    child.once('exit', () => this.#killGroup());
    this.exited = this.#untilExit();
  }

  /** Starts it and waits until it is ready; throws LabError when it is not in time, or ends before. */
  static async start(plan: ProgramPlan): Promise<Program> {
    const child = spawn(plan.command, [...plan.args], {
      cwd: plan.cwd,
      env: { ...systemEnvironment(), ...plan.env },
      stdio: [plan.takesInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      // A process group of its own.
      detached: true,
    });
    const program = new Program(plan.name ?? plan.command, child, plan.logFile);
    await program.#untilReady(plan.ready ?? 'started', plan.readyMs ?? DEFAULT_READY_MS);
    return program;
  }

  /** What it has printed so far, both outputs mixed; the latest MAX_OUTPUT_LEN of it. */
  get output(): string {
    return this.#output;
  }

  /** Of all that it has printed, also of what `output` has let go. */
  get printedLength(): number {
    return this.#printedLength;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new LabError(`${this.name} could not be started`);
    return pid;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /**
   * Waits until what it printed matches; throws LabError when it does not in time, or ends before, and
   * ends it then. `otherwise` tells people what did not happen.
   */
  async said(
    pattern: RegExp,
    withinMs: number = DEFAULT_READY_MS,
    otherwise: string = 'did not say what was waited for',
  ): Promise<RegExpExecArray> {
    await this.#untilReady({ output: pattern }, withinMs, otherwise);
    const found = pattern.exec(this.#output);
    if (found === null) throw new LabError(`${this.name}: its output went on too fast`);
    return found;
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) this.#child.kill(signal);
  }

  /** Asks it to end, and ends it by force when it does not. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs: number = STOP_MS): Promise<Exit> {
    this.signal(signal);
    const timer = setTimeout(() => this.#killGroup(), withinMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  }

  async #untilExit(): Promise<Exit> {
    const child = this.#child;
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      // Comes alone when it could not even be started.
      child.once('error', (error) => {
        this.#keep(error.message);
        resolve();
      });
    });
    this.#exit = { code: child.exitCode, signal: child.signalCode };
    return this.#exit;
  }

  async #untilReady(ready: Ready, withinMs: number, otherwise = NOT_READY): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!isReady(ready, this.#child.pid ?? 0, this.#output)) {
      if (this.#unlogged !== undefined) {
        await this.stop('SIGKILL');
        throw new LabError(this.#unlogged);
      }
      const isLate = performance.now() > deadline;
      if (this.hasExited || isLate) {
        await this.stop('SIGKILL');
        throw new LabError(this.#complaint(`${isLate ? '' : 'has ended and '}${otherwise}`));
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    if (this.#child.pid === undefined) {
      await this.exited;
      throw new LabError(this.#complaint('could not be started'));
    }
  }

  #complaint(what: string): string {
    return `${this.name} ${what}: ${lastLines(this.#output, SHOWN_LINES)}`;
  }

  #keep(text: string): void {
    this.#printedLength += text.length;
    this.#output = (this.#output + text).slice(-MAX_OUTPUT_LEN);
    if (this.#logFile !== undefined && this.#unlogged === undefined) this.#log(this.#logFile, text);
  }

  /** Nobody could catch what is thrown here. Who waits for the program is told. */
  #log(file: string, text: string): void {
    try {
      appendFileSync(file, text);
    } catch (error) {
      const why = notWritten(file, error);
      this.#unlogged = why instanceof Error ? why.message : String(why);
    }
  }
}
