/** Keys on the command line: `--tls-ca FILE`, `--servers a --servers b`, `--stun-udp`, `--no-stun-udp`. */
import { parseArgs } from 'node:util';
import { flagName, type Key, type Keys } from './key.ts';
import { suggestion } from './nearest.ts';
import type { Problem } from './problem.ts';
import { RANK, type Written } from './written.ts';

/** Options of the command itself: whether each takes a value. */
export type OwnOptions = Readonly<Record<string, 'flag' | 'value'>>;

export interface Flags<T extends OwnOptions> {
  readonly written: readonly Written[];
  /** Of an option that takes no value, `true`. */
  readonly own: { readonly [K in keyof T]?: string };
  readonly problems: readonly Problem[];
}

export function readFlags<const T extends OwnOptions>(
  args: readonly string[],
  keys: Keys,
  own: T,
  folder: string,
): Flags<T> {
  const reader = new FlagReader(keys, own, folder);
  for (const token of tokensOf(args, keys, own)) reader.take(token);
  return {
    written: [...reader.written.values()],
    // Only names of `own` were put there.
    own: Object.fromEntries(reader.own) as Flags<T>['own'],
    problems: reader.problems,
  };
}

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

class FlagReader {
  readonly written = new Map<string, Written>();
  readonly own = new Map<string, string>();
  readonly problems: Problem[] = [];
  readonly #keys: ReadonlyMap<string, readonly [string, Key<unknown>]>;
  readonly #own: OwnOptions;
  readonly #folder: string;
  /** One slip is told once: not again for what stands behind it. */
  #afterUnknown = false;

  constructor(keys: Keys, own: OwnOptions, folder: string) {
    this.#keys = new Map(Object.entries(keys).map((entry) => [bare(entry[0]), entry]));
    this.#own = own;
    this.#folder = folder;
  }

  take({ kind, name = '', rawName = '', value, inlineValue }: Token): void {
    const mayBeItsValue = this.#afterUnknown;
    this.#afterUnknown = false;
    if (kind === 'positional' && !mayBeItsValue) this.#fault(`unexpected argument ${value}`);
    if (kind !== 'option') return;
    const missing = value === undefined || (!inlineValue && /^-[^\d]/.test(value));
    const own = Object.hasOwn(this.#own, name) ? this.#own[name] : undefined;
    if (own === undefined) this.#key(name, rawName, missing ? undefined : value);
    else if (own === 'flag' && value !== undefined) this.#fault(`${rawName} takes no value`);
    else if (own === 'flag') this.own.set(name, 'true');
    else if (missing) this.#fault(`${rawName} needs a value`);
    else this.own.set(name, value);
  }

  #key(name: string, rawName: string, value: string | undefined): void {
    const [plain, negated] = this.#find(name);
    if (plain === undefined) {
      this.#unknown(name, rawName);
      return;
    }
    const [keyName, key] = plain;
    const text = key.kind.isFlag ? (value ?? String(!negated)) : value;
    if (key.kind.isSecret) this.#secret(keyName, key, rawName);
    else if (text === undefined) this.#fault(`${rawName} needs a value: ${key.kind.expects}`);
    else this.#write(keyName, key, text);
  }

  #write(keyName: string, key: Key<unknown>, text: string): void {
    const before = key.isList ? (this.written.get(keyName)?.texts ?? []) : [];
    this.written.set(keyName, {
      name: keyName,
      texts: [...before, text],
      where: flagName(keyName),
      rank: RANK.FLAG,
      folder: this.#folder,
    });
  }

  /** The key of an option, and whether it was said with `no-`. */
  #find(name: string): [(readonly [string, Key<unknown>])?, boolean?] {
    const plain = this.#keys.get(name);
    if (plain !== undefined) return [plain, false];
    const opposite = name.startsWith('no-') ? this.#keys.get(name.slice(3)) : undefined;
    return opposite?.[1].kind.isFlag ? [opposite, true] : [];
  }

  #secret(name: string, { orFile }: Key<unknown>, rawName: string): void {
    const file = orFile === undefined ? '' : ` or ${flagName(orFile)} FILE`;
    this.#fault(
      `${rawName} is a secret, which every user of this machine could read on a command line: ` +
        `use "${name}" in the file${file}`,
    );
  }

  #unknown(name: string, rawName: string): void {
    const names = [...this.#keys.keys(), ...Object.keys(this.#own), 'help'];
    const near = suggestion(name, names).replace('mean ', 'mean --');
    this.#fault(`unknown option ${rawName}${near}`);
    this.#afterUnknown = true;
  }

  #fault(text: string): void {
    this.problems.push({ severity: 'error', text });
  }
}

function tokensOf(args: readonly string[], keys: Keys, own: OwnOptions): readonly Token[] {
  const options: Record<string, { type: 'boolean' | 'string' }> = {};
  for (const [name, key] of Object.entries(keys)) {
    options[bare(name)] = { type: key.kind.isFlag ? 'boolean' : 'string' };
    if (key.kind.isFlag) options[`no-${bare(name)}`] = { type: 'boolean' };
  }
  for (const [name, kind] of Object.entries(own)) {
    options[name] = { type: kind === 'flag' ? 'boolean' : 'string' };
  }
  const settings = { args: [...args], options, strict: false, allowPositionals: true } as const;
  return parseArgs({ ...settings, tokens: true }).tokens;
}

function bare(key: string): string {
  return key.replaceAll('.', '-');
}
