/** Which way to the core is asked what, and when: by a clock that a test holds, and ways that are none. */
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Clock } from '../../../io/clock.ts';
import type { Request } from '../../../sip/message.ts';
import type { Asks } from '../../../sip/sidecar/outputs.ts';
import { CoreSide } from '../../../tep-client/sip/core-side.ts';
import type { Rung } from '../../../tep-client/sip/rungs.ts';
import { PEER, requestText } from '../../sip/sidecar/driver.ts';
import { datagram, sip } from '../../sip/vectors.ts';

const HURRY_MS = 1_000;
const SILENT_MS = 4_000;

class HeldClock implements Clock {
  #nowMs = 0;
  readonly #alarms = new Set<{ atMs: number; readonly ring: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  alarm(ring: () => void) {
    const alarm = { atMs: Number.POSITIVE_INFINITY, ring };
    this.#alarms.add(alarm);
    return {
      set: (atMs: number) => {
        alarm.atMs = Math.min(alarm.atMs, atMs);
      },
      clear: () => {
        alarm.atMs = Number.POSITIVE_INFINITY;
      },
    };
  }

  /** Rings what is due on the way, one after the other. */
  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (let next = this.#next(); next.atMs <= end; next = this.#next()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.atMs = Number.POSITIVE_INFINITY;
      next.ring();
      await settled();
    }
    this.#nowMs = end;
  }

  #next() {
    const [first, ...others] = this.#alarms;
    if (first === undefined) throw new RangeError('nobody waits');
    return others.reduce((least, one) => (one.atMs < least.atMs ? one : least), first);
  }
}

/** A connection to the core that opens at once, or when it is told to. */
class Way {
  readonly heard: string[] = [];
  readonly stream = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => {
      this.heard.push(String(chunk));
      done();
    },
  });

  get asked(): string[] {
    return this.heard.flatMap((text) => /^[A-Z]+(?= sip:)/.exec(text)?.[0] ?? []);
  }

  get isClosed(): boolean {
    return this.stream.destroyed;
  }

  async answers(status = 200): Promise<void> {
    this.stream.push(
      sip([`SIP/2.0 ${status} Said`, 'Via: SIP/2.0/TCP x;branch=z9hG4bK', ...NAMES]),
    );
    await settled();
  }
}

const NAMES = ['From: <sip:a@x>;tag=a', 'To: <sip:b@x>', 'Call-ID: c', 'CSeq: 1 REGISTER'];

async function scene(t: ExecutionContext, count: number) {
  const clock = new HeldClock();
  const ways: Way[] = [];
  const told: string[] = [];
  const rungs = Array.from({ length: count }, (_, i): Rung => {
    return { server: { transport: 'tcp', host: `way${i}`, port: 5_060 }, byProxy: false };
  });
  const hold = (asks: Asks) => core.isOpen || core.hold(asks);
  const core: CoreSide = new CoreSide({
    rungs,
    clock,
    allow: () => Promise.resolve(),
    dial: () => {
      const way = new Way();
      ways.push(way);
      return { result: Promise.resolve(way.stream), abandon: () => {} };
    },
    events: {
      message: () => told.push('message'),
      bad: () => told.push('bad'),
      refused: () => told.push('refused'),
      opened: () => {},
      proven: (rung) => told.push(`proven ${rung.server.host}`),
      lost: (rung) => told.push(`lost ${rung.server.host}`),
      again: (asks) => ask(asks),
      unreachable: () => told.push('unreachable'),
    },
  });
  t.teardown(() => core.close());
  const ask = (asks: Asks) => {
    if (hold(asks)) core.send(Buffer.from(asks.request.text, 'latin1'), asks);
  };
  await settled();
  return { core, clock, ways, told, ask: (method: string) => ask(asksFor(method)) };
}

function asksFor(method: string): Asks {
  const request = datagram(requestText('phone', `${method} 1`, { callId: method }));
  return { request: request as Request, peer: PEER };
}

/** What promises and streams have to do is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await setImmediate();
}

test('a way that is silent gets the next one beside it, which hears the same request; then it is left', async (t) => {
  const { clock, ways, told, ask } = await scene(t, 2);
  ask('REGISTER');
  await clock.pass(HURRY_MS - 1);
  t.is(ways.length, 1);
  await clock.pass(1);
  t.deepEqual(
    ways.map(({ asked }) => asked),
    [['REGISTER'], ['REGISTER']],
  );
  await clock.pass(SILENT_MS - HURRY_MS - 1);
  t.deepEqual(told, []);
  await clock.pass(1);
  t.deepEqual(told, ['lost way0']);
  t.true(ways[0]?.isClosed);
  await ways[1]?.answers();
  t.deepEqual(told, ['lost way0', 'proven way1', 'message']);
});

test('ways that say nothing hold up nobody: the third is tried beside them, and the others are closed', async (t) => {
  const { core, clock, ways, told, ask } = await scene(t, 3);
  ask('REGISTER');
  await clock.pass(2 * HURRY_MS);
  t.deepEqual(
    ways.map(({ asked }) => asked),
    [['REGISTER'], ['REGISTER'], ['REGISTER']],
  );
  t.is(new Set(ways.map(({ heard }) => heard.join())).size, 1, 'one transaction');
  t.deepEqual(told, [], 'nobody has been given up');
  await ways[2]?.answers();
  t.deepEqual(told, ['proven way2', 'message']);
  t.deepEqual(
    ways.map(({ isClosed }) => isClosed),
    [true, true, false],
  );
  t.is(core.state, 'proven');
  ask('OPTIONS');
  t.deepEqual(ways[2]?.asked, ['REGISTER', 'OPTIONS']);
});

test('the way that was tried first answers late: it is taken, and what follows goes by it', async (t) => {
  const { clock, ways, told, ask } = await scene(t, 2);
  ask('REGISTER');
  await clock.pass(SILENT_MS - 1);
  await ways[0]?.answers();
  t.deepEqual(told, ['proven way0', 'message']);
  t.true(ways[1]?.isClosed);
  ask('OPTIONS');
  t.deepEqual(ways[0]?.asked, ['REGISTER', 'OPTIONS']);
  await clock.pass(2 * SILENT_MS);
  t.is(ways.length, 2);
});

test('a call goes by one way at a time, whatever is asked beside it, and by the next when that one is left', async (t) => {
  const { clock, ways, told, ask } = await scene(t, 2);
  ask('INVITE');
  ask('REGISTER');
  await clock.pass(2 * HURRY_MS);
  t.deepEqual(ways[1]?.asked, ['REGISTER'], 'it hears what may be heard twice');
  ask('INVITE');
  t.deepEqual(ways[0]?.asked.filter((method) => method === 'INVITE').length, 2);
  t.deepEqual(ways[1]?.asked, ['REGISTER']);
  await clock.pass(SILENT_MS - 2 * HURRY_MS);
  t.deepEqual(told, ['lost way0']);
  t.true(ways[1]?.asked.includes('INVITE'));
  await ways[1]?.answers(180);
  t.deepEqual(told, ['lost way0', 'proven way1', 'message']);
});
