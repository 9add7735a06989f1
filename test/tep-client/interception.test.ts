/** What the packet port is told to take, and when (G-09, G-20). */
import test from 'ava';
import type { IoFault } from '../../io/io-fault.ts';
import type { Routing } from '../../io/rings/rules.ts';
import { Interception } from '../../tep-client/interception.ts';
import { TunnelExceptions } from '../../tep-client/tunnel-exceptions.ts';
import { formatPrefix, parsePrefix } from '../../wire/prefix.ts';

const MEDIA = parsePrefix('203.0.113.0/24');
const TO = MEDIA ? [{ prefix: MEDIA, ports: { first: 30_000, last: 40_000 } }] : [];

/** A port that does one change at a time, each when the test says so. */
class FakeRouter {
  readonly asked: Routing[] = [];
  answer: IoFault | undefined;
  #pending: (() => void)[] = [];

  readonly route = async (routing: Routing): Promise<IoFault | undefined> => {
    this.asked.push(routing);
    await new Promise<void>((resolve) => this.#pending.push(resolve));
    return this.answer;
  };

  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      for (const resolve of this.#pending.splice(0)) resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  texts(): string[] {
    return this.asked.map((routing) => {
      if (routing.kind !== 'divert') return routing.kind;
      const except = routing.except.map(({ prefix, port }) => `${formatPrefix(prefix)}:${port}`);
      return `${routing.to.map(({ prefix }) => formatPrefix(prefix))} but ${except}`;
    });
  }
}

test('[G-09] off and on again: nothing is taken in between', async (t) => {
  const router = new FakeRouter();
  const interception = new Interception(router, TO, () => t.fail());
  interception.set(true);
  t.deepEqual(router.texts(), []);
  interception.set(false);
  interception.set(false);
  await router.settle();
  interception.set(true);
  await router.settle();
  t.deepEqual(router.texts(), [' but ', '203.0.113.0/24 but ']);
});

test('changes are made one after the other, each to what holds by then', async (t) => {
  const router = new FakeRouter();
  const interception = new Interception(router, TO, () => t.fail());
  let isDone = false;
  interception.set(false);
  const excepted = interception.except(TO.map(({ prefix }) => ({ prefix, port: 80 })));
  void excepted.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.is(router.asked.length, 1);
  t.false(isDone);
  await router.settle();
  t.true(isDone);
  t.deepEqual(router.texts(), [' but 203.0.113.0/24:80', ' but 203.0.113.0/24:80']);
});

test('what the system refuses is told', async (t) => {
  const router = new FakeRouter();
  const faults: IoFault[] = [];
  const interception = new Interception(router, TO, (fault) => faults.push(fault));
  router.answer = { type: 'io-fault', code: 'EPERM', text: 'not allowed' };
  interception.set(false);
  await router.settle();
  t.deepEqual(faults, [router.answer]);
});

test('[G-20] a server that moves: its new addresses are outside before it is connected to', async (t) => {
  const told: string[][] = [];
  let addresses = ['203.0.113.5', '2001:db8::5'];
  const exceptions = new TunnelExceptions(
    async (except) => {
      told.push(except.map(({ prefix, port }) => `${formatPrefix(prefix)} ${port}`));
    },
    async () => addresses,
  );
  await exceptions.allow({ host: 'tep.example', port: 80 });
  await exceptions.allow({ host: 'tep.example', port: 80 });
  addresses = ['203.0.113.6'];
  await exceptions.allow({ host: 'tep.example', port: 443 });
  t.deepEqual(told, [
    ['203.0.113.5/32 80', '2001:db8::5/128 80'],
    ['203.0.113.5/32 80', '2001:db8::5/128 80', '203.0.113.6/32 443'],
  ]);
});

test('the number of such addresses is bounded: those not used for longest go', async (t) => {
  let last: readonly string[] = [];
  let n = 0;
  const exceptions = new TunnelExceptions(
    async (except) => {
      last = except.map(({ prefix }) => formatPrefix(prefix));
    },
    async (host) => [host === 'fixed' ? '203.0.113.5' : `10.0.0.${n++}`],
  );
  await exceptions.allow({ host: 'fixed', port: 80 });
  for (let i = 0; i < 200; i++) {
    await exceptions.allow({ host: 'fixed', port: 80 });
    await exceptions.allow({ host: 'other', port: 80 });
  }
  t.is(last.length, 64);
  t.true(last.includes('203.0.113.5/32'));
  t.true(last.includes('10.0.0.199/32'));
});

test('a name that nobody knows, a zone and a text that is no address change nothing', async (t) => {
  const told: number[] = [];
  const exceptions = new TunnelExceptions(
    async (except) => {
      told.push(except.length);
    },
    async (host) => (host === 'none' ? [] : [host]),
  );
  await exceptions.allow({ host: 'none', port: 80 });
  await exceptions.allow({ host: 'nonsense', port: 80 });
  t.deepEqual(told, []);
  await exceptions.allow({ host: 'fe80::1%eth0', port: 80 });
  t.deepEqual(told, [1]);
});

test('literal addresses are looked up without a DNS', async (t) => {
  const told: string[] = [];
  const exceptions = new TunnelExceptions(async (except) => {
    told.push(...except.map(({ prefix }) => formatPrefix(prefix)));
  });
  await exceptions.allow({ host: '192.0.2.9', port: 80 });
  await exceptions.allow({ host: '2001:db8::9', port: 80 });
  t.deepEqual(told, ['192.0.2.9/32', '192.0.2.9/32', '2001:db8::9/128']);
});
