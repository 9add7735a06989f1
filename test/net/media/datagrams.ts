/** The UDP datagrams of a capture as things to compare. */
import { createHash } from 'node:crypto';
import { datagramsIn } from '../../../lab/datagrams.ts';

export interface Datagram {
  /** `ADDRESS PORT`. */
  readonly from: string;
  readonly to: string;
  /** Length and hash of the payload: two that are equal are the same packet. */
  readonly payload: string;
  readonly length: number;
}

/** Throws when the capture is not whole. */
export async function datagramsOf(file: string): Promise<Datagram[]> {
  const found: Datagram[] = [];
  for await (const { from, to, b, at, end } of datagramsIn(file)) {
    const hash = createHash('sha1').update(b.subarray(at, end)).digest('base64');
    found.push({
      from: `${from.address} ${from.port}`,
      to: `${to.address} ${to.port}`,
      payload: `${end - at} ${hash}`,
      length: end - at,
    });
  }
  return found;
}
