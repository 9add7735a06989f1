/**
 * Writing classic pcap. Octets go to a temporary file beside the wanted one, which takes its name
 * only when all is written: whoever finds the file finds it whole. A symbolic link stays one; what is
 * no ordinary file, such as a device, is refused, for it would be replaced.
 */
import { Buffer } from 'node:buffer';
import {
  closeSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { MAX_CAPTURED_LEN } from './format.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;

/** Octets collected before one write. */
const BUFFER_LEN = 262_144;

export interface CaptureWriterOptions {
  readonly linkType: number;
  readonly precision: 'microseconds' | 'nanoseconds';
}

/** The file cannot be written: one line that says which file, and why. */
export class CaptureWriteError extends Error {}

/** Throws CaptureWriteError. */
export class CaptureWriter {
  readonly file: string;
  /** The file itself, also where `file` is a symbolic link. */
  readonly #target: string;
  readonly #temporary: string;
  readonly #nanoseconds: boolean;
  readonly #handle: number;
  #open = true;
  readonly #b = Buffer.allocUnsafe(BUFFER_LEN + RECORD_HEADER_LEN + MAX_CAPTURED_LEN);
  #filled = 0;

  constructor(file: string, options: CaptureWriterOptions) {
    this.file = file;
    this.#target = this.#try(() => ordinaryFile(file));
    this.#temporary = `${this.#target}.${process.pid}.part`;
    this.#nanoseconds = options.precision === 'nanoseconds';
    this.#handle = this.#try(() => openSync(this.#temporary, 'wx'));
    this.#fileHeader(options.linkType);
  }

  /** Adds the packet [at, end) of `b`; the octets are copied. */
  write(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void {
    const length = end - at;
    if (length > MAX_CAPTURED_LEN) throw new RangeError(`packet of ${length} octets`);
    const from = this.#filled;
    const fraction = this.#nanoseconds ? nanoseconds : Math.floor(nanoseconds / 1000);
    this.#b.writeUInt32LE(seconds >>> 0, from);
    this.#b.writeUInt32LE(fraction, from + 4);
    this.#b.writeUInt32LE(length, from + 8);
    this.#b.writeUInt32LE(length, from + 12);
    this.#b.set(b.subarray(at, end), from + RECORD_HEADER_LEN);
    this.#filled += RECORD_HEADER_LEN + length;
    if (this.#filled >= BUFFER_LEN) this.#flush();
  }

  /** Ends the file and gives it its name. */
  finish(): void {
    this.#flush();
    this.#open = false;
    this.#try(() => {
      closeSync(this.#handle);
      renameSync(this.#temporary, this.#target);
    });
  }

  /** Ends without a file; what stood under its name before stays. */
  discard(): void {
    if (this.#open) closeSync(this.#handle);
    this.#open = false;
    rmSync(this.#temporary, { force: true });
  }

  #fileHeader(linkType: number): void {
    this.#b.writeUInt32LE(this.#nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, 0);
    this.#b.writeUInt16LE(2, 4);
    this.#b.writeUInt16LE(4, 6);
    this.#b.writeUInt32LE(0, 8);
    this.#b.writeUInt32LE(0, 12);
    this.#b.writeUInt32LE(MAX_CAPTURED_LEN, 16);
    this.#b.writeUInt32LE(linkType, 20);
    this.#filled = FILE_HEADER_LEN;
  }

  #flush(): void {
    this.#try(() => {
      for (let at = 0; at < this.#filled; ) {
        at += writeSync(this.#handle, this.#b, at, this.#filled - at);
      }
    });
    this.#filled = 0;
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new CaptureWriteError(`${this.file}: cannot be written: ${reasonOf(error)}`);
    }
  }
}

/** Where a file of this name is, or would be. */
function ordinaryFile(file: string): string {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined) return file;
  if (!there.isFile()) throw new Error(there.isDirectory() ? 'a directory' : 'a pipe or device');
  return realpathSync(file);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'no such directory',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
};

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
