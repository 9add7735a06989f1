import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { isJournal, notifier, watchdogMs } from '../../io/systemd.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** What systemd does: a bound datagram socket. Gives its name, and what it has received. */
function listener(t: ExecutionContext, isAbstract: boolean) {
  const calls = libc();
  if (isIoFault(calls)) throw new Error(calls.text);
  const folder = mkdtempSync(join(tmpdir(), 'tep-notify-'));
  const path = join(folder, 'notify');
  const name = Buffer.from(isAbstract ? `\0${path}` : `${path}\0`);
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (typeof fd !== 'number') throw new Error(fd.text);
  t.teardown(() => {
    calls.close(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  t.is(calls.bind(fd, Buffer.concat([new Uint8Array(Uint16Array.of(AF_UNIX).buffer), name])), 0);
  const into = Buffer.alloc(4_096);
  const received = (): string => {
    const length = calls.recv(fd, into, MSG_DONTWAIT);
    return typeof length === 'number' ? into.toString('utf8', 0, length) : length.code;
  };
  return { name: isAbstract ? `@${path}` : path, received };
}

for (const isAbstract of [false, true]) {
  test(`systemd hears by a ${isAbstract ? 'name' : 'file'} of its own`, (t) => {
    const { name, received } = listener(t, isAbstract);
    const notify = notifier({ NOTIFY_SOCKET: name });
    notify({ READY: 1, STATUS: 'two calls\nMAINPID=1' });
    t.is(received(), 'READY=1\nSTATUS=two calls MAINPID=1');
    notify({ WATCHDOG: 1 });
    t.is(received(), 'WATCHDOG=1');
    t.is(received(), 'EAGAIN');
  });
}

test('nobody listening stops nobody', (t) => {
  for (const NOTIFY_SOCKET of [undefined, '', '/nonexistent/notify', 'relative', 'x'.repeat(500)]) {
    t.notThrows(() => notifier(NOTIFY_SOCKET === undefined ? {} : { NOTIFY_SOCKET })({ READY: 1 }));
  }
});

test('the watchdog is for the process that systemd names', (t) => {
  t.is(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 30_000);
  t.is(watchdogMs({ WATCHDOG_USEC: '30000000' }, 7), 30_000);
  t.is(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), undefined);
  t.is(watchdogMs({ WATCHDOG_USEC: 'x' }, 7), undefined);
  t.is(watchdogMs({}, 7), undefined);
});

test('the journal is told by device and inode', (t) => {
  t.true(isJournal({ JOURNAL_STREAM: '8:1234' }, { dev: 8, ino: 1234 }));
  t.false(isJournal({ JOURNAL_STREAM: '8:1234' }, { dev: 8, ino: 1235 }));
  t.false(isJournal({}, { dev: 8, ino: 1234 }));
});
