/** One recording, from the start of the capturing process until everything is written. */
import {
  type CaptureChild,
  type CaptureEnd,
  type CaptureEvents,
  type CaptureOptions,
  LiveCapture,
} from '../../io/cap/live-capture.ts';
import { CaptureWriteError } from '../../io/pcap/write.ts';
import { Failure, type World } from '../command.ts';
import { type CaptureTarget, fileTarget, streamTarget } from './targets.ts';

export interface RecordingPlan extends CaptureOptions {
  /** `-` is standard output. */
  readonly file: string;
  /** Infinity for as many as come. */
  readonly count: number;
  readonly seconds: number | undefined;
}

/** Starts the process that captures. */
export type StartCapture = (options: CaptureOptions) => CaptureChild;

export class Recording implements CaptureEvents {
  packets = 0;
  octets = 0;
  readonly #plan: RecordingPlan;
  readonly #world: World;
  readonly #live: LiveCapture;
  #target: CaptureTarget | undefined;
  #failure: unknown;
  #timer: NodeJS.Timeout | undefined;
  #resolve: (end: CaptureEnd) => void = () => {};

  constructor(plan: RecordingPlan, world: World, start?: StartCapture) {
    this.#plan = plan;
    this.#world = world;
    this.#live = new LiveCapture(plan, this, start);
  }

  /** Resolves when the file is whole; throws `Failure` when it cannot be written. */
  async done(): Promise<CaptureEnd> {
    const release = this.#stopWhenAsked();
    const end = await new Promise<CaptureEnd>((resolve) => {
      this.#resolve = resolve;
    });
    release();
    clearTimeout(this.#timer);
    try {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#target?.finish();
      return end;
    } catch (error) {
      const isKept = this.#target?.salvage() ?? false;
      if (!(error instanceof CaptureWriteError)) throw error;
      throw new Failure(`${error.message}${isKept ? '; what was written before is kept' : ''}`);
    }
  }

  opened(linkType: number): void {
    this.#attempt(() => {
      this.#target = this.#openTarget(linkType);
      this.#world.stderr.write(`capturing on ${this.#plan.device}; Ctrl-C ends it\n`);
    });
    const { seconds } = this.#plan;
    // From now: how long the process took to begin is no part of the recording.
    if (seconds !== undefined) this.#timer = setTimeout(() => this.#live.stop(), seconds * 1_000);
  }

  frame(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void {
    this.#attempt(() => {
      if (this.packets >= this.#plan.count) return;
      this.#target?.write(seconds, nanoseconds, b, at, end);
      this.packets += 1;
      this.octets += end - at;
      if (this.packets === this.#plan.count) this.#live.stop();
    });
  }

  ended(end: CaptureEnd): void {
    this.#resolve(end);
  }

  /** After something failed nothing more is written. */
  #attempt(work: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#failure = error;
      this.#live.stop();
    }
  }

  #openTarget(linkType: number): CaptureTarget {
    const { file } = this.#plan;
    if (file !== '-') return fileTarget(file, linkType);
    return streamTarget(this.#world.stdout, linkType, {
      full: () => this.#live.pause(),
      drained: () => this.#live.resume(),
    });
  }

  /** Gives a function that takes it back. */
  #stopWhenAsked(): () => void {
    const { interrupt, process } = this.#world;
    const stop = () => this.#live.stop();
    if (interrupt.aborted) stop();
    interrupt.addEventListener('abort', stop, { once: true });
    const release = process.on('SIGTERM', stop);
    return () => {
      interrupt.removeEventListener('abort', stop);
      release();
    };
  }
}
