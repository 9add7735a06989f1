/** The settings of an agent as text: for `--help`, for `docs/configuration.md`, for `--check`. */
import { defaultTexts, flagName, type Key, type Keys, variableName } from './key.ts';
import { HIDDEN } from './secret.ts';
import type { Written } from './written.ts';

const WIDTH = 96;
const INDENT = '      ';
/** Of plain YAML text that means itself: nothing that begins or ends another thing. */
const PLAIN = /^(?!-)[\w/.+=-](?:[\w/.+=@:-]*[\w/.+=@-])?$/;

/** Every setting with its meaning, by groups. */
export function settingsHelp(keys: Keys): string {
  return groups(keys)
    .map(([title, entries]) => `${title}:\n${entries.map(entryHelp).join('\n')}`)
    .join('\n\n');
}

/** What shows how settings are written: a key with a dot and a value, and one that is yes or no. */
export interface WritingSample {
  readonly key: string;
  readonly value: string;
  readonly flag: string;
}

/** How file, command line and environment say the same. */
export function writingHelp({ key, value, flag }: WritingSample): string {
  const yes = flagName(flag);
  return wrap(
    `A setting stands in the file (${key}: ${value}), on the command line ` +
      `(${flagName(key)} ${value}) or in the environment (${variableName(key)}=${value}); ` +
      'the command line is stronger than the environment, the environment than the file. Settings ' +
      'with several values are lists in the file, given again and again on the command line, and ' +
      `separated by commas in the environment. Yes and no: ${yes}, ${yes.replace('--', '--no-')}. ` +
      'Secrets are never given on the command line. SIGHUP reads the file again; what is marked (restart) ' +
      'changes only with the next start.',
    '',
  );
}

/** A page of tables, in the form of `docs/configuration.md`. */
export function settingsTables(keys: Keys): string {
  return groups(keys)
    .map(([title, entries]) => {
      const rows = entries.map(([name, key]) => {
        const cells = [
          `\`${name}\``,
          `\`${key.kind.placeholder}\``,
          defaultCell(key),
          meaning(key),
        ];
        return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
      });
      const head = '| setting | value | default | meaning |\n|---|---|---|---|';
      return `### ${title}\n\n${head}\n${rows.join('\n')}`;
    })
    .join('\n\n');
}

/** Every setting as it holds, in YAML, with where it was written. */
export function effectiveSettings(keys: Keys, written: ReadonlyMap<string, Written>): string {
  const rows = shownSettings(keys, written).map(({ name, texts, from, isList }) => {
    const value = isList ? `[${texts.map(yamlText).join(', ')}]` : texts.map(yamlText).join('');
    return [texts.length === 0 ? `# ${name}:` : `${name}: ${value}`, from] as const;
  });
  const width = Math.min(48, Math.max(...rows.map(([text]) => text.length)));
  return rows.map(([text, from]) => `${text.padEnd(width)}  # ${from}`).join('\n');
}

export interface ShownSetting {
  readonly name: string;
  readonly texts: readonly string[];
  readonly from: string;
  readonly isList: boolean;
}

/** The texts of all settings, secrets hidden. */
export function shownSettings(
  keys: Keys,
  written: ReadonlyMap<string, Written>,
): readonly ShownSetting[] {
  return Object.entries(keys).map(([name, key]) => {
    const found = written.get(name);
    const other = key.orFile === undefined ? undefined : written.get(key.orFile);
    const isElsewhere = other !== undefined && (found === undefined || other.rank > found.rank);
    const source = isElsewhere ? other : found;
    const given = source?.texts ?? defaultTexts(key);
    const texts = key.kind.isSecret ? given.map(() => HIDDEN) : given;
    const none = texts.length === 0 ? 'not set' : 'default';
    return { name, texts, from: source?.where ?? none, isList: key.isList };
  });
}

function groups(keys: Keys): ReadonlyArray<readonly [string, Array<[string, Key<unknown>]>]> {
  const found = new Map<string, Array<[string, Key<unknown>]>>();
  for (const entry of Object.entries(keys)) {
    const title = entry[1].group ?? '';
    found.set(title, [...(found.get(title) ?? []), entry]);
  }
  return [...found];
}

function entryHelp([name, key]: [string, Key<unknown>]): string {
  const fallback = defaultTexts(key);
  const notes = [
    ...(key.isList ? ['several'] : []),
    ...(fallback.length > 0 ? [`default ${fallback.join(', ')}`] : []),
    ...(key.reload === 'restart' ? ['restart'] : []),
  ];
  const note = notes.length === 0 ? '' : `  (${notes.join(', ')})`;
  const example = key.example === undefined ? '' : `\n${INDENT}example: ${yamlText(key.example)}`;
  return `  ${name}: ${key.kind.placeholder}${note}\n${wrap(key.meaning, INDENT)}${example}`;
}

function meaning(key: Key<unknown>): string {
  const parts = [
    key.meaning,
    ...(key.isList ? ['several values'] : []),
    ...(key.example === undefined ? [] : [`example \`${key.example}\``]),
    ...(key.reload === 'restart' ? ['a change needs a restart'] : []),
  ];
  return parts.join('; ');
}

function defaultCell(key: Key<unknown>): string {
  return defaultTexts(key)
    .map((text) => `\`${text}\``)
    .join(', ');
}

function yamlText(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

export function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}
