/**
 * Several processes that serve one address, each with tunnels and public ports of its own. All tunnels
 * of a user live in the same one, so that quotas are counted where the tunnels are and nowhere else. A
 * request that comes to another process, be it to open, to join or to resume, is handed over with its
 * connection once it is authenticated.
 *
 * A token tells its process: its last octet is the number of the process, counted modulo their number.
 * The other 15 octets stay as random as they were.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { octetsOf, setU8, u8 } from '../wire/bytes.ts';

export interface Placement {
  /** Number of this process, from 0, and how many there are. */
  readonly index: number;
  readonly count: number;
  /**
   * The connection belongs to process `to`; it is forgotten here. `octets` are those that were received
   * and not used; nothing more may be given to `input`. Called from within `input`.
   */
  readonly handOver: (conn: number, to: number, octets: Uint8Array) => void;
}

/** Which process has the tunnels of this user. */
export function placeOfUser(user: string, count: number): number {
  return createHash('sha256').update(Buffer.from(user, 'utf8')).digest().readUInt32BE(0) % count;
}

/** Which process a token is of. */
export function placeOfToken(token: Uint8Array, count: number): number {
  return u8(token, token.length - 1) % count;
}

/** The same token, but for its last octet. */
export function placedToken(token: Uint8Array, index: number, count: number): Uint8Array {
  const placed = octetsOf(token, 0, token.length);
  const last = u8(placed, placed.length - 1);
  const near = last - (last % count) + index;
  setU8(placed, placed.length - 1, near > 0xff ? near - count : near);
  return placed;
}
