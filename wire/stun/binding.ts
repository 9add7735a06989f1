/** Binding without authentication: ordinary STUN clients, keep-alives, and answers to broken requests. */
import type { Endpoint } from '../address.ts';
import { u16 } from '../bytes.ts';
import type { Attribute } from './attributes.ts';
import {
  classOf,
  decode,
  encode,
  errorResponse,
  looksLikeStun,
  methodOf,
  type StunMessage,
  transactionIdAt,
} from './message.ts';
import { METHODS } from './registry.ts';
import { notUnderstood } from './server-auth.ts';

/**
 * The answer to a plain Binding request (RFC 8489 6.3.1): where it came from, or 420. FINGERPRINT is
 * there when the request had one. `undefined`: not a Binding request, there is nothing to answer.
 */
export function answerBinding(
  request: StunMessage,
  client: Endpoint,
  software: string,
): Uint8Array | undefined {
  if (request.class !== 'request' || request.method !== METHODS.BINDING) return undefined;
  const protection = { fingerprint: request.fingerprintAt !== 0 };
  const ours: Attribute = { type: 'SOFTWARE', value: software };
  const unknown = notUnderstood(request);
  if (unknown.length > 0) {
    const list: Attribute = { type: 'UNKNOWN-ATTRIBUTES', value: unknown };
    return encode(errorResponse(request, 420, [list, ours]), protection);
  }
  return encode(
    {
      class: 'success',
      method: METHODS.BINDING,
      transactionId: request.transactionId,
      attributes: [{ type: 'XOR-MAPPED-ADDRESS', value: client }, ours],
    },
    protection,
  );
}

/** The same for what came by UDP and may be anything. */
export function answerDatagram(
  b: Uint8Array,
  at: number,
  end: number,
  client: Endpoint,
  software: string,
): Uint8Array | undefined {
  if (!looksLikeStun(b, at, end)) return undefined;
  const message = decode(b, at, end);
  return typeof message === 'number' ? undefined : answerBinding(message, client, software);
}

/** The keep-alive of RFC 8445 11 and tep-wire 7: an indication with FINGERPRINT and nothing else. */
export function keepAlive(transactionId: Uint8Array): Uint8Array {
  return encode(
    { class: 'indication', method: METHODS.BINDING, transactionId, attributes: [] },
    { fingerprint: true },
  );
}

/**
 * The 400 for a request that `decode` refused for its attributes. `undefined`: not a request, or no
 * header to take a transaction id from.
 */
export function answerBroken(b: Uint8Array, at: number, end: number): Uint8Array | undefined {
  if (!looksLikeStun(b, at, end)) return undefined;
  const type = u16(b, at);
  if (classOf(type) !== 'request') return undefined;
  const transactionId = transactionIdAt(b, at);
  return encode(errorResponse({ method: methodOf(type), transactionId }, 400), {
    fingerprint: true,
  });
}
