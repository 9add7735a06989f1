/**
 * What the capturing process says on its standard output, in order:
 *
 *   kind(1) length(4) body                      numbers in network order
 *   OPENED   link type(4)                       frames follow
 *   FRAME    seconds(4) nanoseconds(4) octets   one frame
 *   FAILED   code, a space, text                it could not begin
 *   CLOSED                                      it ended because it was asked to; nothing follows
 *
 * An end without CLOSED is a crash.
 */
import { setU8, setU32, u8, u32 } from '../../wire/bytes.ts';

export const KINDS = { OPENED: 1, FRAME: 2, FAILED: 3, CLOSED: 4 } as const;

export const HEAD_LEN = 5;
const OFF_LENGTH = 1;
export const FRAME_HEAD_LEN = 8;

/** The longest frame that cap hands out, with its time. */
export const MAX_BODY_LEN = 65_535 + FRAME_HEAD_LEN;

export function writeHead(b: Uint8Array, at: number, kind: number, length: number): void {
  setU8(b, at, kind);
  setU32(b, at + OFF_LENGTH, length);
}

/** Cuts messages out of the stream; their octets are valid during the call only. */
export class MessageReader {
  readonly #take: (kind: number, b: Uint8Array, at: number, end: number) => void;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(take: (kind: number, b: Uint8Array, at: number, end: number) => void) {
    this.#take = take;
  }

  /** False when it is no stream of messages, as of a process whose memory is no longer what it was. */
  input(chunk: Uint8Array): boolean {
    const b = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (b.length - at >= HEAD_LEN) {
      const length = u32(b, at + OFF_LENGTH);
      if (length > MAX_BODY_LEN) return false;
      const end = at + HEAD_LEN + length;
      if (end > b.length) break;
      this.#take(u8(b, at), b, at + HEAD_LEN, end);
      at = end;
    }
    this.#rest = b.subarray(at);
    return true;
  }
}
