/** A process of the bench that answers questions: what may cost the agents nothing runs in one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a process can be asked, with the answers. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>;

type Question<T extends Answers, K extends keyof T> = Parameters<T[K]>[0];
type Answer<T extends Answers, K extends keyof T> = Awaited<ReturnType<T[K]>>;

interface Asked {
  readonly id: number;
  readonly name: string;
  readonly question: never;
}

export class Child<T extends Answers> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: never) => void>();
  #next = 0;

  /** `command`: what comes before `node`, to get onto a host. */
  constructor(file: string, command: readonly string[] = []) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const [program = '', ...args] = [...command, process.execPath, path];
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', ({ id, answer }: { id: number; answer: never }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  ask<K extends keyof T & string>(name: K, question: Question<T, K>): Promise<Answer<T, K>> {
    const id = this.#next++;
    this.#child.send({ id, name, question });
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** The other end: answers until whoever asks is gone. */
export function answer(answers: Answers): void {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ id, name, question }: Asked) => {
    process.send?.({ id, answer: await answers[name]?.(question) });
  });
}
