/** Kinds of values that any program has: text, numbers, durations, yes or no, one of a few words. */
import type { Kind, Read } from './key.ts';
import { suggestion } from './nearest.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
/** 1.005k is 1,005 although no number of the machine is 1.005. */
const ROUNDING = 1e-6;
const YES = ['true', 'yes', 'on'];
const NO = ['false', 'no', 'off'];

export function text(placeholder: string): Kind<string> {
  const expects = 'a text that is not empty';
  return {
    placeholder,
    expects,
    read: (given) => (given === '' ? { wrong: `must be ${expects}` } : { value: given }),
  };
}

/** A whole number. */
export function number(min: number, max: number): Kind<number> {
  const expects = `a whole number from ${min} to ${max}`;
  return {
    placeholder: 'N',
    expects,
    read(given) {
      const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
      return within(value, min, max, expects);
    },
  };
}

/** A whole number, in hexadecimal digits too. */
export function hexadecimal(min: number, max: number): Kind<number> {
  const expects = `a number from ${min} to ${max}, such as 0x10`;
  return {
    placeholder: 'N',
    expects,
    read(given) {
      const value = /^(?:\d+|0x[0-9a-f]+)$/i.test(given) ? Number(given) : Number.NaN;
      return within(value, min, max, expects);
    },
  };
}

/** A number that may be large: `64k`, `2M` for 64,000 and 2,000,000. */
export function amount(min: number, max: number): Kind<number> {
  const expects = `a number from ${min} to ${max}, k, M or G behind it for thousands, millions, …`;
  return {
    placeholder: 'N',
    expects,
    read(given) {
      const [, digits, multiple = ''] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(given) ?? [];
      const value = digits === undefined ? Number.NaN : Number(digits) * (MULTIPLES[multiple] ?? 1);
      const whole = Math.round(value);
      return within(Math.abs(value - whole) < ROUNDING ? whole : Number.NaN, min, max, expects);
    },
  };
}

/** In milliseconds; always written with its unit. */
export function duration(min: string, max: string): Kind<number> {
  const expects = `a duration from ${min} to ${max} with its unit: 500ms, 10s, 2m, 1h`;
  return {
    placeholder: 'TIME',
    expects,
    read: (given) => within(milliseconds(given), milliseconds(min), milliseconds(max), expects),
  };
}

export const flag: Kind<boolean> = {
  placeholder: 'true|false',
  expects: 'true or false',
  isFlag: true,
  read(given) {
    const word = given.toLowerCase();
    if (YES.includes(word)) return { value: true };
    return NO.includes(word) ? { value: false } : { wrong: 'must be true or false' };
  },
};

export function choice<const T extends string>(...words: readonly T[]): Kind<T> {
  const expects = listed(words);
  return {
    placeholder: words.join('|'),
    expects,
    read(given) {
      const value = words.find((word) => word === given);
      if (value !== undefined) return { value };
      return { wrong: `must be ${expects}${suggestion(given, words)}` };
    },
  };
}

function milliseconds(given: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(given) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * (UNITS_MS[unit] ?? Number.NaN);
}

function within(value: number, min: number, max: number, expects: string): Read<number> {
  return value >= min && value <= max ? { value } : { wrong: `must be ${expects}` };
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')}${words.length > 1 ? ' or ' : ''}${words.at(-1) ?? ''}`;
}
