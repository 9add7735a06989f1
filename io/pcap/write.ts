/**
 * Writing classic pcap. Octets go to a temporary file beside the wanted one, which takes its name
 * only when all is written, or no more can be: whoever finds the file finds it whole. A symbolic link stays one; what is
 * no ordinary file, such as a device, is refused, for it would be replaced.
 */
import {
  closeSync,
  ftruncateSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { CaptureEncoder, type CaptureWriterOptions } from './encode.ts';

/** The file cannot be written: one line that says which file, and why. */
export class CaptureWriteError extends Error {}

/** Throws CaptureWriteError. */
export class CaptureWriter {
  readonly file: string;
  /** The file itself, also where `file` is a symbolic link. */
  readonly #target: string;
  readonly #temporary: string;
  readonly #handle: number;
  #open = true;
  /** Octets of whole records that have been written. */
  #written = 0;
  readonly #encoder: CaptureEncoder;

  constructor(file: string, options: CaptureWriterOptions) {
    this.file = file;
    this.#target = this.#try(() => ordinaryFile(file));
    this.#temporary = `${this.#target}.${process.pid}.part`;
    this.#handle = this.#try(() => openSync(this.#temporary, 'wx'));
    this.#encoder = new CaptureEncoder(options, (octets) => this.#write(octets));
  }

  /** Adds the packet [at, end) of `b`; the octets are copied. */
  write(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void {
    this.#encoder.write(seconds, nanoseconds, b, at, end);
  }

  /** Ends the file and gives it its name. */
  finish(): void {
    this.#encoder.flush();
    this.#open = false;
    this.#try(() => {
      closeSync(this.#handle);
      renameSync(this.#temporary, this.#target);
    });
  }

  /**
   * After a write that failed, as on a full disk: ends with the records that are whole and gives the file its
   * name. False where there are none, and then there is no file.
   */
  salvage(): boolean {
    try {
      if (!this.#open || this.#written === 0) return false;
      ftruncateSync(this.#handle, this.#written);
      renameSync(this.#temporary, this.#target);
      return true;
    } catch {
      // Why nothing can be written was told before.
      return false;
    } finally {
      this.discard();
    }
  }

  /** Ends without a file; what stood under its name before stays. */
  discard(): void {
    if (this.#open) closeSync(this.#handle);
    this.#open = false;
    rmSync(this.#temporary, { force: true });
  }

  #write(octets: Uint8Array): void {
    this.#try(() => {
      for (let at = 0; at < octets.length; ) at += writeSync(this.#handle, octets, at);
    });
    this.#written += octets.length;
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
