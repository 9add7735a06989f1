import { once } from 'node:events';
import { Duplex } from 'node:stream';
import test from 'ava';
import { type LinkedEnd, StreamLink } from '../../io/stream-link.ts';

/** A stream that takes octets only when told to, or at once. */
class SlowStream extends Duplex {
  readonly taken: string[] = [];
  isFast = false;
  #take: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take = () => {
      this.taken.push(chunk.toString());
      done();
    };
    if (this.isFast) this.drain();
  }

  override _read(): void {}

  /** The peer reads what was written to it. */
  drain(): void {
    const take = this.#take;
    this.#take = undefined;
    take?.();
  }
}

/** The queue of a tunnel end, and a diary of what it was told. */
class FakeEnd implements LinkedEnd {
  readonly told: string[] = [];
  waiting = '';
  /** How often it was told that nothing was taken yet. */
  waits = 0;

  input(conn: number, b: Uint8Array, from: number, to: number): void {
    this.told.push(`input ${conn} ${Buffer.from(b.subarray(from, to))}`);
  }
  pending(): Uint8Array {
    return Buffer.from(this.waiting);
  }
  wrote(conn: number, n: number): void {
    if (n === 0) this.waits += 1;
    else this.told.push(`wrote ${conn} ${n}`);
    this.waiting = this.waiting.slice(n);
  }
  disconnected(conn: number): void {
    this.told.push(`disconnected ${conn}`);
  }
}

function linked(touched = () => {}) {
  const stream = new SlowStream();
  const end = new FakeEnd();
  const gone: number[] = [];
  const link = new StreamLink(stream, 7, end, touched, (conn) => gone.push(conn));
  return { stream, end, link, gone };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('one write at a time: what waits meanwhile waits in the end', async (t) => {
  const { stream, end, link } = linked();
  end.waiting = 'abc';
  link.flush();
  end.waiting += 'de';
  link.flush();
  link.flush();
  t.deepEqual(end.told, []);
  stream.drain();
  await turn();
  t.deepEqual(end.told, ['wrote 7 3']);
  stream.drain();
  await turn();
  t.deepEqual(stream.taken, ['abc', 'de']);
  t.deepEqual(end.told, ['wrote 7 3', 'wrote 7 2']);
  stream.destroy();
});

test('closing with flush writes what is pending, then ends the stream', async (t) => {
  const { stream, end, link } = linked();
  end.waiting = 'last words';
  link.flush();
  link.close(true);
  t.false(stream.writableEnded);
  stream.drain();
  await turn();
  t.true(stream.writableEnded);
  stream.push(null);
  await once(stream, 'close');
  t.deepEqual(end.told, ['wrote 7 10', 'disconnected 7']);
});

test('closing without flush ends it at once, though the peer reads nothing', async (t) => {
  const { stream, end, link, gone } = linked();
  end.waiting = 'never read';
  link.flush();
  link.close(false);
  await once(stream, 'close');
  t.deepEqual(end.told, ['disconnected 7']);
  t.deepEqual(gone, [7]);
  link.flush();
  link.close(true);
});

test('a peer that ends its side gets what waits for it, and the connection is over', async (t) => {
  const { stream, end } = linked();
  end.waiting = 'rest';
  stream.push('hello');
  stream.push(null);
  await once(stream, 'end');
  await turn();
  stream.drain();
  await once(stream, 'close');
  t.deepEqual(end.told, ['input 7 hello', 'wrote 7 4', 'disconnected 7']);
});

test('a reset is told once', async (t) => {
  const { stream, end, gone } = linked();
  stream.destroy(new Error('ECONNRESET'));
  await once(stream, 'close').catch(() => {});
  await turn();
  t.deepEqual(end.told, ['disconnected 7']);
  t.deepEqual(gone, [7]);
});

test('a stream that has not taken a write by the next turn is full: the end is told', async (t) => {
  const { stream, end, link } = linked();
  end.waiting = 'abc';
  link.flush();
  stream.drain();
  await turn();
  t.is(end.waits, 0);
  end.waiting = 'de';
  link.flush();
  await turn();
  t.is(end.waits, 1);
  stream.drain();
  await turn();
  t.is(end.waits, 1);
  stream.destroy();
});

test('only a write that was not taken at once leaves something to be settled', async (t) => {
  let touches = 0;
  const { stream, end, link } = linked(() => touches++);
  stream.isFast = true;
  end.waiting = 'abc';
  link.flush();
  await turn();
  t.deepEqual([end.told, touches], [['wrote 7 3'], 0]);
  stream.isFast = false;
  end.waiting = 'de';
  link.flush();
  await turn();
  stream.drain();
  await turn();
  t.deepEqual([end.told, touches], [['wrote 7 3', 'wrote 7 2'], 1]);
  stream.destroy();
});
