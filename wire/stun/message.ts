/**
 * A STUN message, RFC 8489 5 (RFC 5389 6), from octets to a plain object and back.
 *
 *    0               2               4               8                       20
 *    | 00 | type     | length        | 21 12 A4 42   | transaction id        | attributes …
 *
 * Type: M11…M7 C1 M6…M4 C0 M3…M0, method bits with the two class bits between them. The length
 * counts what follows the header and is a multiple of 4.
 */
import { copy, octetsOf, setU16, setU32, u8, u16, u32 } from '../bytes.ts';
import { FAULTS, type Fault } from '../faults.ts';
import {
  type Attribute,
  type AttributeName,
  type AttributeValues,
  attributeName,
  attributeSize,
  decodeAttribute,
  type KnownAttribute,
  writeAttribute,
} from './attributes.ts';
import { padded } from './codecs.ts';
import { fingerprint } from './fingerprint.ts';
import {
  HMAC_LEN,
  type IntegrityAlgorithm,
  type IntegrityOffsets,
  integrity,
  MIN_SHA256_LEN,
} from './integrity.ts';
import {
  ATTRIBUTES,
  CLASSES,
  COMPREHENSION_OPTIONAL,
  type ErrorCode,
  MAGIC_COOKIE,
  REASONS,
  type StunClass,
} from './registry.ts';

export const HEADER_LEN = 20;
export const TRANSACTION_ID_LEN = 12;
/** Longest message with its header (tep-wire 2): what fits an Ethernet frame. */
export const MAX_STUN_LEN = 1500;
/** More than any message of RFC 8489, 8656 or tep-wire has. */
export const MAX_ATTRIBUTES = 64;

const OFF_LENGTH = 2;
const OFF_COOKIE = 4;
const OFF_TRANSACTION_ID = 8;
const ATTRIBUTE_HEADER_LEN = 4;
const FINGERPRINT_LEN = 4;

/** What a message is made of, integrity and fingerprint apart. */
export interface StunParts {
  readonly class: StunClass;
  readonly method: number;
  /** 12 octets. */
  readonly transactionId: Uint8Array;
  /** In the order of the message; duplicates too, of which the first counts. */
  readonly attributes: readonly Attribute[];
}

export interface StunMessage extends StunParts, IntegrityOffsets {
  readonly type: 'stun';
  /** Octets from the start of the message to FINGERPRINT, which is right; 0 = absent. */
  readonly fingerprintAt: number;
  /** Numbers of the comprehension-required attributes that are not in our table, each once. */
  readonly unknownRequired: readonly number[];
}

/** What closes a message. */
export interface Protection {
  readonly integrity?: Integrity | undefined;
  readonly fingerprint?: boolean;
}

export interface Integrity {
  readonly key: Uint8Array;
  /** Two of them only in a first short-term request (RFC 8489 9.1.2). */
  readonly algorithms: readonly IntegrityAlgorithm[];
}

/** Whether the header at `at` is one of STUN. The rest of the message need not be there yet. */
export function looksLikeStun(b: Uint8Array, at: number, end: number): boolean {
  return checkHeader(b, at, end) === 0;
}

/**
 * Reads the one message that fills [at, end). A FINGERPRINT, where there is one, has been checked;
 * integrity has not (integrity.ts). Nothing in the result shares memory with `b`.
 */
export function decode(b: Uint8Array, at: number, end: number): StunMessage | Fault {
  const fault = checkHeader(b, at, end);
  if (fault !== 0) return fault;
  if (u16(b, at + OFF_LENGTH) !== end - at - HEADER_LEN) return FAULTS.STUN_LENGTH;
  const walk: Walk = { ...EMPTY_WALK, attributes: [], unknownRequired: [] };
  const bad = walkAttributes(walk, b, at, end);
  if (bad !== 0) return bad;
  const type = u16(b, at);
  return {
    type: 'stun',
    class: classOf(type),
    method: methodOf(type),
    transactionId: transactionIdAt(b, at),
    attributes: walk.attributes,
    unknownRequired: walk.unknownRequired,
    integrityAt: walk.integrityAt,
    integritySha256At: walk.integritySha256At,
    fingerprintAt: walk.fingerprintAt,
  };
}

/** Makes the octets: attributes in the order given, then integrity, then fingerprint. */
export function encode(parts: StunParts, protection: Protection = {}): Uint8Array {
  const algorithms = new Set(protection.integrity?.algorithms);
  let length = parts.attributes.reduce((sum, a) => sum + attributeSize(a), HEADER_LEN);
  for (const algorithm of algorithms) length += ATTRIBUTE_HEADER_LEN + HMAC_LEN[algorithm];
  if (protection.fingerprint) length += ATTRIBUTE_HEADER_LEN + FINGERPRINT_LEN;
  if (length > MAX_STUN_LEN) throw new RangeError(`STUN message of ${length} octets`);
  const out = new Uint8Array(length);
  writeHeader(out, parts, length);
  let at = HEADER_LEN;
  for (const attribute of parts.attributes) at = writeAttribute(attribute, out, at, 0);
  if (protection.integrity) at = writeIntegrity(out, at, protection.integrity);
  if (protection.fingerprint) writeFingerprint(out, at);
  return out;
}

/** The value of the first attribute of this name: duplicates do not count (RFC 8489 14). */
export function find<N extends AttributeName>(
  message: StunParts,
  name: N,
): AttributeValues[N] | undefined {
  for (const attribute of message.attributes) {
    if (attribute.type === name) return (attribute as KnownAttribute<N>).value;
  }
  return undefined;
}

export function has(message: StunParts, name: AttributeName): boolean {
  return message.attributes.some((attribute) => attribute.type === name);
}

/**
 * Whether an attribute of this name came with a value of a kind that we do not know, such as an address
 * family: to be ignored in a response (RFC 8489 6.3.3), a reason for 440 in a request (RFC 8656 7.2).
 */
export function hasForeign(message: StunParts, name: AttributeName): boolean {
  return message.attributes.some((a) => a.type === 'unknown' && a.number === ATTRIBUTES[name]);
}

/** An error response to `request` with ERROR-CODE first and the recommended reason phrase. */
export function errorResponse(
  request: Pick<StunParts, 'method' | 'transactionId'>,
  code: ErrorCode,
  attributes: readonly Attribute[] = [],
): StunParts {
  return {
    class: 'error',
    method: request.method,
    transactionId: request.transactionId,
    attributes: [{ type: 'ERROR-CODE', value: { code, reason: REASONS[code] } }, ...attributes],
  };
}

function checkHeader(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.STUN_SHORT;
  if (u8(b, at) > 0x3f) return FAULTS.STUN_TYPE;
  if (u32(b, at + OFF_COOKIE) !== MAGIC_COOKIE) return FAULTS.STUN_COOKIE;
  const length = u16(b, at + OFF_LENGTH);
  return length % 4 !== 0 || length > MAX_STUN_LEN - HEADER_LEN ? FAULTS.STUN_LENGTH : 0;
}

export function classOf(type: number): StunClass {
  return CLASSES[((type >> 7) & 2) | ((type >> 4) & 1)] ?? 'request';
}

export function methodOf(type: number): number {
  return (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2);
}

/** A copy of that of the message at `at`. */
export function transactionIdAt(b: Uint8Array, at: number): Uint8Array {
  const from = at + OFF_TRANSACTION_ID;
  return octetsOf(b, from, from + TRANSACTION_ID_LEN);
}

function typeOf(parts: StunParts): number {
  const m = parts.method;
  if (!(Number.isInteger(m) && m >= 0 && m <= 0xfff)) throw new RangeError('method of 12 bits');
  const c = CLASSES.indexOf(parts.class);
  return (m & 0x00f) | ((m & 0x070) << 1) | ((m & 0xf80) << 2) | ((c & 1) << 4) | ((c & 2) << 7);
}

/** What a walk over the attributes has found so far. */
interface Walk {
  attributes: Attribute[];
  unknownRequired: number[];
  integrityAt: number;
  integritySha256At: number;
  fingerprintAt: number;
}

const EMPTY_WALK = { integrityAt: 0, integritySha256At: 0, fingerprintAt: 0 };

function walkAttributes(walk: Walk, b: Uint8Array, start: number, end: number): 0 | Fault {
  let seen = 0;
  for (let at = start + HEADER_LEN; at < end; ) {
    // The last attribute must be FINGERPRINT where there is one (14.7).
    if (walk.fingerprintAt !== 0) return FAULTS.STUN_FINGERPRINT;
    const length = u16(b, at + 2);
    const next = at + ATTRIBUTE_HEADER_LEN + padded(length);
    if (next > end) return FAULTS.STUN_ATTRIBUTE;
    if (++seen > MAX_ATTRIBUTES) return FAULTS.STUN_ATTRIBUTES_MANY;
    const fault = takeAttribute(walk, b, start, at, length);
    if (fault !== 0) return fault;
    at = next;
  }
  return 0;
}

function takeAttribute(
  walk: Walk,
  b: Uint8Array,
  start: number,
  at: number,
  length: number,
): 0 | Fault {
  const number = u16(b, at);
  switch (number) {
    case ATTRIBUTES.FINGERPRINT:
      return takeFingerprint(walk, b, start, at, length);
    case ATTRIBUTES['MESSAGE-INTEGRITY']:
      if (walk.integrityAt !== 0 || walk.integritySha256At !== 0) return 0;
      walk.integrityAt = at - start;
      return length === HMAC_LEN.sha1 ? 0 : FAULTS.STUN_ATTRIBUTE;
    case ATTRIBUTES['MESSAGE-INTEGRITY-SHA256']:
      if (walk.integritySha256At !== 0) return 0;
      walk.integritySha256At = at - start;
      return length >= MIN_SHA256_LEN && length <= HMAC_LEN.sha256 && length % 4 === 0
        ? 0
        : FAULTS.STUN_ATTRIBUTE;
  }
  // RFC 8489 9: nothing that follows the integrity is protected by it, so it is not looked at.
  if (walk.integrityAt !== 0 || walk.integritySha256At !== 0) return 0;
  const attribute = decodeAttribute(b, number, at + ATTRIBUTE_HEADER_LEN, length, start);
  if (attribute === undefined) return FAULTS.STUN_ATTRIBUTE;
  walk.attributes.push(attribute);
  const required = number < COMPREHENSION_OPTIONAL && attributeName(number) === undefined;
  if (required && !walk.unknownRequired.includes(number)) walk.unknownRequired.push(number);
  return 0;
}

function takeFingerprint(
  walk: Walk,
  b: Uint8Array,
  start: number,
  at: number,
  length: number,
): 0 | Fault {
  if (length !== FINGERPRINT_LEN) return FAULTS.STUN_ATTRIBUTE;
  walk.fingerprintAt = at - start;
  const right = fingerprint(b, start, at) === u32(b, at + ATTRIBUTE_HEADER_LEN);
  return right ? 0 : FAULTS.STUN_FINGERPRINT;
}

function writeHeader(out: Uint8Array, parts: StunParts, length: number): void {
  if (parts.transactionId.length !== TRANSACTION_ID_LEN) {
    throw new RangeError('transaction id not of 12 octets');
  }
  setU16(out, 0, typeOf(parts));
  setU16(out, OFF_LENGTH, length - HEADER_LEN);
  setU32(out, OFF_COOKIE, MAGIC_COOKIE);
  copy(parts.transactionId, 0, out, OFF_TRANSACTION_ID, TRANSACTION_ID_LEN);
}

/** MESSAGE-INTEGRITY stands before MESSAGE-INTEGRITY-SHA256, whatever order they are asked for in. */
function writeIntegrity(out: Uint8Array, at: number, wanted: Integrity): number {
  for (const algorithm of ['sha1', 'sha256'] as const) {
    if (!wanted.algorithms.includes(algorithm)) continue;
    const name = algorithm === 'sha1' ? 'MESSAGE-INTEGRITY' : 'MESSAGE-INTEGRITY-SHA256';
    const length = HMAC_LEN[algorithm];
    setU16(out, at, ATTRIBUTES[name]);
    setU16(out, at + 2, length);
    out.set(integrity(out, 0, at, length, algorithm, wanted.key), at + ATTRIBUTE_HEADER_LEN);
    at += ATTRIBUTE_HEADER_LEN + length;
  }
  return at;
}

function writeFingerprint(out: Uint8Array, at: number): void {
  setU16(out, at, ATTRIBUTES.FINGERPRINT);
  setU16(out, at + 2, FINGERPRINT_LEN);
  setU32(out, at + ATTRIBUTE_HEADER_LEN, fingerprint(out, 0, at));
}
