/** The session descriptions of test/vectors/sdp and the small words that tests on them use. */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import type { SdpProblem } from '../../sdp/lines.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';

const FOLDER = new URL('../../../test/vectors/sdp/', import.meta.url);

export const NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sdp'))
  .map((name) => name.slice(0, -'.sdp'.length));

/** In the middle of a larger buffer of 0xa5, so that a read or write outside is seen. */
export function vector(name: string): Uint8Array {
  return poisoned(readFileSync(new URL(`${name}.sdp`, FOLDER)));
}

export function poisoned(octets: Uint8Array): Uint8Array {
  const around = new Uint8Array(octets.length + 64).fill(0xa5);
  around.set(octets, 32);
  return around.subarray(32, 32 + octets.length);
}

export function at(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new RangeError(text);
  return endpoint;
}

/** `10.0.0.2:4000=192.0.2.1:5000` for each. */
export function map(...pairs: readonly string[]) {
  return pairs.map((pair) => {
    const [local = '', to = ''] = pair.split('=');
    return { local: at(local), public: at(to) };
  });
}

/** One character per octet. */
export function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}

export function linesOf(octets: Uint8Array): string[] {
  return latin1(octets).split(/\r\n|\r|\n/);
}

/** Lines that only one of the two has: `-` before, `+` after. */
export function difference(before: Uint8Array, after: Uint8Array): string[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  const out: string[] = [];
  const rest = [...b];
  for (const line of a) {
    const found = rest.indexOf(line);
    if (found === -1) out.push(`-${line}`);
    else rest.splice(found, 1);
  }
  return [...out, ...rest.map((line) => `+${line}`)];
}

/** The value, or a throw that shows the problem. */
export function good<T>(value: T | SdpProblem): Exclude<T, SdpProblem> {
  if (isProblem(value)) throw new Error(`line ${value.line}: ${value.reason}`);
  return value as Exclude<T, SdpProblem>;
}

export function isProblem(value: unknown): value is SdpProblem {
  return typeof value === 'object' && value !== null && 'code' in value && 'reason' in value;
}
