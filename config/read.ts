/**
 * Reads a configuration: command line before environment before file before default. Everything that is
 * wrong is told at once, each with the place where it was written.
 */
import { basename, dirname, resolve } from 'node:path';
import { type Environment, readEnvironment } from './environment.ts';
import { load, readSecretFile } from './file-kinds.ts';
import { type Flags, type OwnOptions, readFlags } from './flags.ts';
import { defaultTexts, type Key, type Keys, type Place, type Values } from './key.ts';
import { nearest } from './nearest.ts';
import { hasError, inOrder, type Problem } from './problem.ts';
import { RANK, type Written } from './written.ts';
import { readYaml } from './yaml.ts';

const MAX_CONFIG_LEN = 1024 * 1024;

export interface Sources {
  readonly args: readonly string[];
  readonly env: Environment;
  /** Relative names on the command line and in the environment begin here. */
  readonly folder: string;
  /** Where the file is, unless `--config` says so. It need not be there then. */
  readonly defaultFile: string;
}

/** Checks keys against each other; tells what is wrong through `tell`. */
export type CrossCheck<V> = (
  values: V,
  tell: (key: string, text: string, severity?: Problem['severity']) => void,
) => void;

export interface Reading<T extends Keys> {
  /** Absent when something is wrong. */
  readonly settings?: Values<T>;
  readonly problems: readonly Problem[];
  /** By key, what was written; keys not in it have their default. */
  readonly written: ReadonlyMap<string, Written>;
  /** The file that was read. */
  readonly file?: string;
}

/** Options that both agents have besides their keys. */
const OWN_OPTIONS = { config: 'value', check: 'flag', json: 'flag' } as const;

export function readSettings<T extends Keys>(
  keys: T,
  check: CrossCheck<Values<T>>,
  sources: Sources,
): Reading<T> & { readonly own: Flags<typeof OWN_OPTIONS>['own'] } {
  const flags = readFlags(sources.args, keys, OWN_OPTIONS, sources.folder);
  const environment = readEnvironment(sources.env, keys, sources.folder);
  const file = readFile(keys, flags.own.config, sources);
  const written = byRank([...file.written, ...environment.written, ...flags.written]);
  const problems = [...flags.problems, ...environment.problems, ...file.problems];
  const values = readValues(keys, written, sources.folder, problems);
  if (!hasError(problems)) {
    check(values as Values<T>, (name, text, severity = 'error') => {
      problems.push({ severity, ...whereOf(written.get(name)), text: `${name}: ${text}` });
    });
    // What is missing may be all that it would say.
    if (hasError(problems) && file.path === undefined) {
      problems.unshift({ severity: 'error', where: sources.defaultFile, text: 'does not exist' });
    }
  }
  return {
    own: flags.own,
    problems: inOrder(problems),
    written,
    ...(file.path === undefined ? {} : { file: file.path }),
    // Every key of the table was given a value of its own kind.
    ...(hasError(problems) ? {} : { settings: values as Values<T> }),
  };
}

/** Which keys a file gives, as far as it can be understood. */
interface FromFile {
  readonly path?: string;
  readonly written: readonly Written[];
  readonly problems: readonly Problem[];
}

function readFile<O extends OwnOptions>(
  keys: Keys,
  asked: Flags<O>['own'][string],
  { folder, defaultFile }: Sources,
): FromFile {
  const path = resolve(folder, asked ?? defaultFile);
  const warnings: Problem[] = [];
  const warn = (text: string) => warnings.push({ severity: 'warning', text });
  const read = load(path, { folder, warn }, MAX_CONFIG_LEN, true);
  if ('wrong' in read) {
    if (asked === undefined && read.wrong === 'does not exist')
      return { written: [], problems: [] };
    const problem: Problem = { severity: 'error', where: path, text: read.wrong };
    return { path, written: [], problems: [problem] };
  }
  const content = fromText(keys, path, read.value.octets.toString('utf8'));
  // Only a file with a password in it must not be for everyone.
  const holdsSecret = content.written.some(({ name }) => keys[name]?.kind.isSecret);
  const problems = [...content.problems, ...(holdsSecret ? warnings : [])];
  return { path, written: content.written, problems };
}

function fromText(keys: Keys, path: string, text: string): FromFile {
  const { entries, faults } = readYaml(text);
  const name = basename(path);
  const problems: Problem[] = faults.map((fault) => ({
    severity: 'error',
    where: `${name}:${fault.line}`,
    line: fault.line,
    text: fault.text,
  }));
  const seen = new Map<string, number>();
  const written: Written[] = [];
  for (const { name: key, line, texts, isList } of entries) {
    const where = `${name}:${line}`;
    const before = seen.get(key);
    const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
    const wrong = (wrongText: string) =>
      problems.push({ severity: 'error', where, line, text: wrongText });
    if (known === undefined) wrong(unknownKey(key, Object.keys(keys)));
    else if (before !== undefined) wrong(`"${key}" stands in line ${before} already`);
    else if (isList && !known.isList) wrong(`"${key}" takes one value, not a list`);
    else written.push({ name: key, texts, where, line, rank: RANK.FILE, folder: dirname(path) });
    seen.set(key, line);
  }
  return { written, problems };
}

function byRank(all: readonly Written[]): Map<string, Written> {
  const found = new Map<string, Written>();
  for (const written of all) {
    const before = found.get(written.name);
    if (before === undefined || written.rank >= before.rank) found.set(written.name, written);
  }
  return found;
}

function readValues(
  keys: Keys,
  written: ReadonlyMap<string, Written>,
  folder: string,
  problems: Problem[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(keys)) {
    const place = placeOf(written.get(name), folder, problems);
    const read = readValue(name, key, written, place, problems);
    if ('value' in read) values[name] = read.value;
    else {
      const from = sourceOf(name, key, written);
      const text = shownText(name, key, written.get(name), read.wrong);
      problems.push({ severity: 'error', ...whereOf(from), text });
    }
  }
  return values;
}

/** A secret may stand in a file of its own: of two places the higher rank holds. */
function readValue(
  name: string,
  key: Key<unknown>,
  written: ReadonlyMap<string, Written>,
  place: Place,
  problems: Problem[],
) {
  const own = written.get(name);
  const source = sourceOf(name, key, written);
  if (source === own) return key.read(own?.texts ?? defaultTexts(key), place);
  if (source?.rank === own?.rank) {
    return { wrong: `give either "${name}" or "${key.orFile}", not both` };
  }
  const { folder = place.folder, texts: [fileName = ''] = [] } = source ?? {};
  const read = readSecretFile(fileName, placeOf(source, place.folder, problems));
  return 'value' in read ? read : { wrong: `${resolve(folder, fileName)} ${read.wrong}` };
}

/** What was written for a key: itself, or the name of its file. */
function sourceOf(
  name: string,
  { orFile }: Key<unknown>,
  written: ReadonlyMap<string, Written>,
): Written | undefined {
  const own = written.get(name);
  const other = orFile === undefined ? undefined : written.get(orFile);
  return own !== undefined && (other === undefined || own.rank > other.rank) ? own : other;
}

function placeOf(from: Written | undefined, folder: string, problems: Problem[]): Place {
  const warn = (text: string) => problems.push({ severity: 'warning', ...whereOf(from), text });
  return { folder: from?.folder ?? folder, warn };
}

function shownText(name: string, key: Key<unknown>, from: Written | undefined, wrong: string) {
  const [text] = from?.texts ?? [];
  const isHidden = key.kind.isSecret || key.kind.isNeverQuoted;
  const shown = text === undefined || isHidden || key.isList ? '' : ` "${text}"`;
  return `${name}${shown}${shown === '' ? ':' : ''} ${wrong}`;
}

function whereOf(from: Written | undefined): Pick<Problem, 'where' | 'line'> {
  if (from === undefined) return {};
  return { where: from.where, ...(from.line === undefined ? {} : { line: from.line }) };
}

/** `certificate` is meant for `tls.certificate`. */
function unknownKey(written: string, names: readonly string[]): string {
  const inside = names.find((name) => name.endsWith(`.${written}`));
  const near = inside ?? nearest(written, names);
  return `unknown key "${written}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}
