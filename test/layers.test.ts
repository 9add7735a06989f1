/** The layers of ARCHITECTURE.md, held by reading every import statement of the tree. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const BELOW_CONFIG = ['wire', 'sdp', 'sip', 'framing', 'session', 'io', 'ops'];

/** Which folders a folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  sdp: ['wire'],
  sip: ['wire', 'sdp'],
  framing: ['wire'],
  session: ['wire', 'sdp', 'framing'],
  io: ['wire', 'sdp', 'framing', 'session'],
  ops: ['wire', 'sdp', 'framing', 'session'],
  config: BELOW_CONFIG,
  'tep-client': [...BELOW_CONFIG, 'config'],
  'tep-server': [...BELOW_CONFIG, 'config'],
  lab: [...BELOW_CONFIG, 'config', 'tep-client', 'tep-server'],
  cli: [...BELOW_CONFIG, 'config', 'tep-client', 'tep-server', 'lab'],
};

const PURE = ['wire', 'sdp', 'sip', 'framing', 'session'];

const PURE_MAY_USE_OF_NODE = new Set(['node:buffer', 'node:crypto']);

/** A package is imported in exactly one file, so that replacing it touches one file. */
const PACKAGE_HOME: Readonly<Record<string, string>> = {
  'sdp-transform': 'sdp/read.ts',
  'pcap-parser': 'io/pcap/classic.ts',
  koffi: 'io/kernel/libc.ts',
  yaml: 'config/yaml.ts',
  cap: 'io/cap/capture-process.ts',
  ws: 'tep-server/ng/web-sockets.ts',
};

const WORLDLY =
  /\b(?:Date\.now|new Date\(|performance\.|Math\.random|randomBytes|randomUUID|setTimeout|setInterval|setImmediate|console\.|process\.)/;

interface Source {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

for (const folder of Object.keys(MAY_IMPORT)) {
  test(`imports of ${folder}/ go one way only`, (t) => {
    for (const source of sourcesOf(folder)) {
      for (const target of source.imports.filter((i) => i.startsWith('.'))) {
        const to = topFolder(resolve(ROOT, dirname(source.file), target));
        const legal = to === folder || MAY_IMPORT[folder]?.includes(to);
        t.true(legal, `${source.file} imports ${target}`);
      }
    }
    t.pass();
  });
}

for (const folder of PURE) {
  test(`${folder}/ knows no sockets, clocks, randomness or logger`, (t) => {
    for (const source of sourcesOf(folder)) {
      for (const target of source.imports.filter((i) => i.startsWith('node:'))) {
        t.true(PURE_MAY_USE_OF_NODE.has(target), `${source.file} imports ${target}`);
      }
      t.notRegex(withoutComments(source.text), WORLDLY, source.file);
    }
    t.pass();
  });
}

test('each npm package is imported in its one file', (t) => {
  for (const folder of Object.keys(MAY_IMPORT)) {
    for (const source of sourcesOf(folder)) {
      for (const target of source.imports.filter((i) => !/^(?:\.|node:)/.test(i))) {
        t.is(PACKAGE_HOME[target], source.file, `${source.file} imports ${target}`);
      }
    }
  }
  t.pass();
});

test('the reader of imports sees static, type, side-effect and dynamic forms', (t) => {
  const text = `import a from './a.ts';\nimport type { B } from "./b.ts";\nimport './c.ts';
export { d } from './d.ts';\nexport * from './e.ts';\nconst f = await import('./f.ts');\nimport {\n  g,\n} from './g.ts';
Buffer.from('h.ts'); tagOf(m, 'from'), x('i.ts');`;
  t.deepEqual(
    importsIn(text),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((n) => `./${n}.ts`),
  );
});

function topFolder(path: string): string {
  return relative(ROOT, path).split('/', 1).join('');
}

function sourcesOf(folder: string): Source[] {
  return filesUnder(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return { file, folder, text, imports: importsIn(text) };
    });
}

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}

function importsIn(text: string): string[] {
  const found = text.matchAll(/(?<![.'"])\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g);
  return [...found].map((m) => m[1] ?? '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
