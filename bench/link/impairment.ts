/** Commands to the program that spoils a link, `impair.c`. */
import type { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { compile } from '../compile.ts';

/** Each way; what is absent is not there. */
export interface Faults {
  readonly delayMs?: number;
  /** Evenly between minus and plus so much. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  /** How many in a row are lost on average; 1: independently of each other. */
  readonly lossRun?: number;
  readonly rate?: { readonly kbit: number; readonly queueMs: number };
}

export interface DirectionStats {
  readonly seen: number;
  readonly lost: number;
  readonly overflowed: number;
}

export class Impairment {
  readonly #program: Program;
  /** Lines that it has printed, or will have. */
  #answers = 1;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start(
    network: Network,
    host: string,
    queues: readonly number[],
  ): Promise<Impairment> {
    const plan = { command: await compile('bench/link/impair.c'), args: queues.map(String) };
    const ready = { output: /^ready$/m };
    return new Impairment(await network.start(host, { ...plan, takesInput: true, ready }));
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Both draws begin anew: the same faults come at the same packets. */
  async set(faults: Faults, seed: number): Promise<void> {
    const { kbit, queueMs } = faults.rate ?? { kbit: 0, queueMs: 0 };
    await this.#ask(
      `delay ${faults.delayMs ?? 0}`,
      `jitter ${faults.jitterMs ?? 0}`,
      `loss ${faults.lossPercent ?? 0} ${faults.lossRun ?? 1}`,
      `rate ${kbit} ${queueMs}`,
      `seed ${seed}`,
    );
  }

  /** Gives when it began, on CLOCK_MONOTONIC, ms. */
  async blackout(ms: number): Promise<number> {
    return Number((await this.#ask(`blackout ${ms}`)).split(' ')[1]);
  }

  /** Since the start, of each direction. */
  async stats(): Promise<DirectionStats[]> {
    const [, ...numbers] = (await this.#ask('stats')).split(' ').map(Number);
    const stats: DirectionStats[] = [];
    for (let i = 0; i + 2 < numbers.length; i += 3) {
      const [seen = 0, lost = 0, overflowed = 0] = numbers.slice(i, i + 3);
      stats.push({ seen, lost, overflowed });
    }
    return stats;
  }

  /** The answer to the last one. */
  async #ask(...commands: readonly string[]): Promise<string> {
    this.#program.write(`${commands.join('\n')}\n`);
    this.#answers += commands.length;
    const [all] = await this.#program.said(new RegExp(`(?:.*\\n){${this.#answers}}`));
    return all.trimEnd().split('\n').at(-1) ?? '';
  }
}
