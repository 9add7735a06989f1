import test from 'ava';
import { oneLine } from '../../ops/one-line.ts';

test('what breaks a line, tells a terminal something or turns the writing is shown as its number', (t) => {
  t.is(oneLine('a\nb\r\t\x1b[2J\x7f\x9b'), 'a\\x0ab\\x0d\\x09\\x1b[2J\\x7f\\x9b');
  t.is(oneLine('\u2028\u2029'), '\\x2028\\x2029');
  t.is(oneLine('user\u202egnp.exe\u2066\u2069'), 'user\\x202egnp.exe\\x2066\\x2069');
});

test('everything else stays, in whatever script', (t) => {
  for (const text of ['', 'name="a"\\', 'Jürgen', 'שלום', 'مرحبا', '日本', '😀'])
    t.is(oneLine(text), text);
});
