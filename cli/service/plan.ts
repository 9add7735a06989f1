/** What installing and uninstalling do, step by step, decided before anything is done. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentName } from '../../ops/status.ts';
import { isOurs, stamped } from './stamp.ts';
import { SERVICE_USER, serviceUnit, socketUnit, type UnitWishes, userFile } from './units.ts';

export type Step =
  | { readonly type: 'folder'; readonly path: string; readonly mode: number }
  | { readonly type: 'write'; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly type: 'own'; readonly path: string }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'keep'; readonly path: string; readonly why: string }
  | { readonly type: 'run'; readonly words: readonly string[]; readonly mayFail: boolean };

export interface Plan {
  readonly steps: readonly Step[];
  /** Files that are in the way: edited, or not ours. */
  readonly foreign: readonly string[];
}

export interface Files {
  readonly [path: string]: string;
}

export interface InstallWishes extends UnitWishes {
  /** The tree to install into; `/` is this machine. */
  readonly root: string;
  readonly force: boolean;
  /** What a first configuration looks like. */
  readonly example: string;
}

const UNIT_FOLDER = 'etc/systemd/system';
const USERS_FOLDER = 'etc/sysusers.d';
const CONFIG_FOLDER = 'etc/tep';
const CONFIG_MODE = 0o640;
const FOLDER_MODE = 0o755;
const PRIVATE_FOLDER_MODE = 0o750;
const UNIT_MODE = 0o644;

/** Unit files by their paths under the root. */
export function unitFiles(wishes: UnitWishes): Files {
  const { agent } = wishes;
  return {
    [`${UNIT_FOLDER}/tep-${agent}.service`]: stamped(serviceUnit(wishes)),
    ...(agent === 'server' ? { [`${UNIT_FOLDER}/tep-server.socket`]: stamped(socketUnit()) } : {}),
    [`${USERS_FOLDER}/tep.conf`]: stamped(userFile()),
  };
}

export function installPlan(wishes: InstallWishes): Plan {
  const { root, force, agent, example } = wishes;
  const files = Object.entries(unitFiles(wishes)).map(([name, text]) => [join(root, name), text]);
  const config = join(root, CONFIG_FOLDER, `${agent}.yaml`);
  const hasConfig = existsSync(config);
  const isHere = root === '/';
  const steps: Step[] = [
    ...[UNIT_FOLDER, USERS_FOLDER].map((name) => folder(join(root, name), FOLDER_MODE)),
    ...files.map(
      ([path = '', text = '']): Step => ({ type: 'write', path, text, mode: UNIT_MODE }),
    ),
    ...(isHere ? [run('systemd-sysusers', join(root, USERS_FOLDER, 'tep.conf'))] : []),
    folder(join(root, CONFIG_FOLDER), PRIVATE_FOLDER_MODE),
    hasConfig
      ? { type: 'keep', path: config, why: 'your configuration' }
      : { type: 'write', path: config, text: example, mode: CONFIG_MODE },
    ...(isHere ? owned(join(root, CONFIG_FOLDER), config, hasConfig) : []),
    ...(isHere ? [mayFail('systemctl', 'daemon-reload')] : []),
  ];
  const foreign = files.map(([path = '']) => path).filter((path) => !isReplaceable(path));
  return { steps, foreign: force ? [] : foreign };
}

export function uninstallPlan(agent: AgentName, root: string, force: boolean): Plan {
  const other = agent === 'client' ? 'server' : 'client';
  const isLast = !existsSync(join(root, UNIT_FOLDER, `tep-${other}.service`));
  const names = Object.keys(unitFiles({ agent, node: '', program: '', rings: false }))
    // The user is that of both agents.
    .filter((name) => isLast || !name.startsWith(USERS_FOLDER));
  const paths = names.map((name) => join(root, name)).filter((path) => existsSync(path));
  const units = names
    .filter((name) => name.startsWith(UNIT_FOLDER))
    .map((name) => name.split('/').pop() ?? '');
  const isHere = root === '/';
  const steps: Step[] = [
    ...(isHere ? [mayFail('systemctl', 'disable', '--now', ...units)] : []),
    ...paths.map((path): Step => ({ type: 'remove', path })),
    { type: 'keep', path: join(root, CONFIG_FOLDER), why: 'your configuration' },
    ...(isHere ? [mayFail('systemctl', 'daemon-reload')] : []),
  ];
  const foreign = paths.filter((path) => !isReplaceable(path));
  return { steps, foreign: force ? [] : foreign };
}

/** One line, as a person would type or say it. */
export function describe(step: Step): string {
  switch (step.type) {
    case 'folder':
      return `make folder ${step.path}`;
    case 'write':
      return `write ${step.path}`;
    case 'own':
      return `chgrp ${SERVICE_USER} ${step.path}`;
    case 'remove':
      return `remove ${step.path}`;
    case 'keep':
      return `keep ${step.path}: ${step.why}`;
    case 'run':
      return step.words.join(' ');
  }
}

/** The service reads its configuration by its group; a file that was there before keeps its owner. */
function owned(folderPath: string, config: string, hasConfig: boolean): Step[] {
  const paths = hasConfig ? [folderPath] : [folderPath, config];
  return paths.map((path) => ({ type: 'own', path }));
}

function isReplaceable(path: string): boolean {
  return !existsSync(path) || isOurs(readFileSync(path, 'utf8'));
}

function folder(path: string, mode: number): Step {
  return { type: 'folder', path, mode };
}

function run(...words: readonly string[]): Step {
  return { type: 'run', words, mayFail: false };
}

/** Where systemd is installed and does not run, as in an image that is being made. */
function mayFail(...words: readonly string[]): Step {
  return { type: 'run', words, mayFail: true };
}
