/**
 * The file in which an agent notes its tunnel: when it is killed, its successor resumes it and the calls
 * go on. It is there only while there is a tunnel, and can be read by the agent's user alone, because of
 * the token in it. What cannot be read, or is too old, is as good as nothing.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../io/folder.ts';
import { type IoFault, ioFault } from '../io/io-fault.ts';
import type { ClientMemory, RememberedBinding } from '../session/client-memory.ts';
import { TOKEN_LEN } from '../session/messages.ts';
import { formatEndpoint, parseEndpoint } from '../wire/address.ts';
import { PROTOCOL as TCP } from '../wire/tcp.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o750;
/** How often it is marked as current. */
const TOUCH_MS = 10_000;
/** TEP-S may notice the loss of the last connection so late (tep-wire 7: 40 s), and the marks are as old. */
const LATE_MS = 60_000;
const MAX_FILE_LEN = 64 * 1024;

export interface Noted {
  /** Name of the server that has the tunnel. */
  readonly server: string;
  readonly memory: ClientMemory;
}

export class TunnelFile {
  readonly #path: string;
  readonly #failed: (fault: IoFault) => void;
  #touching: NodeJS.Timeout | undefined;

  constructor(path: string, failed: (fault: IoFault) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /** What a predecessor noted, if its tunnel may still be there. */
  read(): Noted | undefined {
    try {
      const { mtimeMs, size } = statSync(this.#path);
      if (size > MAX_FILE_LEN) return undefined;
      const noted = parse(readFileSync(this.#path, 'utf8'));
      const isFresh = noted && Date.now() - mtimeMs <= noted.memory.lifetimeMs + LATE_MS;
      return isFresh ? noted : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all: a crash in between leaves the one before. */
  write(noted: Noted): void {
    const isWritten = this.#try(() => {
      const fresh = `${this.#path}.new`;
      makeFolder(dirname(this.#path), FOLDER_MODE);
      rmSync(fresh, { force: true });
      try {
        writeFileSync(fresh, textOf(noted), { mode: FILE_MODE, flag: 'wx' });
        renameSync(fresh, this.#path);
      } catch (error) {
        // A full disk has taken a part of it.
        rmSync(fresh, { force: true });
        throw error;
      }
    });
    if (isWritten) this.#touching ??= setInterval(() => this.#touch(), TOUCH_MS).unref();
  }

  remove(): void {
    clearInterval(this.#touching);
    this.#touching = undefined;
    this.#try(() => rmSync(this.#path, { force: true }));
  }

  #touch(): void {
    const now = new Date();
    this.#try(() => utimesSync(this.#path, now, now));
  }

  #try(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#failed(ioFault(error as Error));
      return false;
    }
  }
}

function textOf({ server, memory }: Noted): string {
  const { token, lifetimeMs, bindings } = memory;
  const lines = bindings.map((binding) => ({ ...binding, ue: formatEndpoint(binding.ue) }));
  const hex = Buffer.from(token).toString('hex');
  return `${JSON.stringify({ server, token: hex, lifetimeMs, bindings: lines })}\n`;
}

/** Nobody else should have written it, but it is checked like anything that is read. */
function parse(text: string): Noted | undefined {
  const { server, token, lifetimeMs, bindings } = JSON.parse(text);
  const octets = Uint8Array.from(Buffer.from(String(token), 'hex'));
  if (typeof server !== 'string' || octets.length !== TOKEN_LEN) return undefined;
  if (!Number.isInteger(lifetimeMs) || lifetimeMs < 0 || !Array.isArray(bindings)) return undefined;
  const read = bindings.map(bindingOf);
  if (read.includes(undefined)) return undefined;
  const known = read.filter((binding) => binding !== undefined);
  return { server, memory: { token: octets, lifetimeMs, bindings: known } };
}

function bindingOf({
  ue,
  protocol,
  port,
  pair,
}: Record<string, unknown>): RememberedBinding | undefined {
  const at = parseEndpoint(String(ue));
  const isProtocol = protocol === UDP || protocol === TCP;
  if (at === undefined || !isProtocol || typeof pair !== 'boolean') return undefined;
  if (!isPort(at.port, pair) || typeof port !== 'number' || !isPort(port, pair)) return undefined;
  return { ue: at, protocol, port, pair };
}

function isPort(port: number, pair: boolean): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 0xffff && !(pair && port % 2 === 1);
}
