import test from 'ava';
import { follower } from '../../../cli/lab/follower.ts';

test('each wanted line once, when it is whole', (t) => {
  const printed = { output: 'Call a\nnoise\nCall', printedLength: 17 };
  const news = follower('phone', /^Call \S+/, printed);
  t.deepEqual(news(), ['phone     Call a']);
  t.deepEqual(news(), []);
  printed.output += ' b\nCall c\n';
  printed.printedLength = printed.output.length;
  t.deepEqual(news(), ['phone     Call b', 'phone     Call c']);
  t.deepEqual(news(), []);
});

test('colours stay behind', (t) => {
  const output = '\u001b[32mAll registered\u001b[;m\n';
  const news = follower('phone', /.*registered.*/, { output, printedLength: output.length });
  t.deepEqual(news(), ['phone     All registered']);
});

test('of a program that prints more than is kept of it, all that is kept and new', (t) => {
  const kept = 14;
  const printed = { output: '', printedLength: 0 };
  const print = (text: string) => {
    printed.output = (printed.output + text).slice(-kept);
    printed.printedLength += text.length;
  };
  const news = follower('P-CSCF', /<script>: (.*)/, printed);
  for (let n = 0; n < 5; n++) {
    print(`<script>: ${n}\n`);
    t.deepEqual(news(), [`P-CSCF    ${n}`]);
  }
  print('<script>: x\n<script>: y\n');
  t.deepEqual(news(), ['P-CSCF    y'], 'what was let go before anybody asked');
});
