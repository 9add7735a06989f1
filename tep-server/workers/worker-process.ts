/** A worker as the process that listens sees it: started, asked, and started again when it has died. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { now } from '../../io/clock.ts';
import type { IoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import type { Log } from '../../ops/log.ts';
import { type Backoff, backoffMs } from '../../session/backoff.ts';
import { u8 } from '../../wire/bytes.ts';
import type { Answer, FromWorker, PublicAddress, Question, Start, ToWorker } from './messages.ts';

const MAIN = fileURLToPath(new URL('./worker-main.js', import.meta.url));
const RESTART: Backoff = { firstMs: 500, mostMs: 30_000 };
/** After so long alive, dying is a new misfortune and not the old one. */
const HEALTHY_MS = 60_000;
/** How long a worker may take to stop: longer than its connections and its packet port do. */
const STOP_MS = 15_000;
/** Sockets on their way to a worker; one that is not there to take them gets no more. */
const MAX_UNDER_WAY = 1_024;

type HandOver = Extract<FromWorker, { type: 'hand-over' }>;

export interface WorkerProcessParts {
  readonly index: number;
  readonly log: Log;
  /** What a process is started with: asked each time, for settings may have changed. */
  readonly start: () => Start;
  /** It runs, for the first time or again. */
  readonly started: (worker: WorkerProcess) => void;
  /** One of its calls has got, or given back, an address that the others must know. */
  readonly publicAddress: (message: PublicAddress) => void;
  /** Some ways of these calls could not be opened. */
  readonly waysRefused: (callIds: readonly string[]) => void;
  /** It is no more, and nothing of what it had. */
  readonly died: () => void;
  readonly handOver: (message: HandOver, socket: Socket) => void;
}

export class WorkerProcess {
  readonly #parts: WorkerProcessParts;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #child: ChildProcess | undefined;
  #isUp = false;
  /** It did not answer in time, and nothing has been heard of it since. */
  #isSilent = false;
  #isStopping = false;
  #lastId = 0;
  /** Sockets that the worker has not taken yet. */
  readonly #underWay = new Set<Socket>();
  #deaths = 0;
  #bornMs = 0;
  #again: NodeJS.Timeout | undefined;
  #firstTime: ((fault: IoFault | undefined) => void) | undefined;

  constructor(parts: WorkerProcessParts) {
    this.#parts = parts;
  }

  /** Resolves when the first process can take connections, or is known not to become so. */
  start(): Promise<IoFault | undefined> {
    return new Promise((resolve) => {
      this.#firstTime = resolve;
      this.#fork();
    });
  }

  /** The socket goes to the worker. False, and it stays here, when there is none to take it. */
  give(message: ToWorker, socket: Socket): boolean {
    if (!this.#isUp || this.#isSilent || this.#underWay.size >= MAX_UNDER_WAY) return false;
    this.#underWay.add(socket);
    // Its listener would ask the worker about it before it closes; nobody here wants to know.
    Reflect.set(socket, 'server', null);
    // Otherwise Node keeps one that the worker dies before it takes, and nobody else can close it.
    this.#child?.send(message, socket, { keepOpen: true }, () => {
      this.#underWay.delete(socket);
      socket.destroy();
    });
    return true;
  }

  tell(message: ToWorker): void {
    if (this.#isUp) this.#child?.send(message);
  }

  /**
   * Undefined too when the worker dies before it has answered, or hangs for `limitMs`: it does what it was
   * asked when it goes on. Without a limit as long as it takes.
   */
  ask<T extends Question['type']>(
    question: Omit<Extract<Question, { type: T }>, 'id'>,
    limitMs?: number,
  ): Promise<Answer> {
    if (!this.#isUp) return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const timer = limitMs && setTimeout(() => this.#late(id, question.type), limitMs);
      this.#answers.set(id, (answer) => {
        clearTimeout(timer);
        this.#answers.delete(id);
        resolve(answer);
      });
      this.#child?.send({ ...question, id } as Question);
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    if (this.#isUp) void this.ask({ type: 'stop' });
    // One that is being started notices that nobody is there.
    else if (child.connected) child.disconnect();
    await ended;
    clearTimeout(limit);
  }

  #fork(): void {
    const child = fork(MAIN, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#bornMs = now();
    child.on('message', (message: FromWorker, socket: unknown) => {
      this.#heard(message, socket as Socket | undefined);
    });
    child.on('error', (error) => {
      this.#parts.log.debug('worker', { worker: this.#parts.index, why: error.message });
      // One that the system did not start has no exit; one that could not be told something has.
      if (child.pid === undefined && this.#child === child) this.#died();
    });
    child.once('exit', () => this.#died());
    // Without descriptors or processes left, there is not even a channel.
    if (child.connected) child.send(this.#parts.start());
  }

  #heard(message: FromWorker, socket: Socket | undefined): void {
    const { log } = this.#parts;
    this.#isSilent = false;
    switch (message.type) {
      case 'started':
        this.#started(message.fault);
        break;
      case 'answer':
        this.#answers.get(message.id)?.(message.answer);
        break;
      case 'hand-over':
        if (socket !== undefined) this.#parts.handOver(message, socket);
        break;
      case 'public-address':
        this.#parts.publicAddress(message);
        break;
      case 'ways-refused':
        this.#parts.waysRefused(message.callIds);
        break;
      case 'log':
        log[message.level](message.text, { ...message.fields, worker: this.#parts.index });
        break;
    }
  }

  #started(fault: IoFault | undefined): void {
    const { index, log, started } = this.#parts;
    if (fault === undefined) {
      this.#isUp = true;
      log.info('worker is running', { worker: index, pid: this.#child?.pid });
      started(this);
    } else {
      if (this.#firstTime === undefined) {
        log.error('worker cannot be started', { worker: index, why: fault.text });
      } else {
        this.#isStopping = true;
      }
      this.#child?.disconnect();
    }
    this.#firstTime?.(fault);
    this.#firstTime = undefined;
  }

  #late(id: number, asked: Question['type']): void {
    const { index, log } = this.#parts;
    this.#isSilent = true;
    log.warn('a worker does not answer', { worker: index, asked });
    this.#answers.get(id)?.(undefined);
  }

  /** Its tunnels are gone with it; their clients open new ones. */
  #died(): void {
    const { index, log, died } = this.#parts;
    const text = this.#isUp ? 'a worker died: its calls are lost' : 'a worker did not start';
    this.#isUp = false;
    this.#isSilent = false;
    this.#child = undefined;
    for (const answer of [...this.#answers.values()]) answer(undefined);
    // Those that waited behind another one.
    for (const socket of this.#underWay) socket.destroy();
    this.#underWay.clear();
    died();
    this.#firstTime?.({ type: 'io-fault', code: 'ECHILD', text });
    if (this.#firstTime !== undefined || this.#isStopping) return;
    this.#deaths = now() - this.#bornMs > HEALTHY_MS ? 1 : this.#deaths + 1;
    const waitMs = backoffMs(this.#deaths - 1, u8(systemRandom(1), 0), RESTART);
    log.error(text, { worker: index, againInMs: Math.round(waitMs) });
    this.#again = setTimeout(() => this.#fork(), waitMs);
  }
}
