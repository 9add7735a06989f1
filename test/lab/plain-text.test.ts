import test from 'ava';
import { lastLines, withoutColours } from '../../lab/plain-text.ts';

test('colours go, everything else stays', (t) => {
  t.is(withoutColours('\u001b[1;31mreg: failed\u001b[;m [0:01]\n'), 'reg: failed [0:01]\n');
  t.is(withoutColours('plain [31m'), 'plain [31m');
});

test('the last lines that say something, in one', (t) => {
  const text = 'one\r\ntwo\n\n \u001b[31mthree\n\u001b[;m\nfour\r\r';
  t.is(lastLines(text, 2), 'three / four');
  t.is(lastLines(text, 9), 'one / two / three / four');
  t.is(lastLines('', 3), '');
});
