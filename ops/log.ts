/**
 * Lines about what happens, on standard error: logfmt for people, JSON for machines, with the priority of
 * syslog in front where the journal of systemd reads them. A line is a constant text and fields:
 *
 *     log.info('tunnel opened', { server: 'tls://tep.example', resumed: false });
 *     // 2026-11-25T19:10:41.123Z info  tunnel opened server=tls://tep.example resumed=false
 *
 * Fields are words, numbers and yes or no; objects, which may hold a secret, cannot be logged. Lines of
 * the same text that come too fast are counted instead (repeats.ts): whoever floods the network must not
 * fill the disk.
 */
import { oneLine } from './one-line.ts';
import { Repeats } from './repeats.ts';

export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  error(text: string, fields?: Fields): void;
  warn(text: string, fields?: Fields): void;
  info(text: string, fields?: Fields): void;
  debug(text: string, fields?: Fields): void;
}

export interface LogOptions {
  readonly write: (line: string) => void;
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** The journal adds the time itself and takes the priority from `<N>` (sd-daemon(3)). */
  readonly journal: boolean;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** syslog(3). */
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
const LEVEL_LEN = 5;
/** Longer values, such as the error page of a proxy, are cut. */
const MAX_VALUE_LEN = 1_000;
const NEEDS_QUOTES = /[\s"=\\]|^$/;

/** For whoever does not want to hear anything. */
export const SILENT: Log = { error() {}, warn() {}, info() {}, debug() {} };

export class Logger implements Log {
  readonly #options: LogOptions;
  readonly #repeats = new Repeats();
  #level: number;
  #summary: NodeJS.Timeout | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#level = LEVELS.indexOf(options.level);
  }

  setLevel(level: Level): void {
    this.#level = LEVELS.indexOf(level);
  }

  error(text: string, fields?: Fields): void {
    this.#log('error', text, fields);
  }

  warn(text: string, fields?: Fields): void {
    this.#log('warn', text, fields);
  }

  info(text: string, fields?: Fields): void {
    this.#log('info', text, fields);
  }

  debug(text: string, fields?: Fields): void {
    this.#log('debug', text, fields);
  }

  /** Tells at once how many lines were not written so far: for the end. */
  flush(): void {
    clearTimeout(this.#summary);
    this.#summary = undefined;
    for (const { text, missed } of this.#repeats.end()) {
      this.#write('warn', 'lines not shown, they came too fast', { line: text, count: missed });
    }
  }

  #log(level: Level, text: string, fields: Fields = {}): void {
    if (LEVELS.indexOf(level) > this.#level) return;
    if (this.#repeats.allow(text, this.#options.clock())) this.#write(level, text, fields);
    else this.#summary ??= setTimeout(() => this.flush(), Repeats.WINDOW_MS).unref();
  }

  #write(level: Level, text: string, fields: Fields): void {
    const { write, format, journal, clock } = this.#options;
    const prefix = journal ? `<${PRIORITY[level]}>` : '';
    const time = new Date(clock()).toISOString();
    const line =
      format === 'json'
        ? JSON.stringify({ time, level, text, ...cut(fields) })
        : `${journal ? '' : `${time} ${level.padEnd(LEVEL_LEN)} `}${oneLine(text)}${logfmt(fields)}`;
    write(`${prefix}${line}\n`);
  }
}

function logfmt(fields: Fields): string {
  return Object.entries(cut(fields))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${quoted(String(value))}`)
    .join('');
}

function cut(fields: Fields): Fields {
  const isLong = (value: Fields[string]) =>
    typeof value === 'string' && value.length > MAX_VALUE_LEN;
  if (!Object.values(fields).some(isLong)) return fields;
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, v]) => [name, isLong(v) ? `${String(v).slice(0, MAX_VALUE_LEN)}…` : v]),
  );
}

function quoted(value: string): string {
  const text = oneLine(value);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text;
}
