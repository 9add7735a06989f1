/**
 * A key of a configuration, from which everything about it follows: how it is written in the file, on
 * the command line (`--a-b-c` for `a.b-c`) and in the environment (`TEP_A_B_C`), the type of its value,
 * its line in the help, and whether a running agent takes a change of it.
 */

/** What a text means, or why it means nothing. */
export type Read<T> = { readonly value: T } | { readonly wrong: string };

/** Where a text was written, as far as its meaning depends on it. */
export interface Place {
  /** Relative names of files begin here. */
  readonly folder: string;
  /** Something that works, but should not stay so. */
  readonly warn: (text: string) => void;
}

/** How one value is written. The text is never repeated in messages when it `isSecret`. */
export interface Kind<T> {
  /** Stands for the value in the help: `HOST:PORT`. */
  readonly placeholder: string;
  /** Completes "must be …". */
  readonly expects: string;
  /** On the command line the name alone says yes, `--no-…` says no. */
  readonly isFlag?: true;
  /** Never on the command line, where every user of the machine can read it; never shown. */
  readonly isSecret?: true;
  /** A wrong one may hold what is secret, so that no message repeats it. */
  readonly isNeverQuoted?: true;
  read(text: string, place: Place): Read<T>;
}

export interface Row {
  /** One sentence without a full stop. */
  readonly meaning: string;
  /** As it would be written in the file. */
  readonly default?: string | readonly string[];
  readonly example?: string;
  /** `live`: a reload applies it to a running agent. */
  readonly reload: 'live' | 'restart';
  /** The key that names a file which holds the value instead. */
  readonly orFile?: string;
  /** Between several values in one environment variable; a comma where absent. */
  readonly separator?: string;
}

export interface Key<V> extends Row {
  /** Keys of one group stand together in help and documentation. */
  readonly group?: string;
  readonly kind: Kind<unknown>;
  readonly isList: boolean;
  /** The value of what was written, or of the default; no text at all where there is neither. */
  read(texts: readonly string[], place: Place): Read<V>;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;

/** The values of all keys, by their names: durations in milliseconds, sizes in octets. */
export type Values<T extends Keys> = {
  readonly [K in keyof T]: T[K] extends Key<infer V> ? V : never;
};

/** A key that always has a value. */
export function one<T>(kind: Kind<T>, row: Row & { readonly default: string }): Key<T> {
  const read: Key<T>['read'] = ([text = row.default], place) => kind.read(text, place);
  return { ...row, kind, isList: false, read };
}

/** A key that need not be given. */
export function optional<T>(kind: Kind<T>, row: Row): Key<T | undefined> {
  const read: Key<T | undefined>['read'] = ([text], place) =>
    text === undefined ? { value: undefined } : kind.read(text, place);
  return { ...row, kind, isList: false, read };
}

/** A key with any number of values, in the order in which they are written. */
export function list<T>(kind: Kind<T>, row: Row): Key<readonly T[]> {
  return { ...row, kind, isList: true, read: (texts, place) => readAll(kind, texts, place) };
}

export function group<T extends Keys>(title: string, keys: T): T {
  const entries = Object.entries(keys).map(([name, key]) => [name, { ...key, group: title }]);
  // The same keys, each with one field more.
  return Object.fromEntries(entries) as T;
}

export function flagName(key: string): string {
  return `--${key.replaceAll('.', '-')}`;
}

export function variableName(key: string): string {
  return `TEP_${key.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

export function defaultTexts({ default: texts }: Row): readonly string[] {
  if (texts === undefined) return [];
  return typeof texts === 'string' ? [texts] : texts;
}

function readAll<T>(kind: Kind<T>, texts: readonly string[], place: Place): Read<readonly T[]> {
  const values: T[] = [];
  for (const text of texts) {
    const read = kind.read(text, place);
    if ('wrong' in read) return { wrong: kind.isSecret ? read.wrong : `"${text}" ${read.wrong}` };
    values.push(read.value);
  }
  return { value: values };
}
