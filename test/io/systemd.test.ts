import test from 'ava';
import { isJournal, notifier, watchdogMs } from '../../io/systemd.ts';
import { notifyListener } from './notify-listener.ts';

for (const isAbstract of [false, true]) {
  test(`systemd hears by a ${isAbstract ? 'name' : 'file'} of its own`, (t) => {
    const { name, received } = notifyListener(t, isAbstract);
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
