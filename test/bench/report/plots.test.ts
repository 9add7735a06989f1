import test from 'ava';
import { type Axis, axes, dots, line, picture, text } from '../../../bench/report/svg.ts';

const BOX = { left: 10, top: 20, width: 100, height: 200 };
const X: Axis = { label: 'x', min: 0, max: 10, ticks: [0, 10] };
const LOG: Axis = { label: 'y', min: 1, max: 100, isLog: true, ticks: [1, 10, 100] };

test('points stand where their numbers say, on a logarithmic axis too', (t) => {
  const drawn = line(
    BOX,
    X,
    LOG,
    [
      [0, 1],
      [5, 10],
      [10, 100],
    ],
    '#000',
    1,
  );
  t.true(drawn.includes('points="10,220 60,120 110,20"'), drawn);
});

test('what is beyond an axis is drawn at its end', (t) => {
  const drawn = dots(BOX, X, LOG, [[20, 1_000]], '#000', 1);
  t.true(drawn.includes('cx="110" cy="20"'), drawn);
});

test('each tick has a number', (t) => {
  const drawn = axes(BOX, X, LOG).join('');
  for (const number of ['>0<', '>1<', '>10<', '>100<']) t.true(drawn.includes(number), number);
});

test('words cannot break the picture', (t) => {
  t.true(picture(10, 10, [text(0, 0, 'a < b & c')]).includes('a &lt; b &amp; c'));
});
