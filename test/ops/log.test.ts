import test from 'ava';
import { type Fields, LEVELS, Logger, type LogOptions } from '../../ops/log.ts';
import { Repeats } from '../../ops/repeats.ts';

function logger(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const time = { nowMs: Date.UTC(2026, 10, 25, 19, 10, 41, 123) };
  const log = new Logger({
    write: (line) => lines.push(line),
    level: 'debug',
    format: 'text',
    journal: false,
    clock: () => time.nowMs,
    ...options,
  });
  return { log, lines, time };
}

const FIELDS: Fields = { server: 'tls://tep.example', why: 'no answer', n: 3, gone: undefined };

test('a line for people: time, level, text, fields', (t) => {
  const { log, lines } = logger();
  log.info('tunnel opened', FIELDS);
  log.warn('plain');
  t.deepEqual(lines, [
    '2026-11-25T19:10:41.123Z info  tunnel opened server=tls://tep.example why="no answer" n=3\n',
    '2026-11-25T19:10:41.123Z warn  plain\n',
  ]);
});

test('a line for machines is one JSON object', (t) => {
  const { log, lines } = logger({ format: 'json' });
  log.error('tunnel lost', FIELDS);
  t.deepEqual(JSON.parse(lines.join('')), {
    time: '2026-11-25T19:10:41.123Z',
    level: 'error',
    text: 'tunnel lost',
    server: 'tls://tep.example',
    why: 'no answer',
    n: 3,
  });
});

test('the journal gets the priority and no second time', (t) => {
  const { log, lines } = logger({ journal: true });
  for (const level of LEVELS) log[level]('x');
  t.deepEqual(lines, ['<3>x\n', '<4>x\n', '<6>x\n', '<7>x\n']);
});

test('the level can change while it runs', (t) => {
  const { log, lines } = logger({ level: 'warn', journal: true });
  log.info('a');
  log.warn('b');
  log.setLevel('debug');
  log.debug('c');
  log.setLevel('error');
  log.warn('d');
  t.deepEqual(lines, ['<4>b\n', '<7>c\n']);
});

test('what the network says breaks no line and is cut', (t) => {
  const { log, lines } = logger({ journal: true });
  log.info('x', { a: 'line\nnext\x1b[2J\u2028"q"\\', b: '', c: 'y'.repeat(5_000), d: 'a=b' });
  t.is(lines.length, 1);
  t.regex(
    lines[0] ?? '',
    /^<6>x a="line\\\\x0anext\\\\x1b\[2J\\\\x2028\\"q\\"\\\\" b="" c=y{1000}… d="a=b"\n$/,
  );
});

test('a flood of one text is counted, others go on, and the count is told', (t) => {
  const { log, lines, time } = logger({ journal: true });
  for (let i = 0; i < 1_000; i++) log.warn('turned away', { peer: i });
  log.warn('another');
  t.is(lines.length, 101);
  time.nowMs += Repeats.WINDOW_MS + 1;
  log.warn('turned away');
  t.is(lines.length, 101);
  log.flush();
  t.is(lines.at(-1), '<4>lines not shown, they came too fast line="turned away" count=901\n');
  log.warn('turned away');
  t.is(lines.at(-1), '<4>turned away\n');
});

test('slow lines are never counted away', (t) => {
  const { log, lines, time } = logger();
  for (let i = 0; i < 1_000; i++) {
    log.warn('now and then');
    time.nowMs += 200;
  }
  t.is(lines.length, 1_000);
});

test('texts without end share one count', (t) => {
  const repeats = new Repeats();
  let allowed = 0;
  for (let i = 0; i < 10_000; i++) if (repeats.allow(`text ${i}`, 0)) allowed += 1;
  t.true(allowed < 400, String(allowed));
});
