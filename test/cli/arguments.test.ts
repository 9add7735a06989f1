import test from 'ava';
import { helpText, type Positionals, parseArguments } from '../../cli/arguments.ts';
import { UsageError } from '../../cli/command.ts';

const OPTIONS = {
  calls: { kind: 'number', value: 'N', min: 1, max: 500, default: 4, meaning: 'calls' },
  delay: {
    kind: 'number',
    value: 'MS',
    min: -5,
    max: 9.5,
    unit: 'ms',
    fraction: true,
    meaning: 'delay',
  },
  filter: { kind: 'text', value: 'EXPR', default: '', meaning: 'which' },
  format: { kind: 'choice', choices: ['text', 'json'], default: 'text', meaning: 'form' },
  name: { kind: 'text', value: 'NAME', short: 'n', meaning: 'a name' },
  quiet: { kind: 'flag', short: 'q', meaning: 'say nothing' },
} as const;

test('values are typed, and defaults stand where nothing was given', (t) => {
  const none = parseArguments([], OPTIONS).values;
  t.deepEqual(none, {
    calls: 4,
    delay: undefined,
    filter: '',
    format: 'text',
    name: undefined,
    quiet: false,
  });
  const calls: number = none.calls;
  t.is(calls, 4);
  const given = ['--calls=7', '--delay', '-2.5', '-q', '-n', 'x y', '--format', 'json'];
  t.deepEqual(parseArguments(given, OPTIONS).values, {
    calls: 7,
    delay: -2.5,
    filter: '',
    format: 'json',
    name: 'x y',
    quiet: true,
  });
});

const WRONG: ReadonlyArray<readonly [args: string[], message: string]> = [
  [['--cals', '3'], 'unknown option --cals (did you mean --calls?)'],
  [['--zzz'], 'unknown option --zzz'],
  [['-z'], 'unknown option -z'],
  [['--__proto__'], 'unknown option --__proto__'],
  [['--calls'], '--calls needs a value: a whole number from 1 to 500'],
  [['--calls', '--quiet'], '--calls needs a value: a whole number from 1 to 500'],
  [['--calls', '0'], '--calls 0: must be a whole number from 1 to 500'],
  [['--calls', '501'], '--calls 501: must be a whole number from 1 to 500'],
  [['--calls', '2.5'], '--calls 2.5: must be a whole number from 1 to 500'],
  [['--calls='], '--calls : must be a whole number from 1 to 500'],
  [['--calls', '1e2'], '--calls 1e2: must be a whole number from 1 to 500'],
  [['--delay', '10'], '--delay 10: must be a number from -5 to 9.5 (ms)'],
  [['--format', 'jsno'], '--format jsno: must be text or json (did you mean json?)'],
  [['--quiet=yes'], '--quiet takes no value'],
  [['stray'], 'unexpected argument stray'],
];

for (const [args, message] of WRONG) {
  test(`refused in one line: ${args.join(' ')}`, (t) => {
    t.throws(() => parseArguments(args, OPTIONS), { instanceOf: UsageError, message });
  });
}

test('arguments that are not options are counted', (t) => {
  const files: Positionals = { name: 'FILE', min: 1, max: 2 };
  t.deepEqual(parseArguments(['a', '-q', 'b'], OPTIONS, files).positionals, ['a', 'b']);
  t.deepEqual(parseArguments(['--', '-q'], OPTIONS, files).positionals, ['-q']);
  t.throws(() => parseArguments([], OPTIONS, files), { message: 'FILE missing' });
  const three = ['a', 'b', 'c'];
  t.throws(() => parseArguments(three, OPTIONS, files), { message: 'unexpected argument c' });
});

test('the help is made of the same table', (t) => {
  const text = helpText({
    usage: 'x [options]',
    about: 'About x.',
    options: OPTIONS,
    examples: [['tep x', 'does x']],
  });
  t.regex(text, /^ {6}--calls N +calls \(1 to 500, default 4\)$/m);
  t.regex(text, /^ {6}--filter EXPR +which$/m, 'an empty default is none');
  t.regex(text, /^ {6}--format text\|json +form \(default text\)$/m);
  t.regex(text, /^ {2}-q, --quiet +say nothing$/m);
  t.regex(text, /^ {2}-h, --help +this text$/m);
});

test('a list keeps every value in its order', (t) => {
  const options = { map: { kind: 'list', value: 'A=B', meaning: 'pairs' } } as const;
  t.deepEqual(parseArguments([], options).values, { map: [] });
  const given: readonly string[] = parseArguments(['--map', 'a=b', '--map=c=d'], options).values
    .map;
  t.deepEqual(given, ['a=b', 'c=d']);
  t.throws(() => parseArguments(['--map'], options), { message: '--map needs a value: A=B' });
  const parts = { usage: 'x', about: 'x', options, examples: [] };
  t.regex(helpText(parts), /--map A=B +pairs \(may be given several times\)/);
});
