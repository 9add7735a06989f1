/** Chunks of MSRP (RFC 4975 7.1): just enough of them for two ends that speak to each other. */
import { randomBytes } from 'node:crypto';

export interface Chunk {
  readonly transaction: string;
  /** `SEND`, or the status of an answer. */
  readonly method: string;
  readonly message: string;
  readonly body: string;
  /** Whether it ends its message: `$`, not `+`. */
  readonly isLast: boolean;
}

const PATHS = 'To-Path: msrp://b.example:2855/b;tcp\r\nFrom-Path: msrp://a.example:2855/a;tcp\r\n';
const START = /^MSRP (\S+) (\S+)[^\r]*\r\n/;

export function chunkOf(part: {
  readonly message: string;
  readonly body: string;
  readonly at: number;
  readonly total: number;
}): string {
  const { message, body, at, total } = part;
  const transaction = randomBytes(6).toString('hex');
  const end = at + body.length;
  return (
    `MSRP ${transaction} SEND\r\n${PATHS}Message-ID: ${message}\r\n` +
    `Byte-Range: ${at + 1}-${end}/${total}\r\nContent-Type: text/plain\r\n\r\n` +
    `${body}\r\n-------${transaction}${end === total ? '$' : '+'}\r\n`
  );
}

export function okTo({ transaction }: Chunk): string {
  return `MSRP ${transaction} 200 OK\r\n${PATHS}-------${transaction}$\r\n`;
}

/** Cuts a stream into chunks. */
export class ChunkReader {
  readonly #take: (chunk: Chunk) => void;
  #unread = '';

  constructor(take: (chunk: Chunk) => void) {
    this.#take = take;
  }

  read(text: string): void {
    this.#unread += text;
    for (;;) {
      const [whole = '', transaction = '', method = ''] = START.exec(this.#unread) ?? [];
      const mark = `-------${transaction}`;
      const end = whole === '' ? -1 : this.#unread.indexOf(mark, whole.length);
      const length = end + mark.length + '$\r\n'.length;
      if (end < 0 || this.#unread.length < length) return;
      const [head = '', ...rest] = this.#unread.slice(whole.length, end).split('\r\n\r\n');
      const message = /^Message-ID: (\S+)/m.exec(head)?.[1] ?? '';
      const body = rest.join('\r\n\r\n').replace(/\r\n$/, '');
      const isLast = this.#unread[end + mark.length] === '$';
      this.#unread = this.#unread.slice(length);
      this.#take({ transaction, method, message, body, isLast });
    }
  }
}
