/** Stands for the capturing process: a test says what it says, and how it ends. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { CaptureChild } from '../../../io/cap/live-capture.ts';
import { HEAD_LEN, KINDS, writeHead } from '../../../io/cap/messages.ts';

export function message(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_LEN);
  writeHead(head, 0, kind, body.length);
  return Buffer.concat([head, body]);
}

export function openedMessage(linkType: number): Buffer {
  return message(KINDS.OPENED, Uint8Array.of(0, 0, 0, linkType));
}

/** A frame of that second. */
export function frameMessage(seconds: number, text: string): Buffer {
  const body = Buffer.alloc(8 + text.length);
  body.writeUInt32BE(seconds, 0);
  body.writeUInt32BE(5_000, 4);
  body.write(text, 8);
  return message(KINDS.FRAME, body);
}

export class FakeChild extends EventEmitter implements CaptureChild {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly killed: string[] = [];
  /** What it does when it is asked to end. */
  asked: () => void = () => this.say(message(KINDS.CLOSED, new Uint8Array(0))).end(0, null);
  readonly stdin = { end: () => this.asked(), on: () => {} };

  say(...messages: readonly Buffer[]): this {
    for (const octets of messages) this.stdout.write(octets);
    return this;
  }

  /** Its outputs end, then it is gone. */
  end(code: number | null, signal: string | null): void {
    this.stdout.end();
    this.stderr.end();
    this.stdout.once('end', () => this.emit('close', code, signal));
  }

  kill(signal: NodeJS.Signals): void {
    this.killed.push(signal);
    this.end(null, signal);
  }
}
