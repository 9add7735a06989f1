/**
 * Live capture by a process of its own (capture-process.ts), watched over from here. Whatever happens to
 * that process, frames that it had received arrive, and the end is a value that says why.
 *
 * Times are those of reception by that process: cap tells none. Frames that the kernel had to drop for
 * lack of room are not known either.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { u32 } from '../../wire/bytes.ts';
import type { IoFault } from '../io-fault.ts';
import { interfaceState } from './interface-state.ts';
import { FRAME_HEAD_LEN, KINDS, MessageReader } from './messages.ts';

/** How long the process may take to end when asked; under load it does not hear us. */
const STOP_MS = 2_000;
const MAX_COMPLAINT_LEN = 2_000;

export interface CaptureOptions {
  readonly device: string;
  /** pcap-filter(7); empty takes everything. */
  readonly filter: string;
}

/** Told in this order; nothing after `ended`. */
export interface CaptureEvents {
  opened(linkType: number): void;
  /** The frame at [at, end) of `b`, valid during the call only. */
  frame(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void;
  ended(end: CaptureEnd): void;
}

/**
 *   stopped     as asked
 *   refused     it could not begin: ENOLIBPCAP, ENODEV, ENETDOWN, EPERM, or EPCAP: libpcap says why
 *   interface   the interface went down, or is gone
 *   crashed     anything else; `text` is what is known
 */
export type CaptureEnd =
  | { readonly type: 'stopped' }
  | { readonly type: 'refused'; readonly fault: IoFault }
  | { readonly type: 'interface'; readonly state: 'down' | 'missing' }
  | { readonly type: 'crashed'; readonly text: string };

/** What is needed of the process; a child process of Node has it. */
export interface CaptureChild {
  readonly stdin: { end(): unknown; on(event: 'error', listener: () => void): unknown };
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(signal: NodeJS.Signals): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: (code: number | null, signal: string | null) => void): unknown;
}

function startCaptureProcess({ device, filter }: CaptureOptions): CaptureChild {
  const script = fileURLToPath(new URL('./capture-process.js', import.meta.url));
  return spawn(process.execPath, [script, device, filter], {
    stdio: 'pipe',
    // In a process group of its own: Ctrl-C is for us, who then end it in order.
    detached: true,
  });
}

export class LiveCapture {
  readonly #options: CaptureOptions;
  readonly #events: CaptureEvents;
  readonly #child: CaptureChild;
  #complaint = '';
  #end: CaptureEnd | undefined;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    options: CaptureOptions,
    events: CaptureEvents,
    start: (options: CaptureOptions) => CaptureChild = startCaptureProcess,
  ) {
    this.#options = options;
    this.#events = events;
    this.#child = start(options);
    const reader = new MessageReader((kind, b, at, end) => this.#told(kind, b, at, end));
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => {});
    stdout.on('data', (chunk: Uint8Array) => {
      if (this.#end === undefined && !reader.input(chunk)) this.#giveUp();
    });
    stderr.on('data', (chunk: Uint8Array) => {
      this.#complaint = (this.#complaint + String(chunk)).slice(-MAX_COMPLAINT_LEN);
    });
    this.#child.on('error', ({ message }) => this.#finish({ type: 'crashed', text: message }));
    this.#child.on('close', (code, signal) => this.#gone(code, signal));
  }

  /** Frames that are on their way still come; then `ended`. */
  stop(): void {
    if (this.#timer !== undefined) return;
    this.#child.stdin.end();
    this.#timer = setTimeout(() => {
      this.#end = { type: 'stopped' };
      this.#child.kill('SIGKILL');
    }, STOP_MS);
  }

  /** Whoever takes the frames cannot take more at the moment. */
  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  /** What was received until then stays. */
  #giveUp(): void {
    this.#end = { type: 'crashed', text: 'it said what no capture says' };
    this.#child.kill('SIGKILL');
  }

  #told(kind: number, b: Uint8Array, at: number, end: number): void {
    switch (kind) {
      case KINDS.OPENED:
        this.#events.opened(u32(b, at));
        break;
      case KINDS.FRAME:
        this.#events.frame(u32(b, at), u32(b, at + 4), b, at + FRAME_HEAD_LEN, end);
        break;
      case KINDS.FAILED:
        this.#end = {
          type: 'refused',
          fault: this.#refusal(String(Buffer.from(b.subarray(at, end)))),
        };
        break;
      case KINDS.CLOSED:
        this.#end = { type: 'stopped' };
        break;
    }
  }

  #refusal(said: string): IoFault {
    const [code = 'EPCAP', ...words] = said.split(' ');
    const text = words.join(' ');
    if (code === 'EPCAP' && /not permitted|permission/i.test(text)) {
      return { type: 'io-fault', code: 'EPERM', text };
    }
    return { type: 'io-fault', code, text };
  }

  #gone(code: number | null, signal: string | null): void {
    if (this.#end !== undefined) {
      this.#finish(this.#end);
      return;
    }
    const state = interfaceState(this.#options.device);
    if (state === 'down' || state === 'missing') {
      this.#finish({ type: 'interface', state });
      return;
    }
    const how = signal === null ? `status ${code}` : signal;
    const said = this.#complaint.trim().split('\n').at(-1) ?? '';
    this.#finish({ type: 'crashed', text: said === '' ? how : `${how}: ${said}` });
  }

  #finish(end: CaptureEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#events.ended(end);
  }
}
