/** The body of a message of HTTP, which is one of the ng protocol. */
import { Buffer } from 'node:buffer';
import { MAX_BODY_LEN } from './limits.ts';

/** Undefined when it is too long or broken off. */
export async function bodyOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > MAX_BODY_LEN) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
