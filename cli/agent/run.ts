/** `tep client` and `tep server`: from the command line to a running service, or to what is wrong. */
import { fstatSync } from 'node:fs';
import { changes } from '../../config/changes.ts';
import { effectiveSettings, shownSettings } from '../../config/help.ts';
import type { Keys, Values } from '../../config/key.ts';
import { formatProblem, type Problem } from '../../config/problem.ts';
import { type Reading, readSettings, type Sources } from '../../config/read.ts';
import { statusPath } from '../../config/status-path.ts';
import { isJournal } from '../../io/systemd.ts';
import { type Level, type Log, Logger } from '../../ops/log.ts';
import { EXIT, type World } from '../command.ts';
import { complain } from '../complain.ts';
import type { AgentKind } from './kind.ts';
import { type Reread, Service } from './service.ts';

const STDERR = 2;

/** Keys that every agent has: see shared-keys.ts. */
interface OperationSettings {
  readonly status: string;
  readonly 'log.level': Level;
  readonly 'log.format': 'text' | 'json';
}

export async function runAgent<T extends Keys>(
  kind: AgentKind<T>,
  args: readonly string[],
  world: World,
): Promise<number> {
  const sources: Sources = {
    args,
    env: world.env,
    folder: world.process.folder,
    defaultFile: kind.defaultFile,
  };
  const reading = readSettings(kind.keys, kind.check, sources);
  if (reading.own.check) return tellSettings(kind, reading, reading.own.json === 'true', world);
  if (reading.settings === undefined) {
    for (const problem of reading.problems) complain(world, formatProblem(problem));
    return EXIT.USAGE;
  }
  return serve(kind, reading.settings, reading.problems, sources, world);
}

/** `--check`: what holds, and whether it may. */
function tellSettings<T extends Keys>(
  kind: AgentKind<T>,
  { settings, problems, written, file }: Reading<T>,
  isJson: boolean,
  world: World,
): number {
  const ok = settings !== undefined;
  if (isJson) {
    const rows = shownSettings(kind.keys, written).map(({ name, texts, from, isList }) => {
      return [name, { value: isList ? texts : (texts[0] ?? null), from }];
    });
    // What could not be understood may hold a secret in the wrong place.
    const answer = { ok, file, problems, ...(ok ? { settings: Object.fromEntries(rows) } : {}) };
    world.stdout.write(`${JSON.stringify(answer)}\n`);
    return ok ? EXIT.SUCCESS : EXIT.USAGE;
  }
  for (const problem of problems) complain(world, formatProblem(problem));
  if (ok) world.stdout.write(`${effectiveSettings(kind.keys, written)}\n`);
  return ok ? EXIT.SUCCESS : EXIT.USAGE;
}

async function serve<T extends Keys>(
  kind: AgentKind<T>,
  settings: Values<T>,
  problems: readonly Problem[],
  sources: Sources,
  world: World,
): Promise<number> {
  const operation = operationOf(settings);
  // Calls matter more than the log: a full disk, or a reader that went away, ends none.
  world.stderr.on('error', () => {});
  const log = new Logger({
    write: (line) => world.stderr.write(line),
    level: operation['log.level'],
    format: operation['log.format'],
    journal: isJournal(world.env, fstatSync(STDERR)),
    clock: Date.now,
  });
  warn(log, problems);
  const service = new Service({
    kind,
    settings,
    statusPath: statusPath(operation.status, kind.name, world.env, world.process.uid),
    log,
    world,
    reread: (before) => reread(kind, sources, before, log),
  });
  const fault = await service.run();
  if (fault !== undefined) log.error(`${kind.name} ends`, { why: fault.text });
  log.flush();
  return fault === undefined ? EXIT.SUCCESS : EXIT.FAILED;
}

function reread<T extends Keys>(
  kind: AgentKind<T>,
  sources: Sources,
  before: Values<T>,
  log: Logger,
): Reread<T> | undefined {
  const reading = readSettings(kind.keys, kind.check, sources);
  warn(log, reading.problems);
  if (reading.settings === undefined) {
    log.error('configuration is wrong, the old one stays');
    return undefined;
  }
  const { settings, applied, needRestart } = changes(kind.keys, before, reading.settings);
  const taken = () => {
    log.info('configuration read again', { applied: applied.join(',') || 'nothing new' });
    if (needRestart.length > 0) {
      log.warn('changed settings that need a restart', { settings: needRestart.join(',') });
    }
    log.setLevel(operationOf(settings)['log.level']);
  };
  return { settings, taken };
}

function warn(log: Log, problems: readonly Problem[]): void {
  for (const { severity, where, text } of problems) {
    const fields = { ...(where === undefined ? {} : { where }), what: text };
    if (severity === 'error') log.error('configuration', fields);
    else log.warn('configuration', fields);
  }
}

function operationOf(settings: Values<Keys>): OperationSettings {
  // Both tables are made with `operationKeys`.
  return settings as unknown as OperationSettings;
}
