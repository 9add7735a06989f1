/**
 * From a flow, both directions alike, to a small number; asked for every packet of a capture, so it
 * makes no object. The lesser end stands first in the key, and `reversed` tells which way the packet
 * went.
 *
 * Open addressing with linear probing, at most half full. One slot:
 *
 *    0           16          32      34      36     37    38     40
 *    | lesser    | greater   | port  | port  | prot | len | free | value …44 |
 *
 * Nothing is deleted: who wants to forget old flows begins a new table (flows.ts).
 */
import type { Endpoint } from '../../wire/address.ts';
import { copy, equal, setU8, setU16, setU32, u8, u16, u32 } from '../../wire/bytes.ts';
import type { PacketView } from '../../wire/packet.ts';

const SLOT_LEN = 44;
const OFF_GREATER = 16;
const OFF_LESSER_PORT = 32;
const OFF_GREATER_PORT = 34;
const OFF_PROTOCOL = 36;
const OFF_LENGTH = 37;
const OFF_VALUE = 40;
const FIRST_SLOTS = 256;

export const NO_FLOW = -1;

export class FlowTable {
  /** Of the last `find` and `add`: the packet went from the greater end to the lesser. */
  reversed = false;
  #size = 0;
  #slots = new Uint8Array(FIRST_SLOTS * SLOT_LEN);
  #mask = FIRST_SLOTS - 1;
  /** The key that is looked for, laid out like the beginning of a slot. */
  readonly #key = new Uint8Array(SLOT_LEN);

  get size(): number {
    return this.#size;
  }

  /** The number of the flow that this packet belongs to, or NO_FLOW. */
  find(b: Uint8Array, view: PacketView): number {
    return this.#findEnds(
      b,
      view.protocol,
      view.addressLength,
      view.sourceAt,
      view.sourcePort,
      view.destinationAt,
      view.destinationPort,
    );
  }

  /** The flow of the packet inside an ICMP error, in the direction that this packet had. */
  findEmbedded(b: Uint8Array, view: PacketView): number {
    return this.#findEnds(
      b,
      view.embeddedProtocol,
      view.addressLength,
      view.embeddedSourceAt,
      view.embeddedSourcePort,
      view.embeddedDestinationAt,
      view.embeddedDestinationPort,
    );
  }

  /** The ends must be those of a flow that is not in the table yet. */
  add(b: Uint8Array, view: PacketView, value: number): void {
    this.#addNew(this.find(b, view), value);
  }

  /** The same for a flow known by its ends; `reversed` tells whether `a` is the greater. */
  addEnds(protocol: number, a: Endpoint, b: Endpoint, value: number): void {
    const n = a.address.length;
    const both = new Uint8Array(2 * n);
    both.set(a.address);
    both.set(b.address, n);
    this.#addNew(this.#findEnds(both, protocol, n, 0, a.port, n, b.port), value);
  }

  #addNew(found: number, value: number): void {
    if (found !== NO_FLOW) throw new RangeError('flow is in the table already');
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    this.#place(this.#key, 0, value);
    this.#size += 1;
  }

  #findEnds(
    b: Uint8Array,
    protocol: number,
    length: number,
    sourceAt: number,
    sourcePort: number,
    destinationAt: number,
    destinationPort: number,
  ): number {
    const reversed = greater(b, sourceAt, sourcePort, destinationAt, destinationPort, length);
    this.reversed = reversed;
    const key = this.#key;
    copy(b, reversed ? destinationAt : sourceAt, key, 0, length);
    copy(b, reversed ? sourceAt : destinationAt, key, OFF_GREATER, length);
    setU16(key, OFF_LESSER_PORT, reversed ? destinationPort : sourcePort);
    setU16(key, OFF_GREATER_PORT, reversed ? sourcePort : destinationPort);
    setU8(key, OFF_PROTOCOL, protocol);
    setU8(key, OFF_LENGTH, length);
    const at = this.#locate(key, 0);
    return u8(this.#slots, at + OFF_LENGTH) === 0 ? NO_FLOW : u32(this.#slots, at + OFF_VALUE);
  }

  /** Offset of the slot that has this key, or of the free one where it would go. */
  #locate(key: Uint8Array, keyAt: number): number {
    const slots = this.#slots;
    let slot = hash(key, keyAt) & this.#mask;
    for (;;) {
      const at = slot * SLOT_LEN;
      if (u8(slots, at + OFF_LENGTH) === 0 || sameKey(slots, at, key, keyAt)) return at;
      slot = (slot + 1) & this.#mask;
    }
  }

  #place(key: Uint8Array, keyAt: number, value: number): void {
    const at = this.#locate(key, keyAt);
    copy(key, keyAt, this.#slots, at, OFF_VALUE);
    setU32(this.#slots, at + OFF_VALUE, value);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint8Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < old.length; at += SLOT_LEN) {
      if (u8(old, at + OFF_LENGTH) !== 0) this.#place(old, at, u32(old, at + OFF_VALUE));
    }
  }
}

/** Whether source is the greater end: by address, then by port. */
function greater(
  b: Uint8Array,
  sourceAt: number,
  sourcePort: number,
  destinationAt: number,
  destinationPort: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) {
    const difference = u8(b, sourceAt + i) - u8(b, destinationAt + i);
    if (difference !== 0) return difference > 0;
  }
  return sourcePort > destinationPort;
}

/** The ports tell most; of an address of 4 octets the rest of its 16 are zero and not compared. */
function sameKey(slots: Uint8Array, at: number, key: Uint8Array, keyAt: number): boolean {
  const length = u8(key, keyAt + OFF_LENGTH);
  return (
    u32(slots, at + OFF_LESSER_PORT) === u32(key, keyAt + OFF_LESSER_PORT) &&
    u16(slots, at + OFF_PROTOCOL) === u16(key, keyAt + OFF_PROTOCOL) &&
    equal(slots, at, key, keyAt, length) &&
    equal(slots, at + OFF_GREATER, key, keyAt + OFF_GREATER, length)
  );
}

/** Captures are no adversary that chooses keys to collide; a crafted one is only slow. */
function hash(key: Uint8Array, at: number): number {
  const length = u8(key, at + OFF_LENGTH);
  let h = u32(key, at + OFF_LESSER_PORT) ^ u8(key, at + OFF_PROTOCOL);
  for (let i = 0; i < length; i += 4) {
    h = Math.imul(h ^ u32(key, at + i), 0x9e37_79b1);
    h = Math.imul((h ^ (h >>> 15)) + u32(key, at + OFF_GREATER + i), 0x85eb_ca77);
  }
  return (h ^ (h >>> 13)) >>> 0;
}
