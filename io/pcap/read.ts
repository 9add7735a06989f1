/**
 * Reading a capture file, whatever its format. The octets are read in chunks into one buffer, so
 * memory does not grow with the file: at most 2 * CHUNK_LEN + MAX_RECORD_LEN octets, plus the
 * records of one chunk.
 *
 *   const capture = readCapture('call.pcap');
 *   for await (const batch of capture) for (const record of batch) …
 *   if (capture.fault !== undefined) …   // packets before the fault were delivered
 */
import { Buffer } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ClassicFormat, looksLikeClassic } from './classic.ts';
import { nameOfForeignFile } from './foreign-files.ts';
import {
  type CaptureFault,
  type CaptureFaultKind,
  type CaptureFormat,
  MAX_RECORD_LEN,
  type PacketRecord,
} from './format.ts';
import { looksLikePcapng, PcapngFormat } from './pcapng.ts';

const MAGIC_LEN = 4;
/** The records of a chunk live until the next one: of larger chunks more of them outlive young garbage collection. */
const CHUNK_LEN = 131_072;

export interface Capture extends AsyncIterable<readonly PacketRecord[]> {
  readonly file: string;
  /** Known when the iteration has ended. */
  readonly fault: CaptureFault | undefined;
  /** Octets taken from the file so far. */
  readonly octetsRead: number;
}

/** Nothing is opened before the iteration begins. One capture can be iterated once. */
export function readCapture(file: string): Capture {
  return new CaptureFile(file);
}

/** One line for people. */
export function captureFaultText(fault: CaptureFault): string {
  const place = fault.offset > 0 ? ` at octet ${fault.offset}` : '';
  return `${fault.file}: ${fault.kind}${place}: ${fault.reason}`;
}

class CaptureFile implements Capture {
  readonly file: string;
  fault: CaptureFault | undefined;
  octetsRead = 0;
  #format: CaptureFormat | undefined;

  constructor(file: string) {
    this.file = file;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly PacketRecord[], void, void> {
    const handle = await this.#open();
    if (handle === undefined) return;
    try {
      yield* this.#batches(handle);
    } finally {
      await handle.close();
    }
  }

  /** The kind of file is asked for first: to open a pipe would wait for its other end. */
  async #open(): Promise<FileHandle | undefined> {
    try {
      const kind = await stat(this.file);
      if (kind.isFile()) return await open(this.file, 'r');
      const what = kind.isDirectory() ? 'a directory' : 'a pipe or device';
      this.#fail('unreadable', 0, `${what}, not a file`);
    } catch (error) {
      this.#fail('unreadable', 0, reasonOf(error));
    }
    return undefined;
  }

  /** `b` holds the octets of the file from `base` on; [0, filled) of it are there. */
  async *#batches(handle: FileHandle): AsyncGenerator<readonly PacketRecord[], void, void> {
    const b = Buffer.allocUnsafe(CHUNK_LEN + MAX_RECORD_LEN);
    let base = 0;
    let filled = 0;
    for (;;) {
      const read = await this.#read(handle, b, filled, base + filled);
      if (this.fault !== undefined) return;
      filled += read;
      this.#format ??= this.#recognise(b, filled, read === 0);
      const records: PacketRecord[] = [];
      const taken = this.#format?.take(b, 0, filled, records) ?? 0;
      if (records.length > 0) yield records;
      if (this.#ended(base, base + taken, base + filled, read === 0)) return;
      b.copyWithin(0, Math.min(taken, filled), filled);
      filled = Math.max(0, filled - taken);
      base += taken;
    }
  }

  async #read(handle: FileHandle, b: Buffer, at: number, position: number): Promise<number> {
    try {
      const { bytesRead } = await handle.read(b, at, Math.min(CHUNK_LEN, b.length - at), position);
      this.octetsRead += bytesRead;
      return bytesRead;
    } catch (error) {
      this.#fail('unreadable', position, reasonOf(error));
      return 0;
    }
  }

  #recognise(b: Buffer, filled: number, atEnd: boolean): CaptureFormat | undefined {
    if (filled >= MAGIC_LEN) {
      if (looksLikePcapng(b, 0)) return new PcapngFormat();
      if (looksLikeClassic(b, 0)) return new ClassicFormat();
      this.#fail('unsupported', 0, nameOfForeignFile(b, filled));
    } else if (atEnd) {
      if (filled === 0) this.#fail('empty', 0, 'the file is empty');
      else this.#fail('truncated', 0, `only ${filled} octets, too few for any capture`);
    }
    return undefined;
  }

  /** Whether reading is over: by a fault, or because nothing came and nothing is left. */
  #ended(base: number, takenTo: number, filledTo: number, atEnd: boolean): boolean {
    const bad = this.#format?.fault;
    if (bad !== undefined) this.#fail(bad.kind, base + bad.at, bad.reason);
    if (this.fault !== undefined) return true;
    const open = this.#format?.openLength ?? 0;
    if (atEnd && (takenTo < filledTo || open > 0)) {
      this.#fail('truncated', takenTo - open, 'the last record is cut: the file ends inside it');
    }
    return atEnd;
  }

  #fail(kind: CaptureFaultKind, offset: number, reason: string): void {
    this.fault = { kind, file: this.file, offset, reason };
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  return (error as Error).message;
}
