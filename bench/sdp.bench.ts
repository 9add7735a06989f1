/** Public addresses into a whole description: once per offer and answer of a call. */
import { readFileSync } from 'node:fs';
import { apply } from '../sdp/apply.ts';
import type { Endpoint } from '../wire/address.ts';
import { bench } from './harness.ts';
import { PUBLIC } from './traffic.ts';

const FOLDER = new URL('../../test/vectors/sdp/', import.meta.url);

function mapping(local: Endpoint): Endpoint {
  return { ...PUBLIC, port: local.port };
}

for (const name of ['volte-offer', 'chrome']) {
  const text = readFileSync(new URL(`${name}.sdp`, FOLDER));
  const applied = apply(text, mapping);
  if (applied.type !== 'applied' || !applied.changed) throw new Error(`${name}: nothing changed`);
  bench({
    name: `sdp: apply to ${name}, ${text.length} octets`,
    octets: text.length,
    run(times) {
      for (let i = 0; i < times; i++) apply(text, mapping);
    },
  });
}
