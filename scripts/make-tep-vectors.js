/**
 * Writes test/vectors/tep-wire/*.hex again from the exchanges of test/session/exchanges.ts, and the
 * octets that docs/protocol.md quotes from them (`<!-- call.hex 3 -->`: the third record or packet).
 * Says which files changed. Only for changes of the protocol that are meant: other implementations
 * were built from these octets.
 *
 *   npm run build && node scripts/make-tep-vectors.js
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { record } from '../build/test/session/exchange.js';
import { EXCHANGES } from '../build/test/session/exchanges.js';
import { FOLDER, PAGE, quoteVectors, writeVector } from '../build/test/session/vector-file.js';

for (const exchange of EXCHANGES) {
  write(new URL(`${exchange.name}.hex`, FOLDER), writeVector(exchange, record(exchange)));
}
write(PAGE, quoteVectors(readFileSync(PAGE, 'utf8')));

function write(file, text) {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text !== before) writeFileSync(file, text);
  console.log(`${file.pathname.split('/').at(-1)} ${text === before ? 'as before' : 'CHANGED'}`);
}
