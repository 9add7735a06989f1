/**
 * Numbers and names of STUN: RFC 8489 18, RFC 8656 17–19 (TURN), RFC 6062 6 (TURN-TCP), RFC 8445 20
 * (ICE), RFC 5780 9 (behaviour discovery), and the five of tep-wire 4. Names are printed as the RFCs
 * print them, so that a log, a test and the text of the standard can be searched for the same word.
 */

/** `21 12 A4 42` at octets 4–7 of every message (RFC 8489 5). */
export const MAGIC_COOKIE = 0x2112a442;

/** RFC 8489 18.2, RFC 8656 17, RFC 6062 6.1. */
export const METHODS = {
  BINDING: 0x001,
  ALLOCATE: 0x003,
  REFRESH: 0x004,
  SEND: 0x006,
  DATA: 0x007,
  CREATE_PERMISSION: 0x008,
  CHANNEL_BIND: 0x009,
  CONNECT: 0x00a,
  CONNECTION_BIND: 0x00b,
  CONNECTION_ATTEMPT: 0x00c,
} as const;

/** The two class bits, in the order of their numbers (RFC 8489 5). */
export const CLASSES = ['request', 'indication', 'success', 'error'] as const;
export type StunClass = (typeof CLASSES)[number];

/** Below this an attribute must be understood, from here on it may be skipped (RFC 8489 14). */
export const COMPREHENSION_OPTIONAL = 0x8000;

export const ATTRIBUTES = {
  // RFC 8489 18.3
  'MAPPED-ADDRESS': 0x0001,
  USERNAME: 0x0006,
  'MESSAGE-INTEGRITY': 0x0008,
  'ERROR-CODE': 0x0009,
  'UNKNOWN-ATTRIBUTES': 0x000a,
  REALM: 0x0014,
  NONCE: 0x0015,
  'MESSAGE-INTEGRITY-SHA256': 0x001c,
  'PASSWORD-ALGORITHM': 0x001d,
  USERHASH: 0x001e,
  'XOR-MAPPED-ADDRESS': 0x0020,
  'PASSWORD-ALGORITHMS': 0x8002,
  'ALTERNATE-DOMAIN': 0x8003,
  SOFTWARE: 0x8022,
  'ALTERNATE-SERVER': 0x8023,
  FINGERPRINT: 0x8028,
  // RFC 8656 18
  'CHANNEL-NUMBER': 0x000c,
  LIFETIME: 0x000d,
  'XOR-PEER-ADDRESS': 0x0012,
  DATA: 0x0013,
  'XOR-RELAYED-ADDRESS': 0x0016,
  'REQUESTED-ADDRESS-FAMILY': 0x0017,
  'EVEN-PORT': 0x0018,
  'REQUESTED-TRANSPORT': 0x0019,
  'DONT-FRAGMENT': 0x001a,
  'RESERVATION-TOKEN': 0x0022,
  'ADDITIONAL-ADDRESS-FAMILY': 0x8000,
  'ADDRESS-ERROR-CODE': 0x8001,
  ICMP: 0x8004,
  // RFC 6062 6.2
  'CONNECTION-ID': 0x002a,
  // RFC 8445 20.1
  PRIORITY: 0x0024,
  'USE-CANDIDATE': 0x0025,
  'ICE-CONTROLLED': 0x8029,
  'ICE-CONTROLLING': 0x802a,
  // RFC 5780 9.1
  'CHANGE-REQUEST': 0x0003,
  PADDING: 0x0026,
  'RESPONSE-PORT': 0x0027,
  'CACHE-TIMEOUT': 0x8027,
  'RESPONSE-ORIGIN': 0x802b,
  'OTHER-ADDRESS': 0x802c,
  // tep-wire 4
  'TEP-TUNNEL': 0xd3e0,
  'TEP-BINDING': 0xd3e1,
  'TEP-CLOSE': 0xd3e2,
  'TEP-STRIPE': 0xd3e3,
  'TEP-STATS': 0xd3e4,
} as const;

/** Error codes with their recommended reasons: RFC 8489 14.8, RFC 8656 19, RFC 6062 6.3, RFC 8445 20.2. */
export const REASONS = {
  300: 'Try Alternate',
  400: 'Bad Request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  420: 'Unknown Attribute',
  437: 'Allocation Mismatch',
  438: 'Stale Nonce',
  440: 'Address Family not Supported',
  441: 'Wrong Credentials',
  442: 'Unsupported Transport Protocol',
  443: 'Peer Address Family Mismatch',
  446: 'Connection Already Exists',
  447: 'Connection Timeout or Failure',
  486: 'Allocation Quota Reached',
  487: 'Role Conflict',
  500: 'Server Error',
  508: 'Insufficient Capacity',
} as const;
export type ErrorCode = keyof typeof REASONS;

/** Password algorithms: RFC 8489 18.5. Both have empty parameters. */
export const PASSWORD_ALGORITHMS = { MD5: 0x0001, SHA256: 0x0002 } as const;

/** Flags of TEP-BINDING (tep-wire 4). */
export const BINDING_FLAGS = { EVEN_PORT: 0x01, RELEASE: 0x02 } as const;
