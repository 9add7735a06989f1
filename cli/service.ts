/** `tep service`: installs an agent as a service of systemd, and takes it away again. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../config/read.ts';
import type { AgentName } from '../ops/status.ts';
import { CLIENT_FILE, CLIENT_KEYS, checkClient } from '../tep-client/settings.ts';
import { checkServer, SERVER_FILE, SERVER_KEYS } from '../tep-server/settings.ts';
import { helpText, parseArguments } from './arguments.ts';
import { type Command, EXIT, Failure, UsageError, type World } from './command.ts';
import { MACHINE } from './doctor/machine.ts';
import {
  describe,
  installPlan,
  type Plan,
  type Step,
  uninstallPlan,
  unitFiles,
} from './service/plan.ts';
import { mayBeHidden, SERVICE_USER, type UnitWishes } from './service/units.ts';
import { writeWhole } from './service/whole-file.ts';

const OPTIONS = {
  print: { kind: 'flag', meaning: 'print the units instead of installing them' },
  'dry-run': { kind: 'flag', meaning: 'say what would be done, and do nothing' },
  force: { kind: 'flag', meaning: 'replace or remove files that were edited or are not ours' },
  root: {
    kind: 'text',
    value: 'FOLDER',
    default: '/',
    meaning: 'tree to install into, for images and packages',
  },
} as const;

export const command: Command = {
  name: 'service',
  summary: 'install or remove an agent as a service of systemd',
  help: helpText({
    usage:
      'service install|uninstall client|server [--print] [--dry-run] [--force] [--root FOLDER]',
    about: `
Installs a hardened unit for systemd: a user "${SERVICE_USER}" of its own, a file system that cannot be
written, system calls limited, the two capabilities of packets.port: rings only where the
configuration asks for them. The server gets its ports 80 and 443 from tep-server.socket (listen:
systemd). A first configuration is written to /etc/tep where there is none. Nothing is started.`,
    options: OPTIONS,
    notes: `
Files that were edited after they were installed are not overwritten without --force: better are
drop-ins, systemctl edit tep-client. The configuration in /etc/tep always stays.

Exit status: 0 when it was done, 1 when it could not be, 2 for wrong usage.`,
    examples: [
      [
        'tep service install client',
        'then edit /etc/tep/client.yaml, and systemctl enable --now tep-client',
      ],

      ['tep service install server --print', 'look at the units first'],
      ['tep service uninstall server', 'stops it and removes the units'],
    ],
  }),
  async run(args, world) {
    const wanted = { name: 'install or uninstall, client or server', min: 2, max: 2 };
    const { values, positionals } = parseArguments(args, OPTIONS, wanted);
    const [verb = '', name = ''] = positionals;
    if (verb !== 'install' && verb !== 'uninstall') {
      throw new UsageError(`${verb}: must be install or uninstall`);
    }
    if (name !== 'client' && name !== 'server')
      throw new UsageError(`${name}: must be client or server`);
    const wishes = unitWishes(name, world);
    if (values.print) return print(wishes, world);
    const isInstall = verb === 'install';
    const plan = isInstall
      ? installPlan({ ...wishes, ...values, example: exampleOf(name) })
      : uninstallPlan(name, values.root, values.force);
    return carryOut(plan, values, isInstall ? nextSteps(wishes) : '', world);
  },
};

interface CarryOut {
  readonly 'dry-run': boolean;
  readonly root: string;
}

async function carryOut(
  { steps, foreign }: Plan,
  values: CarryOut,
  after: string,
  world: World,
): Promise<number> {
  if (foreign.length > 0) {
    throw new Failure(
      `not ours, or edited: ${foreign.join(', ')}; --force replaces it, "systemctl edit" adds to it`,
    );
  }
  const isDry = values['dry-run'];
  if (!isDry && values.root === '/' && world.process.uid !== 0) {
    throw new Failure('this needs root: sudo tep service …; --dry-run shows what would be done');
  }
  for (const step of steps) {
    world.stdout.write(`${describe(step)}\n`);
    if (!isDry) await taken(step);
  }
  if (!isDry) world.stdout.write(after);
  return EXIT.SUCCESS;
}

/** What the system does not let us do is one line for people. */
async function taken(step: Step): Promise<void> {
  try {
    await take(step);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      `cannot ${describe(step)}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

async function take(step: Step): Promise<void> {
  switch (step.type) {
    case 'folder':
      if (!existsSync(step.path)) mkdirSync(step.path, { recursive: true, mode: step.mode });
      break;
    case 'write':
      writeWhole(step.path, step.text, step.mode);
      break;
    case 'own':
      await run(['chgrp', SERVICE_USER, step.path]);
      break;
    case 'remove':
      rmSync(step.path);
      break;
    case 'run':
      if (!step.mayFail) await run(step.words);
      else await run(step.words).catch(() => {});
      break;
  }
}

async function run([program = '', ...args]: readonly string[]): Promise<void> {
  const { code, stderr } = await MACHINE.run(program, ...args);
  if (code === 0) return;
  const why = stderr.trim().split('\n', 1).join('') || 'it is not there, or failed';
  throw new Failure(`${program}: ${why}`);
}

function print(wishes: UnitWishes, world: World): number {
  for (const [name, text] of Object.entries(unitFiles(wishes))) {
    world.stdout.write(`# /${name}\n${text}\n`);
  }
  return EXIT.SUCCESS;
}

/** The privileges follow the configuration; one that is wrong or missing is taken as the default. */
function unitWishes(agent: AgentName, { env, process: { folder } }: World): UnitWishes {
  const sources = { args: [], env, folder };
  const port =
    agent === 'client'
      ? readSettings(CLIENT_KEYS, checkClient, { ...sources, defaultFile: CLIENT_FILE }).settings
      : readSettings(SERVER_KEYS, checkServer, { ...sources, defaultFile: SERVER_FILE }).settings;
  const keys = agent === 'client' ? CLIENT_KEYS : SERVER_KEYS;
  return {
    agent,
    node: process.execPath,
    program: fileURLToPath(new URL('./tep.js', import.meta.url)),
    rings: (port?.['packets.port'] ?? keys['packets.port'].default) === 'rings',
  };
}

function exampleOf(agent: AgentName): string {
  return readFileSync(new URL(`../../docs/examples/${agent}.yaml`, import.meta.url), 'utf8');
}

function nextSteps({ agent, program, node }: UnitWishes): string {
  const hidden = [node, program].find(mayBeHidden);
  const warning =
    hidden === undefined
      ? ''
      : `\nWARNING: the service may not see ${hidden}; install again from a folder for all, such as /opt\n`;
  return `${warning}
Next:
  edit /etc/tep/${agent}.yaml (secrets in it: it is readable by root and the group ${SERVICE_USER} only)
  tep doctor ${agent}
  systemctl enable --now tep-${agent}
`;
}
