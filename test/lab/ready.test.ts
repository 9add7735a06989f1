import test from 'ava';
import { isOpen, isReady } from '../../lab/ready.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100`;

test('a port is open when a socket listens on it, on whatever address', (t) => {
  const table = [HEAD, row('0100007F:0050', '0A'), row('0100007F:01BB', '01')].join('\n');
  t.true(isOpen(table, 80, '0A'));
  t.false(isOpen(table, 443, '0A'), 'a connection is no listener');
  t.false(isOpen(table, 8080, '0A'));
  t.true(isOpen(row('00000000000000000000000000000000:0050', '0A'), 80, '0A'), 'IPv6');
  t.false(isOpen('', 80, '0A'));
});

test('what a program has printed makes it ready', (t) => {
  const ready = { output: /listening on [0-9]+/ };
  t.false(isReady(ready, process.pid, 'listening on'));
  t.true(isReady(ready, process.pid, 'hello\nlistening on 80\n'));
  t.true(isReady('started', process.pid, ''));
});

test('a program that has ended has no open ports', (t) => {
  t.false(isReady({ port: 80, protocol: 'tcp' }, 2 ** 22 + 1, ''));
});
