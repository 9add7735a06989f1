import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../../io/io-fault.ts';
import { type Libc, libc } from '../../../io/kernel/libc.ts';
import { type Watch, watchReadable } from '../../../io/kernel/poller.ts';

const AF_UNIX = 1;
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

function calls(t: ExecutionContext): Libc {
  const c = libc();
  if (isIoFault(c)) throw new Error(c.text);
  t.true(true);
  return c;
}

/** An eventfd, closed after the test. */
function openFd(t: ExecutionContext, c: Libc): number {
  const fd = c.eventfd();
  if (typeof fd !== 'number') throw new Error(fd.text);
  t.teardown(() => c.close(fd));
  return fd;
}

/** Watches `fd`; `told()` resolves at the next call of `ready`. */
function watched(t: ExecutionContext, fd: number): { watch: Watch; told(): Promise<void> } {
  let wake = () => {};
  const watch = watchReadable(fd, () => wake());
  if (isIoFault(watch)) throw new Error(watch.text);
  t.teardown(() => watch.close());
  return {
    watch,
    told: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}

test('an error of the system is a value with its name', (t) => {
  const c = calls(t);
  const fault = c.socket(9999, 1, 0);
  t.like(fault, { type: 'io-fault', code: 'EAFNOSUPPORT' });
  t.like(c.interfaceIndex('no-such-one'), { code: 'ENODEV' });
  t.is(c.interfaceIndex('lo'), 1);
});

test('options are set and read', (t) => {
  const c = calls(t);
  const fd = c.socket(AF_UNIX, 1, 0);
  if (typeof fd !== 'number') throw new Error(fd.text);
  t.teardown(() => c.close(fd));
  const into = new Uint8Array(4);
  t.is(c.setOption(fd, 1, 9, 1), 0);
  t.is(c.getOption(fd, 1, 9, into), 4);
  t.is(new Int32Array(into.buffer)[0], 1);
  t.like(c.setOption(fd, 1, 9999, 1), { code: 'ENOPROTOOPT' });
});

test('a watch tells once per arm', async (t) => {
  const c = calls(t);
  const fd = openFd(t, c);
  const { watch, told } = watched(t, fd);
  const first = told();
  watch.arm();
  c.write(fd, ONE);
  await first;
  let again = 0;
  const second = told().then(() => {
    again += 1;
  });
  // Another watch has its turn meanwhile: the first, still readable but not armed, stays silent.
  const other = openFd(t, c);
  const { watch: otherWatch, told: otherTold } = watched(t, other);
  const heard = otherTold();
  otherWatch.arm();
  c.write(other, ONE);
  await heard;
  t.is(again, 0);
  watch.arm();
  await second;
  t.is(again, 1);
});

test('a closed watch is silent, its descriptor may be used again', async (t) => {
  const c = calls(t);
  const fd = openFd(t, c);
  const { watch } = watched(t, fd);
  watch.arm();
  watch.close();
  watch.close();
  const again = watched(t, fd);
  const told = again.told();
  again.watch.arm();
  c.write(fd, ONE);
  await told;
  t.pass();
});

for (const how of ['exit', 'close', 'throw']) {
  test(`a process ends although a wait was under way (${how})`, async (t) => {
    const child = fork(fileURLToPath(new URL('waiting.js', import.meta.url)), [how], {
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    t.is(code, how === 'throw' ? 1 : 0);
  });
}
