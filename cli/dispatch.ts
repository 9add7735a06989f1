/** `tep <command> …`: finds the command, loads only its module, and turns usage errors into status 2. */
import { suggestion } from '../config/nearest.ts';
import { version } from '../ops/version.ts';
import { table } from './arguments.ts';
import { type Command, EXIT, Failure, UsageError, type World } from './command.ts';
import { complain } from './complain.ts';

/** Names and loaders of commands: a module is loaded when its command runs, or for the overview. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>;

/** Every command there is, in the order of the help. */
export const COMMANDS: Commands = {
  client: () => import('./client.ts'),
  server: () => import('./server.ts'),
  demo: () => import('./demo.ts'),
  lab: () => import('./lab.ts'),
  capture: () => import('./capture.ts'),
  replay: () => import('./replay.ts'),
  sdp: () => import('./sdp.ts'),
  status: () => import('./status.ts'),
  doctor: () => import('./doctor.ts'),
  service: () => import('./service.ts'),
};

/**
 * Runs one command line; gives the exit status. Exceptions other than `UsageError` and `Failure` pass
 * through.
 */
export async function dispatch(
  args: readonly string[],
  world: World,
  commands: Commands = COMMANDS,
): Promise<number> {
  try {
    return await run(args, world, commands);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    if (!isUsage && !(error instanceof Failure)) throw error;
    complain(world, error.message);
    return isUsage ? EXIT.USAGE : EXIT.FAILED;
  }
}

async function run(args: readonly string[], world: World, commands: Commands): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      world.stderr.write(await overview(commands));
      return EXIT.USAGE;
    case '--help':
    case '-h':
      return print(await overview(commands), world);
    case '--version':
    case '-V':
      return print(`tep ${version()}\n`, world);
    case 'help':
      return print(await helpOn(rest, commands), world);
    default: {
      const command = await load(first, commands);
      return asksForHelp(rest) ? print(command.help, world) : command.run(rest, world);
    }
  }
}

async function helpOn(names: readonly string[], commands: Commands): Promise<string> {
  const [name, extra] = names;
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`);
  if (name === undefined || asksForHelp(names)) return overview(commands);
  return (await load(name, commands)).help;
}

async function load(name: string, commands: Commands): Promise<Command> {
  const loader = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (loader !== undefined) return (await loader()).command;
  const what = name.startsWith('-') ? 'option' : 'command';
  const known = [...Object.keys(commands), 'help', '--help', '--version'];
  throw new UsageError(`unknown ${what} ${name}${suggestion(name, known)}; see tep --help`);
}

/** Whatever else is on the line: someone who asks for help gets it. After `--` all is data. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

async function overview(commands: Commands): Promise<string> {
  const modules = await Promise.all(Object.values(commands).map((loader) => loader()));
  return `tep ${version()}: IMS calls through firewalls that let only web traffic out

Usage: tep <command> [options]

Commands:
${table(modules.map(({ command }) => [command.name, command.summary]))}

tep <command> --help   options and examples of a command
tep --version          the version
`;
}

function print(text: string, world: World): number {
  world.stdout.write(text);
  return EXIT.SUCCESS;
}
