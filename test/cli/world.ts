/** A world for commands that keeps what they write. */
import { Readable, Writable } from 'node:stream';
import type { World } from '../../cli/command.ts';

export interface FakeWorld extends World {
  out(): string;
  err(): string;
  interruptNow(): void;
}

export function fakeWorld(stdin = '', env: World['env'] = {}): FakeWorld {
  const [stdout, out] = collector();
  const [stderr, err] = collector();
  const controller = new AbortController();
  return {
    stdout,
    stderr,
    stdin: Readable.from([Buffer.from(stdin)]),
    env,
    interrupt: controller.signal,
    out,
    err,
    interruptNow: () => controller.abort(),
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
