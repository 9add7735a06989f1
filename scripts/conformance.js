/**
 * Which test proves which requirement. Reads docs/requirements.json and the titles in test/; a title
 * proves the rows that it begins with, as in `[M-11] uplink source becomes the public address`.
 *
 *   node scripts/conformance.js            prints the table
 *   node scripts/conformance.js --json     the same for programs
 *   node scripts/conformance.js --write    makes docs/conformance.md
 *   node scripts/conformance.js --check    fails when docs/conformance.md is not current
 *
 * Exit status 1 when a requirement of the core has no test, or a title names an unknown row.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REQUIREMENTS = 'docs/requirements.json';
const PAGE = 'docs/conformance.md';

/** Row ids of the requirement tables: M-11, H-03, G-22 … */
const ROW_ID = /^[A-Z]{1,2}-\d{2}$/;
const TITLE = /(['"`])((?:\[[^\]\n]+\]\s*)+)([^\n]*?)\1/g;

const requirements = JSON.parse(readFileSync(REQUIREMENTS, 'utf8'));
const proofs = readProofs('test');
const known = new Set(requirements.map((r) => r.id));
const unknown = [...proofs.keys()].filter((id) => !known.has(id));
const unproven = requirements.filter((r) => r.scope === 'core' && !proofs.has(r.id));

const mode = process.argv[2];
if (mode === '--json') console.log(JSON.stringify(asJson(), null, 2));
else if (mode === '--write') writeFileSync(PAGE, page());
else if (mode === '--check') check();
else printTable();

for (const id of unknown) fail(`a test title names ${id}, which ${REQUIREMENTS} does not have`);
for (const r of unproven) fail(`${r.id} concerns the core and has no test: ${r.text}`);

function readProofs(folder) {
  const found = new Map();
  const files = readdirSync(folder, { recursive: true }).filter((f) => f.endsWith('.ts'));
  for (const file of files.sort()) {
    for (const match of readFileSync(join(folder, file), 'utf8').matchAll(TITLE)) {
      const title = match[3].replace(/\$\{[^}]*\}/g, '…').replace(/\\(.)/g, '$1');
      for (const id of rowIds(match[2])) append(found, id, { file: `test/${file}`, title });
    }
  }
  return found;
}

function rowIds(brackets) {
  const words = [...brackets.matchAll(/\[([^\]]+)\]/g)].flatMap((m) => m[1].split(/[\s,]+/));
  return words.filter((word) => ROW_ID.test(word));
}

function append(map, key, value) {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function asJson() {
  return requirements.map((r) => ({ ...r, tests: proofs.get(r.id) ?? [] }));
}

function printTable() {
  for (const r of requirements) {
    const tests = proofs.get(r.id) ?? [];
    const state = tests.length > 0 ? `${tests.length} tests` : `no test (${r.scope})`;
    console.log(`${r.id}  ${state.padEnd(16)}  ${r.text}`);
  }
  const proven = requirements.filter((r) => proofs.has(r.id)).length;
  console.log(`${proven} of ${requirements.length} requirements have a test`);
}

function page() {
  const rows = requirements.map((r) => {
    const tests = proofs.get(r.id) ?? [];
    const cell = tests.map((p) => `${tableCell(p.title)} (\`${p.file}\`)`).join('<br>');
    return `| ${r.id} | ${r.source} | ${r.level} | ${tableCell(r.text)} | ${cell || `— (${r.scope})`} |`;
  });
  return `# Conformance

Made by \`npm run conformance -- --write\` from \`docs/requirements.json\` and the test titles; do not edit by
hand. "core" rows can be shown without a network and must have a test; "agent" rows need the live
agents, "call" rows a whole IMS call. Clauses are of 3GPP TR 33.830 unless named otherwise.

| row | source | level | requirement | tests |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function tableCell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function check() {
  if (readPage() !== page()) fail(`${PAGE} is not current: run npm run conformance -- --write`);
  else console.log(`${PAGE} is current`);
}

function readPage() {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch {
    return '';
  }
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
