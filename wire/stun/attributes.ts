/**
 * The attributes of STUN by number: name and codec. MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and
 * FINGERPRINT are not here: they are about the octets of the message and are made and checked with
 * it (message.ts).
 *
 *    0               2               4
 *    | type          | length        | value … padded to a multiple of 4 |     RFC 8489 14
 *
 * The length counts the value without its padding.
 */
import type { Endpoint } from '../address.ts';
import { octetsOf, setU16, setU32, u8, u16, u32 } from '../bytes.ts';
import * as codecs from './codecs.ts';
import { ATTRIBUTES } from './registry.ts';

/** What each attribute carries, by the name that the RFC prints. */
export interface AttributeValues {
  'MAPPED-ADDRESS': Endpoint;
  USERNAME: string;
  'ERROR-CODE': codecs.ErrorValue;
  'UNKNOWN-ATTRIBUTES': readonly number[];
  REALM: string;
  NONCE: string;
  'PASSWORD-ALGORITHM': codecs.PasswordAlgorithm;
  /** 32 octets. */
  USERHASH: Uint8Array;
  'XOR-MAPPED-ADDRESS': Endpoint;
  'PASSWORD-ALGORITHMS': readonly codecs.PasswordAlgorithm[];
  'ALTERNATE-DOMAIN': string;
  SOFTWARE: string;
  'ALTERNATE-SERVER': Endpoint;
  'CHANNEL-NUMBER': number;
  /** Seconds. */
  LIFETIME: number;
  'XOR-PEER-ADDRESS': Endpoint;
  DATA: Uint8Array;
  'XOR-RELAYED-ADDRESS': Endpoint;
  'REQUESTED-ADDRESS-FAMILY': 4 | 6;
  /** Whether the next higher port is to be reserved too. */
  'EVEN-PORT': boolean;
  /** A protocol number of IP. */
  'REQUESTED-TRANSPORT': number;
  'DONT-FRAGMENT': true;
  /** 8 octets. */
  'RESERVATION-TOKEN': Uint8Array;
  'ADDITIONAL-ADDRESS-FAMILY': 4 | 6;
  'ADDRESS-ERROR-CODE': codecs.ErrorValue & { readonly family: 4 | 6 };
  ICMP: { readonly type: number; readonly code: number; readonly data: number };
  'CONNECTION-ID': number;
  PRIORITY: number;
  'USE-CANDIDATE': true;
  'ICE-CONTROLLED': bigint;
  'ICE-CONTROLLING': bigint;
  'CHANGE-REQUEST': { readonly ip: boolean; readonly port: boolean };
  PADDING: Uint8Array;
  'RESPONSE-PORT': number;
  /** Seconds. */
  'CACHE-TIMEOUT': number;
  'RESPONSE-ORIGIN': Endpoint;
  'OTHER-ADDRESS': Endpoint;
  /** Empty or a token of 16 octets. */
  'TEP-TUNNEL': Uint8Array;
  'TEP-BINDING': TepBinding;
  'TEP-CLOSE': true;
  /** Index of this connection, from 0. */
  'TEP-STRIPE': number;
  'TEP-STATS': TepStats;
}
export type AttributeName = keyof AttributeValues;

/** tep-wire 4: wanted or granted port (0 = any), `BINDING_FLAGS`, protocol number of IP. */
export interface TepBinding {
  readonly port: number;
  readonly flags: number;
  readonly protocol: number;
}

/**
 * tep-wire 7: what the sender of the attribute has received since the start. The two 64-bit counters
 * are numbers: exact up to 2^53 − 1, and a larger one that a peer sends is read as 2^53 − 1.
 */
export interface TepStats {
  readonly records: number;
  readonly octets: number;
  /** 32 bits. */
  readonly drops: number;
}

/** An attribute that is in our table. */
export type KnownAttribute<N extends AttributeName = AttributeName> = {
  readonly [K in N]: { readonly type: K; readonly value: AttributeValues[K] };
}[N];

/** Any other one, its octets kept as they came. */
export interface UnknownAttribute {
  readonly type: 'unknown';
  readonly number: number;
  readonly value: Uint8Array;
}

export type Attribute = KnownAttribute | UnknownAttribute;

const PLAIN_ENDPOINT = codecs.endpoint(false);
const XOR_ENDPOINT = codecs.endpoint(true);

/** Upper bound for values that nothing but the message itself bounds. */
const MAX_OCTETS = 0xffff;

const CODECS: { readonly [N in AttributeName]: codecs.Codec<AttributeValues[N]> } = {
  'MAPPED-ADDRESS': PLAIN_ENDPOINT,
  USERNAME: codecs.text(true, 508),
  'ERROR-CODE': codecs.error,
  'UNKNOWN-ATTRIBUTES': codecs.types,
  REALM: codecs.text(true, 508, 127),
  NONCE: codecs.text(true, 508, 127),
  'PASSWORD-ALGORITHM': codecs.passwordAlgorithm,
  USERHASH: codecs.octets(32, 32),
  'XOR-MAPPED-ADDRESS': XOR_ENDPOINT,
  'PASSWORD-ALGORITHMS': codecs.passwordAlgorithms,
  'ALTERNATE-DOMAIN': codecs.text(true, 255),
  SOFTWARE: codecs.text(false, 508, 127),
  'ALTERNATE-SERVER': PLAIN_ENDPOINT,
  'CHANNEL-NUMBER': codecs.uint16Padded,
  LIFETIME: codecs.uint32,
  'XOR-PEER-ADDRESS': XOR_ENDPOINT,
  DATA: codecs.octets(0, MAX_OCTETS),
  'XOR-RELAYED-ADDRESS': XOR_ENDPOINT,
  'REQUESTED-ADDRESS-FAMILY': codecs.family,
  'EVEN-PORT': codecs.fixed(
    1,
    (b, at) => (u8(b, at) & 0x80) !== 0,
    (value, out, at) => out.fill(value ? 0x80 : 0, at, at + 1),
  ),
  'REQUESTED-TRANSPORT': codecs.uint8Padded,
  'DONT-FRAGMENT': codecs.flag,
  'RESERVATION-TOKEN': codecs.octets(8, 8),
  'ADDITIONAL-ADDRESS-FAMILY': codecs.family,
  'ADDRESS-ERROR-CODE': {
    decode(b, at, length, messageAt) {
      if (length < 4) return undefined;
      const family = codecs.family.decode(b, at, 4, messageAt);
      const value = codecs.error.decode(b, at, length, messageAt);
      return family && value ? { family, ...value } : value && null;
    },
    size: (value) => codecs.error.size(value),
    write(value, out, at, messageAt) {
      codecs.error.write(value, out, at, messageAt);
      codecs.family.write(value.family, out, at, messageAt);
    },
  },
  ICMP: codecs.fixed(
    8,
    (b, at) => ({ type: u8(b, at + 2), code: u8(b, at + 3), data: u32(b, at + 4) }),
    (value, out, at) => {
      setU16(out, at + 2, codecs.inRange(value.type * 256 + value.code, 0xffff));
      setU32(out, at + 4, codecs.inRange(value.data, 0xffffffff));
    },
  ),
  'CONNECTION-ID': codecs.uint32,
  PRIORITY: codecs.uint32,
  'USE-CANDIDATE': codecs.flag,
  'ICE-CONTROLLED': codecs.uint64,
  'ICE-CONTROLLING': codecs.uint64,
  'CHANGE-REQUEST': codecs.fixed(
    4,
    (b, at) => ({ ip: (u8(b, at + 3) & 0x04) !== 0, port: (u8(b, at + 3) & 0x02) !== 0 }),
    (value, out, at) => setU32(out, at, (value.ip ? 0x04 : 0) | (value.port ? 0x02 : 0)),
  ),
  PADDING: codecs.octets(0, MAX_OCTETS),
  // RFC 5780 7.5 says "16 bits followed by 2 bytes of padding": padding of the attribute, which its
  // length does not count, for most; part of the value for some.
  'RESPONSE-PORT': {
    ...codecs.uint16,
    decode: (b, at, length) => (length === 2 || length === 4 ? u16(b, at) : undefined),
  },
  'CACHE-TIMEOUT': codecs.uint32,
  'RESPONSE-ORIGIN': PLAIN_ENDPOINT,
  'OTHER-ADDRESS': PLAIN_ENDPOINT,
  'TEP-TUNNEL': tunnelCodec(),
  'TEP-BINDING': codecs.fixed(
    4,
    (b, at) => ({ port: u16(b, at), flags: u8(b, at + 2), protocol: u8(b, at + 3) }),
    (value, out, at) => {
      setU16(out, at, codecs.inRange(value.port, 0xffff));
      setU16(
        out,
        at + 2,
        codecs.inRange(value.flags, 0xff) * 256 + codecs.inRange(value.protocol, 0xff),
      );
    },
  ),
  'TEP-CLOSE': codecs.flag,
  'TEP-STRIPE': codecs.uint16,
  'TEP-STATS': codecs.fixed(
    20,
    (b, at) => ({ records: count(b, at), octets: count(b, at + 8), drops: u32(b, at + 16) }),
    (value, out, at) => {
      setCount(out, at, value.records);
      setCount(out, at + 8, value.octets);
      setU32(out, at + 16, codecs.inRange(value.drops, 0xffffffff));
    },
  ),
};

const NAMES: ReadonlyMap<number, AttributeName> = new Map(
  (Object.keys(CODECS) as AttributeName[]).map((name) => [ATTRIBUTES[name], name]),
);

/** The name under which `decode` gives an attribute of this number; none: it is unknown to us. */
export function attributeName(number: number): AttributeName | undefined {
  return NAMES.get(number);
}

/** The attribute whose value stands at `at`; `undefined`: malformed. */
export function decodeAttribute(
  b: Uint8Array,
  number: number,
  at: number,
  length: number,
  messageAt: number,
): Attribute | undefined {
  const name = NAMES.get(number);
  if (name !== undefined) {
    const value = CODECS[name].decode(b, at, length, messageAt);
    if (value === undefined) return undefined;
    if (value !== null) return { type: name, value } as KnownAttribute;
  }
  return { type: 'unknown', number, value: octetsOf(b, at, at + length) };
}

/** Octets of the whole attribute with header and padding. */
export function attributeSize(attribute: Attribute): number {
  return 4 + codecs.padded(valueSize(attribute));
}

/** Writes header and value to `out`, which is zero there (so is the padding); gives the next place. */
export function writeAttribute(
  attribute: Attribute,
  out: Uint8Array,
  at: number,
  messageAt: number,
): number {
  const length = valueSize(attribute);
  const known = attribute.type !== 'unknown';
  setU16(out, at, known ? ATTRIBUTES[attribute.type] : codecs.inRange(attribute.number, 0xffff));
  setU16(out, at + 2, length);
  if (attribute.type === 'unknown') out.set(attribute.value, at + 4);
  else codecOf(attribute.type).write(attribute.value, out, at + 4, messageAt);
  return at + 4 + codecs.padded(length);
}

function valueSize(attribute: Attribute): number {
  if (attribute.type === 'unknown') return attribute.value.length;
  return codecOf(attribute.type).size(attribute.value);
}

/** A codec that takes whatever value its own attribute carries: the type of `Attribute` pairs them. */
function codecOf(name: AttributeName): codecs.Codec<unknown> {
  return CODECS[name];
}

/** TEP-TUNNEL: nothing or exactly a token (tep-wire 4). */
function tunnelCodec(): codecs.Codec<Uint8Array> {
  const none = codecs.octets(0, 0);
  const token = codecs.octets(16, 16);
  return {
    decode: (b, at, length, messageAt) =>
      (length === 0 ? none : token).decode(b, at, length, messageAt),
    size: (value) => (value.length === 0 ? none : token).size(value),
    write: (value, out, at, messageAt) => token.write(value, out, at, messageAt),
  };
}

function count(b: Uint8Array, at: number): number {
  return Math.min(u32(b, at) * 2 ** 32 + u32(b, at + 4), Number.MAX_SAFE_INTEGER);
}

function setCount(out: Uint8Array, at: number, value: number): void {
  codecs.inRange(value, Number.MAX_SAFE_INTEGER);
  setU32(out, at, Math.floor(value / 2 ** 32));
  setU32(out, at + 4, value >>> 0);
}
