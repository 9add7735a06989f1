import { once } from 'node:events';
import { Duplex } from 'node:stream';
import test from 'ava';
import { now } from '../../io/clock.ts';
import { Pump } from '../../io/pump.ts';
import { Counters } from '../../session/counters.ts';
import type { CloseOutput } from '../../session/outputs.ts';
import type { TunnelEnd } from '../../session/tunnel-end.ts';

/** So late that no slow machine gets there. */
const HOUR_MS = 3_600_000;

type Output = CloseOutput | { readonly type: 'word'; readonly word: string };

/** Octets and outputs to be handed out, and a diary. */
class FakeEnd implements TunnelEnd<Output> {
  readonly counters = new Counters();
  readonly outputs: Output[] = [];
  readonly told: string[] = [];
  dueMs = Number.POSITIVE_INFINITY;
  waiting = '';
  #listed = false;
  #wake = () => {};

  /** Resolves at the next timeout. */
  timedOut(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  say(text: string): void {
    this.waiting += text;
    this.#listed = true;
  }
  input(conn: number, b: Uint8Array, from: number, to: number): void {
    this.told.push(`input ${conn} ${Buffer.from(b.subarray(from, to))}`);
  }
  disconnected(conn: number): void {
    this.told.push(`disconnected ${conn}`);
  }
  packet(): 0 {
    return 0;
  }
  timeout(atMs: number): void {
    this.told.push(atMs >= this.dueMs ? 'timeout' : 'timeout too early');
    this.dueMs = Number.POSITIVE_INFINITY;
    this.#wake();
  }
  nextTimeout(): number {
    return this.dueMs;
  }
  poll(): Output | undefined {
    return this.outputs.shift();
  }
  writable(): number {
    const listed = this.#listed;
    this.#listed = false;
    return listed ? 3 : -1;
  }
  pending(): Uint8Array {
    return Buffer.from(this.waiting);
  }
  carrier(): void {}
  wrote(_conn: number, n: number): void {
    this.waiting = this.waiting.slice(n);
  }
}

class Memory extends Duplex {
  readonly writes: string[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    done();
  }
  override _final(done: () => void): void {
    done();
    this.push(null);
  }
  override _read(): void {}
}

function pumped() {
  const end = new FakeEnd();
  const obeyed: string[] = [];
  const gone: number[] = [];
  let flushed = 0;
  const pump = new Pump<Output>(
    end,
    (output) => obeyed.push(output.type),
    {
      flush: () => {
        flushed += 1;
      },
    },
    (conn) => gone.push(conn),
  );
  const stream = new Memory();
  pump.attach(3, stream);
  return { end, pump, stream, obeyed, gone, flushed: () => flushed };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('what comes together in one turn leaves in one write', async (t) => {
  const { end, pump, stream } = pumped();
  for (const word of ['a', 'b', 'c']) {
    end.say(word);
    pump.touched();
  }
  t.deepEqual(stream.writes, []);
  await turn();
  t.deepEqual(stream.writes, ['abc']);
  stream.destroy();
  await pump.stop();
});

test('packets are flushed once per turn, however many verbs were called', async (t) => {
  const { pump, stream, flushed } = pumped();
  await turn();
  const before = flushed();
  for (let i = 0; i < 3; i++) pump.touched();
  t.is(flushed(), before);
  await turn();
  t.is(flushed(), before + 1);
  stream.destroy();
  await pump.stop();
});

test('what is glanced at in a turn is settled in it', async (t) => {
  const end = new FakeEnd();
  let glances = 0;
  let flushed = 0;
  const glance = () => {
    glances += 1;
    if (glances === 1) end.say('more');
    pump.touched();
  };
  const flush = () => {
    flushed += 1;
  };
  const pump = new Pump<Output>(end, () => {}, { glance, flush });
  const stream = new Memory();
  pump.attach(3, stream);
  await turn();
  await turn();
  t.deepEqual(stream.writes, ['more']);
  t.deepEqual([glances, flushed], [1, 2]);
  stream.destroy();
  await pump.stop();
});

test('what has come out of the tunnel is sent before anything is glanced at', async (t) => {
  const told: string[] = [];
  const end = new FakeEnd();
  const packets = { glance: () => told.push('glance'), flush: () => told.push('flush') };
  const pump = new Pump<Output>(end, () => {}, packets);
  pump.touched();
  await turn();
  t.deepEqual(told, ['flush', 'glance', 'flush']);
  await pump.stop();
});

test('who knows that no more is to come settles at once, and nothing is left for the end of the turn', async (t) => {
  const { end, pump, stream, flushed } = pumped();
  await turn();
  const before = flushed();
  pump.settle();
  t.is(flushed(), before);
  end.say('now');
  pump.touched();
  pump.settle();
  t.deepEqual(stream.writes, ['now']);
  t.is(flushed(), before + 1);
  await turn();
  t.is(flushed(), before + 1);
  stream.destroy();
  await pump.stop();
  const stopped = flushed();
  pump.touched();
  pump.settle();
  t.is(flushed(), stopped);
});

test('outputs are obeyed in order; close ends the connection, and stop waits for it', async (t) => {
  const { end, pump, stream, obeyed, gone } = pumped();
  end.say('bye');
  end.outputs.push(
    { type: 'word', word: 'x' },
    { type: 'close', conn: 3, flush: true, fault: 0 },
    { type: 'close', conn: 9, flush: true, fault: 0 },
  );
  await pump.stop();
  t.deepEqual(obeyed, ['word', 'close', 'close']);
  t.deepEqual(stream.writes, ['bye']);
  t.true(stream.destroyed);
  t.deepEqual(end.told, ['disconnected 3']);
  t.deepEqual(gone, [3]);
});

test('timeout is called when it is due, never before, and at once when it is overdue', async (t) => {
  const { end, pump, stream } = pumped();
  end.dueMs = now() + HOUR_MS;
  pump.touched();
  await turn();
  t.deepEqual(end.told, []);
  // FakeEnd notes whether it is called before its time.
  const timedOut = end.timedOut();
  end.dueMs = now() + 30;
  pump.touched();
  await timedOut;
  t.deepEqual(end.told, ['timeout']);
  end.dueMs = now() - 1;
  pump.touched();
  await turn();
  t.deepEqual(end.told, ['timeout', 'timeout']);
  stream.destroy();
  await pump.stop();
});

test('input reaches the end, and after stop nothing does', async (t) => {
  const { end, pump, stream } = pumped();
  stream.push('hello');
  await once(stream, 'data');
  t.deepEqual(end.told, ['input 3 hello']);
  stream.destroy();
  await pump.stop();
  end.dueMs = 0;
  pump.touched();
  await turn();
  t.deepEqual(end.told, ['input 3 hello', 'disconnected 3']);
});
