import test from 'ava';
import { helpText, parseArguments } from '../../cli/arguments.ts';
import type { Command } from '../../cli/command.ts';
import { COMMANDS, type Commands, dispatch } from '../../cli/dispatch.ts';
import { fakeWorld } from './world.ts';

const OPTIONS = { loud: { kind: 'flag', short: 'l', meaning: 'shout' } } as const;

const greet: Command = {
  name: 'greet',
  summary: 'say something',
  help: helpText({
    usage: 'greet [options]',
    about: 'Says something.',
    options: OPTIONS,
    examples: [['tep greet --loud', 'shouts']],
  }),
  async run(args, world) {
    const { values } = parseArguments(args, OPTIONS);
    world.stdout.write(values.loud ? 'HELLO\n' : 'hello\n');
    return 0;
  },
};

const TWO: Commands = {
  greet: async () => ({ command: greet }),
  broken: () => Promise.reject(new Error('this module must not be loaded')),
};

test('runs the command named, and loads no other', async (t) => {
  const world = fakeWorld();
  t.is(await dispatch(['greet', '-l'], world, TWO), 0);
  t.is(world.out(), 'HELLO\n');
  t.is(world.err(), '');
});

test('help of a command: by help, --help and -h alike, whatever else is on the line', async (t) => {
  for (const args of [
    ['help', 'greet'],
    ['greet', '--help'],
    ['greet', '--wrong', '-h'],
  ]) {
    const world = fakeWorld();
    t.is(await dispatch(args, world, TWO), 0);
    t.is(world.out(), greet.help);
  }
});

test('overview of all commands on standard output when asked for, on standard error when not', async (t) => {
  const commands: Commands = { greet: async () => ({ command: greet }) };
  for (const args of [['--help'], ['-h'], ['help'], ['help', '--help']]) {
    const world = fakeWorld();
    t.is(await dispatch(args, world, commands), 0);
    t.regex(world.out(), /^ {2}greet {2}say something$/m);
  }
  const world = fakeWorld();
  t.is(await dispatch([], world, commands), 2);
  t.is(world.out(), '');
  t.regex(world.err(), /Usage: tep <command>/);
});

test('version of the package', async (t) => {
  const world = fakeWorld();
  t.is(await dispatch(['--version'], world, TWO), 0);
  t.regex(world.out(), /^tep \d+\.\d+\.\d+\n$/);
});

const WRONG: ReadonlyArray<readonly [args: string[], message: string]> = [
  [['graet'], 'tep: unknown command graet (did you mean greet?); see tep --help\n'],
  [['help', 'gret'], 'tep: unknown command gret (did you mean greet?); see tep --help\n'],
  [['help', 'greet', 'x'], 'tep: unexpected argument x\n'],
  [['constructor'], 'tep: unknown command constructor; see tep --help\n'],
  [['--versoin'], 'tep: unknown option --versoin (did you mean --version?); see tep --help\n'],
  [['greet', '--lound'], 'tep: unknown option --lound (did you mean --loud?)\n'],
];

for (const [args, message] of WRONG) {
  test(`wrong usage is status 2 and one line: tep ${args.join(' ')}`, async (t) => {
    const world = fakeWorld();
    t.is(await dispatch(args, world, TWO), 2);
    t.is(world.out(), '');
    t.is(world.err(), message);
  });
}

test('an exception that is not about usage passes through', async (t) => {
  await t.throwsAsync(dispatch(['broken'], fakeWorld(), TWO), { message: /must not be loaded/ });
});

test('every command of the table has its own name, a summary and a help with examples', async (t) => {
  for (const [name, loader] of Object.entries(COMMANDS)) {
    const { command } = await loader();
    t.is(command.name, name);
    t.regex(command.summary, /^[^A-Z].*[^.]$/);
    t.true(command.help.startsWith(`Usage: tep ${name}`));
    t.regex(command.help, /^Examples:\n {2}tep /m);
    for (const line of command.help.split('\n')) t.true(line.length <= 100, line);
  }
  t.pass();
});

test('an argument with line breaks and terminal commands stays one harmless line', async (t) => {
  const world = fakeWorld();
  t.is(await dispatch(['greet', '--lou\nd\x1b[2J'], world, TWO), 2);
  t.is(world.err().split('\n').length, 2);
  t.regex(world.err(), /^tep: unknown option --lou\\x0ad\\x1b\[2J/);
});
