/**
 * A table from (protocol, port, address) to a small number, asked once or twice for every packet:
 * no allocation on `find`, the address is read where it stands in the packet.
 *
 * Open addressing with linear probing in one typed array; deletion shifts the run behind it back, so
 * there are no tombstones and a table that lives for months does not slow down. The hash is keyed
 * (keyed-hash.ts). One slot:
 *
 *    0             16     18     19     20      24
 *    | address     | port | prot | len  | value |     len 4 or 16; 0 = free slot
 *
 * Memory: 24 octets a slot; at most half of the slots are in use, so 48 to 96 octets an entry, and
 * never more than 48 octets × (maxEntries rounded up to a power of two). It grows by doubling,
 * copying everything at that moment, and does not shrink.
 */
import { copy, equal, setU8, setU16, setU32, u8, u16, u32 } from '../wire/bytes.ts';
import { type HashKey, hashKey, keyedHash } from './keyed-hash.ts';

const SLOT_LEN = 24;
const OFF_PORT = 16;
const OFF_PROTOCOL = 18;
const OFF_LENGTH = 19;
const OFF_VALUE = 20;

const FIRST_SLOTS = 16;
/** Above this the slot array would pass the length that every Node version can allocate. */
const MAX_ENTRIES = 2 ** 25;
const MAX_VALUE = 0x7fff_ffff;

export interface EndpointTableOptions {
  /** 8 secret random octets. */
  readonly seed: Uint8Array;
  /** `set` refuses new keys beyond so many. */
  readonly maxEntries: number;
}

export class EndpointTable {
  readonly maxEntries: number;
  readonly #key: HashKey;
  #slots = new Uint8Array(FIRST_SLOTS * SLOT_LEN);
  #mask = FIRST_SLOTS - 1;
  #size = 0;

  constructor({ seed, maxEntries }: EndpointTableOptions) {
    if (!Number.isInteger(maxEntries) || maxEntries < 1 || maxEntries > MAX_ENTRIES) {
      throw new RangeError(`maxEntries ${maxEntries} is not between 1 and ${MAX_ENTRIES}`);
    }
    this.#key = hashKey(seed);
    this.maxEntries = maxEntries;
  }

  get size(): number {
    return this.#size;
  }

  /** Octets of memory that the slots take. */
  get octets(): number {
    return this.#slots.length;
  }

  /** The value of this endpoint, or -1. */
  find(
    b: Uint8Array,
    addressAt: number,
    addressLength: number,
    port: number,
    protocol: number,
  ): number {
    const at = this.#locate(b, addressAt, addressLength, port, protocol) * SLOT_LEN;
    return u8(this.#slots, at + OFF_LENGTH) === 0 ? -1 : u32(this.#slots, at + OFF_VALUE);
  }

  /** Sets or changes a value. False when the key is new and the table is at its maximum. */
  set(
    b: Uint8Array,
    addressAt: number,
    addressLength: number,
    port: number,
    protocol: number,
    value: number,
  ): boolean {
    checkKey(b, addressAt, addressLength, port, protocol);
    if (!Number.isInteger(value) || value < 0 || value > MAX_VALUE) {
      throw new RangeError(`value ${value} is not between 0 and ${MAX_VALUE}`);
    }
    let at = this.#locate(b, addressAt, addressLength, port, protocol) * SLOT_LEN;
    if (u8(this.#slots, at + OFF_LENGTH) === 0) {
      if (this.#size >= this.maxEntries) return false;
      if ((this.#size + 1) * 2 > this.#mask + 1) {
        this.#grow();
        at = this.#locate(b, addressAt, addressLength, port, protocol) * SLOT_LEN;
      }
      this.#size += 1;
      copy(b, addressAt, this.#slots, at, addressLength);
      setU16(this.#slots, at + OFF_PORT, port);
      setU8(this.#slots, at + OFF_PROTOCOL, protocol);
      setU8(this.#slots, at + OFF_LENGTH, addressLength);
    }
    setU32(this.#slots, at + OFF_VALUE, value);
    return true;
  }

  /** Whether the endpoint was there. */
  delete(
    b: Uint8Array,
    addressAt: number,
    addressLength: number,
    port: number,
    protocol: number,
  ): boolean {
    const hole = this.#locate(b, addressAt, addressLength, port, protocol);
    if (u8(this.#slots, hole * SLOT_LEN + OFF_LENGTH) === 0) return false;
    this.#size -= 1;
    this.#shiftBack(hole);
    return true;
  }

  /** The slot of this key, or the free slot where it would go. There is always a free slot. */
  #locate(
    b: Uint8Array,
    addressAt: number,
    addressLength: number,
    port: number,
    protocol: number,
  ): number {
    const slots = this.#slots;
    const tail = (port << 8) | protocol;
    let slot = keyedHash(this.#key, b, addressAt, addressLength, tail) & this.#mask;
    for (;;) {
      const at = slot * SLOT_LEN;
      const length = u8(slots, at + OFF_LENGTH);
      if (length === 0) return slot;
      if (
        length === addressLength &&
        u16(slots, at + OFF_PORT) === port &&
        u8(slots, at + OFF_PROTOCOL) === protocol &&
        equal(slots, at, b, addressAt, addressLength)
      ) {
        return slot;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /**
   * Fills the hole with the next entry of the same run that may stand there: one whose home is not
   * between the hole and itself. Then that entry's slot is the hole.
   */
  #shiftBack(freed: number): void {
    const slots = this.#slots;
    let hole = freed;
    let slot = (hole + 1) & this.#mask;
    while (u8(slots, slot * SLOT_LEN + OFF_LENGTH) !== 0) {
      const fromHome = (slot - this.#home(slots, slot * SLOT_LEN)) & this.#mask;
      if (fromHome >= ((slot - hole) & this.#mask)) {
        copy(slots, slot * SLOT_LEN, slots, hole * SLOT_LEN, SLOT_LEN);
        hole = slot;
      }
      slot = (slot + 1) & this.#mask;
    }
    slots.fill(0, hole * SLOT_LEN, (hole + 1) * SLOT_LEN);
  }

  #home(slots: Uint8Array, at: number): number {
    const tail = (u16(slots, at + OFF_PORT) << 8) | u8(slots, at + OFF_PROTOCOL);
    return keyedHash(this.#key, slots, at, u8(slots, at + OFF_LENGTH), tail) & this.#mask;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint8Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let from = 0; from < old.length; from += SLOT_LEN) {
      if (u8(old, from + OFF_LENGTH) === 0) continue;
      let slot = this.#home(old, from);
      while (u8(slots, slot * SLOT_LEN + OFF_LENGTH) !== 0) slot = (slot + 1) & this.#mask;
      copy(old, from, slots, slot * SLOT_LEN, SLOT_LEN);
    }
    this.#slots = slots;
  }
}

/** What `find` and `delete` need not ask: a key that could not be set is not found. */
function checkKey(
  b: Uint8Array,
  addressAt: number,
  addressLength: number,
  port: number,
  protocol: number,
): void {
  if (addressLength !== 4 && addressLength !== 16) {
    throw new RangeError(`address of ${addressLength} octets`);
  }
  if (addressAt < 0 || addressAt + addressLength > b.length) {
    throw new RangeError('address outside its buffer');
  }
  if (port < 0 || port > 0xffff) throw new RangeError(`port ${port}`);
  if (protocol < 0 || protocol > 0xff) throw new RangeError(`protocol ${protocol}`);
}
