/** A world for commands that keeps what they write. */
import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { SignalName, World } from '../../cli/command.ts';

export interface FakeWorld extends World {
  out(): string;
  err(): string;
  interruptNow(): void;
  /** What a signal does; false when nobody took it over. */
  signal(name: SignalName): boolean;
  /** Exit statuses asked for. */
  readonly exits: readonly number[];
}

export function fakeWorld(stdin = '', env: World['env'] = {}): FakeWorld {
  const [stdout, out] = collector();
  const [stderr, err] = collector();
  const controller = new AbortController();
  const signals = new EventEmitter();
  const exits: number[] = [];
  return {
    stdout,
    stderr,
    stdin: Readable.from([Buffer.from(stdin)]),
    env,
    interrupt: controller.signal,
    out,
    err,
    interruptNow: () => controller.abort(),
    process: {
      pid: process.pid,
      uid: process.getuid?.() ?? 0,
      folder: process.cwd(),
      on(name, handler) {
        signals.on(name, handler);
        return () => signals.off(name, handler);
      },
      exit: (status) => exits.push(status),
    },
    signal: (name) => signals.emit(name),
    exits,
  };
}

function collector(): [Writable, () => string] {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return [stream, () => Buffer.concat(chunks).toString()];
}
