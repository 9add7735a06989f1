/**
 * Command line arguments by a table of options: the same table reads them, types them, refuses what
 * is wrong in one clear line and prints the help. A thin layer over `parseArgs` of node:util.
 */
import { parseArgs } from 'node:util';
import { suggestion } from '../config/nearest.ts';
import { UsageError } from './command.ts';

interface OptionBase {
  readonly meaning: string;
  readonly short?: string;
}
/** Given or not given. */
export interface FlagOption extends OptionBase {
  readonly kind: 'flag';
}
/** Any text; `value` is its name in the help. */
export interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly value: string;
  readonly default?: string;
}
/** A number from `min` to `max`, whole unless `fraction`. */
export interface NumberOption extends OptionBase {
  readonly kind: 'number';
  readonly value: string;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly fraction?: true;
  readonly default?: number;
}
/** One of a few words. */
export interface ChoiceOption extends OptionBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
}
/** Any text, as often as it is given: the values in their order. */
export interface ListOption extends OptionBase {
  readonly kind: 'list';
  readonly value: string;
}
export type Option = FlagOption | TextOption | NumberOption | ChoiceOption | ListOption;
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends FlagOption
  ? boolean
  : O extends ListOption
    ? readonly string[]
    : O extends NumberOption
      ? number | (O extends { default: number } ? never : undefined)
      : O extends ChoiceOption
        ? O['choices'][number] | (O extends { default: string } ? never : undefined)
        : string | (O extends { default: string } ? never : undefined);

export type Values<T extends Options> = { readonly [K in keyof T]: ValueOf<T[K]> };

export interface Arguments<T extends Options> {
  readonly values: Values<T>;
  readonly positionals: readonly string[];
}

/** How many arguments that are not options a command takes, and their name in messages. */
export interface Positionals {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** Reads arguments; throws `UsageError`. Without `wanted` only options are taken. */
export function parseArguments<const T extends Options>(
  args: readonly string[],
  options: T,
  wanted: Positionals = { name: 'argument', min: 0, max: 0 },
): Arguments<T> {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([n, o]) => [n, parseArgsEntry(o)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const lists: Record<string, string[]> = {};
  const values: Record<string, string | number | boolean | readonly string[] | undefined> = {};
  for (const [name, option] of Object.entries(options)) {
    if (option.kind === 'list') values[name] = lists[name] = [];
    else values[name] = option.kind === 'flag' ? false : option.default;
  }
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, Object.keys(options));
    const value = readValue(token.rawName, option, token.value, token.inlineValue === true);
    if (option.kind === 'list') lists[token.name]?.push(String(value));
    else values[token.name] = value;
  }
  checkPositionals(positionals, wanted);
  // Every option of the table was given a value of its own kind above.
  return { values: values as Values<T>, positionals };
}

export interface HelpParts {
  /** What comes after `tep `: `demo [options]`. */
  readonly usage: string;
  readonly about: string;
  readonly options: Options;
  /** Lines below the options, such as exit status or formats. */
  readonly notes?: string;
  /** Whole command lines with what they do. */
  readonly examples: ReadonlyArray<readonly [commandLine: string, does: string]>;
}

/** The text of `tep help <command>`: alike for all commands. */
export function helpText(parts: HelpParts): string {
  const rows = Object.entries(parts.options).map(([name, o]) => [optionHead(name, o), meaning(o)]);
  rows.push(['-h, --help', 'this text']);
  const examples = parts.examples.map(([line, does]) => `  ${line}\n      ${does}`);
  return [
    `Usage: tep ${parts.usage}`,
    parts.about.trim(),
    `Options:\n${table(rows)}`,
    ...(parts.notes === undefined ? [] : [parts.notes.trim()]),
    `Examples:\n${examples.join('\n')}\n`,
  ].join('\n\n');
}

/** Two columns, indented, the first as wide as its longest cell. */
export function table(rows: ReadonlyArray<readonly string[]>): string {
  const width = Math.max(0, ...rows.map(([left]) => left?.length ?? 0));
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

function parseArgsEntry(option: Option): { type: 'boolean' | 'string'; short?: string } {
  const type = option.kind === 'flag' ? 'boolean' : 'string';
  return option.short === undefined ? { type } : { type, short: option.short };
}

function readValue(raw: string, option: Option, value: string | undefined, inline: boolean) {
  if (option.kind === 'flag') {
    if (value !== undefined) throw new UsageError(`${raw} takes no value`);
    return true;
  }
  const missing = value === undefined || (!inline && /^-[^\d]/.test(value));
  if (missing) throw new UsageError(`${raw} needs a value: ${expectation(option)}`);
  if (option.kind === 'number') return readNumber(raw, option, value);
  if (option.kind === 'choice' && !option.choices.includes(value)) {
    const near = suggestion(value, option.choices);
    throw new UsageError(`${raw} ${value}: must be ${expectation(option)}${near}`);
  }
  return value;
}

function readNumber(raw: string, option: NumberOption, text: string): number {
  const right = option.fraction ? /^-?\d+(?:\.\d+)?$/ : /^-?\d+$/;
  const value = right.test(text) ? Number(text) : Number.NaN;
  if (value >= option.min && value <= option.max) return value;
  throw new UsageError(`${raw} ${text}: must be ${expectation(option)}`);
}

function expectation(option: Exclude<Option, FlagOption>): string {
  switch (option.kind) {
    case 'text':
    case 'list':
      return option.value;
    case 'choice':
      return option.choices.join(' or ');
    case 'number': {
      const number = option.fraction ? 'a number' : 'a whole number';
      const unit = option.unit === undefined ? '' : ` (${option.unit})`;
      return `${number} from ${option.min} to ${option.max}${unit}`;
    }
  }
}

function unknownOption(raw: string, names: readonly string[]): UsageError {
  const known = [...names, 'help'].map((name) => `--${name}`);
  return new UsageError(`unknown option ${raw}${suggestion(raw, known)}`);
}

function checkPositionals(given: readonly string[], wanted: Positionals): void {
  const extra = given[wanted.max];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`);
  if (given.length < wanted.min) throw new UsageError(`${wanted.name} missing`);
}

function optionHead(name: string, option: Option): string {
  const long = option.kind === 'flag' ? `--${name}` : `--${name} ${valueName(option)}`;
  return option.short === undefined ? `    ${long}` : `-${option.short}, ${long}`;
}

function valueName(option: Exclude<Option, FlagOption>): string {
  return option.kind === 'choice' ? option.choices.join('|') : option.value;
}

function meaning(option: Option): string {
  const range = option.kind === 'number' ? `${option.min} to ${option.max}` : '';
  const unit = option.kind === 'number' && option.unit !== undefined ? ` ${option.unit}` : '';
  const value = 'default' in option ? (option.default ?? '') : '';
  const fallback = value === '' ? '' : `default ${value}`;
  const often = option.kind === 'list' ? 'may be given several times' : '';
  const more = [range === '' ? '' : range + unit, fallback, often].filter((part) => part !== '');
  return more.length === 0 ? option.meaning : `${option.meaning} (${more.join(', ')})`;
}
