/**
 * A configuration file as a flat list of keys with the lines on which they stand: `tls:` with `ca:` below
 * it, and `tls.ca:` alike. Every value is taken as the text that was written (YAML's failsafe schema):
 * what it means is for the key to say, so `no`, `1_0`, `0x10` and `12:30` hold no surprises.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';

export interface FileEntry {
  readonly name: string;
  readonly line: number;
  readonly texts: readonly string[];
  /** Whether it was written as a list. */
  readonly isList: boolean;
}

/** What the file is not: a line, and what would be right. */
export interface FileFault {
  readonly line: number;
  readonly text: string;
}

export interface FileContent {
  readonly entries: readonly FileEntry[];
  readonly faults: readonly FileFault[];
}

/** Deeper than any key; a tower of brackets ends here. */
const MAX_DEPTH = 8;
const ALIAS = 'anchors and aliases are not understood: write the value where it is needed';

export function readYaml(text: string): FileContent {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #entries: FileEntry[] = [];
  readonly #faults: FileFault[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): FileContent {
    const [document, second] = this.#parse();
    if (second !== undefined) {
      this.#faults.push({ line: this.#lineOf(second.range?.[0]), text: 'one document only' });
    }
    for (const { pos, message } of document?.errors ?? []) {
      const [first = message] = message.split(/ at line \d+|\n/, 1);
      this.#faults.push({ line: this.#lineOf(pos[0]), text: withHint(first) });
    }
    if (document?.contents && this.#faults.length === 0) this.#root(document.contents);
    return { entries: this.#entries, faults: this.#faults };
  }

  #parse(): readonly Document.Parsed[] {
    const documents = parseAllDocuments(this.#text, {
      schema: 'failsafe',
      // Told by the caller, with both lines.
      uniqueKeys: false,
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'error',
    });
    return Array.isArray(documents) ? documents : [];
  }

  #root(node: Node): void {
    if (isMap(node)) this.#map(node, '', 0);
    // A file of nothing but comments is an empty scalar.
    else if (!isScalar(node) || node.value !== '') {
      this.#fault(node, 'keys with values are expected, such as "servers: tep.example"');
    }
  }

  #map(map: YAMLMap, above: string, depth: number): void {
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? `${above}${key.value}` : undefined;
      if (name === undefined) this.#fault(key, 'a key must be a word');
      else if (isMap(value) && depth < MAX_DEPTH) this.#map(value, `${name}.`, depth + 1);
      else this.#entry(name, key, value);
    }
  }

  #entry(name: string, key: unknown, value: unknown): void {
    const line = this.#lineOf(rangeOf(key));
    const items = isSeq(value) ? value.items : [value];
    const texts: string[] = [];
    for (const item of items) {
      const text = isScalar(item) ? String(item.value ?? '') : '';
      const wrong = wrongItem(item, text);
      if (wrong !== undefined) {
        this.#fault(item ?? key, isAlias(item) ? wrong : `"${name}" ${wrong}`);
        return;
      }
      texts.push(text);
    }
    this.#entries.push({ name, line, texts, isList: isSeq(value) });
  }

  #fault(node: unknown, text: string): void {
    this.#faults.push({ line: this.#lineOf(rangeOf(node)), text });
  }

  #lineOf(offset: number | undefined): number {
    return offset === undefined ? 1 : Math.max(1, this.#lines.linePos(offset).line);
  }
}

function wrongItem(item: unknown, text: string): string | undefined {
  if (isAlias(item)) return ALIAS;
  if (isMap(item) || isSeq(item)) return withHint('holds a map or a list in place of a text []');
  return text === '' ? 'has no value (behind a # stands a comment)' : undefined;
}

function rangeOf(node: unknown): number | undefined {
  const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
  return isNode ? node.range?.[0] : undefined;
}

/** What people stumble over is the brackets of IPv6. */
function withHint(message: string): string {
  const isBracket = /flow|\[\]|Unexpected/i.test(message);
  return isBracket
    ? `${message} (text that begins with a bracket needs quotes: "[::]:80")`
    : message;
}
