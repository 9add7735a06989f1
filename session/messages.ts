/**
 * The STUN messages of the tunnel (tep-wire 3, 4, 5, 7) without their authentication: all are of
 * method Binding and differ by the TEP attributes that they carry.
 */
import type { Endpoint, Family } from '../wire/address.ts';
import type { Attribute, TepBinding, TepStats } from '../wire/stun/attributes.ts';
import { find, type StunMessage, type StunParts } from '../wire/stun/message.ts';
import { METHODS } from '../wire/stun/registry.ts';
import type { Counters } from './counters.ts';

export const TOKEN_LEN = 16;

const MAX_DROPS = 0xffff_ffff;
const NOTHING_YET: TepStats = { records: 0, octets: 0, drops: 0 };

export function request(transactionId: Uint8Array, attributes: readonly Attribute[]): StunParts {
  return { class: 'request', method: METHODS.BINDING, transactionId, attributes };
}

/** A new tunnel without a token, else to join or resume the one of this token. */
export function openAttributes(
  token: Uint8Array | undefined,
  stripe: number,
  software: string,
): Attribute[] {
  const attributes: Attribute[] = [
    { type: 'TEP-TUNNEL', value: token ?? new Uint8Array(0) },
    { type: 'SOFTWARE', value: software },
  ];
  if (token !== undefined) attributes.push({ type: 'TEP-STRIPE', value: stripe });
  return attributes;
}

/** What a success to an opening request says (tep-wire 3). */
export interface Admission {
  readonly token: Uint8Array;
  /** The client's TCP address as TEP-S sees it. */
  readonly outer: Endpoint;
  readonly lifetimeMs: number;
  readonly software: string;
}

/** Or why it does not come from a TEP-S. */
export function admissionOf(message: StunMessage): Admission | string {
  const token = find(message, 'TEP-TUNNEL');
  if (token?.length !== TOKEN_LEN) return 'an ordinary STUN server answered';
  const outer = find(message, 'XOR-MAPPED-ADDRESS');
  const lifetime = find(message, 'LIFETIME');
  if (outer === undefined || lifetime === undefined) {
    return 'no address or no LIFETIME in the answer';
  }
  const software = find(message, 'SOFTWARE') ?? '';
  return { token, outer, lifetimeMs: lifetime * 1000, software };
}

/** REQUESTED-ADDRESS-FAMILY only where the family is not that of the outer address. */
export function bindAttributes(binding: TepBinding, family: Family, outer: Family): Attribute[] {
  const wanted: Attribute = { type: 'TEP-BINDING', value: binding };
  return family === outer
    ? [wanted]
    : [wanted, { type: 'REQUESTED-ADDRESS-FAMILY', value: family }];
}

/** What an end has received and dropped until now. */
export function statsOf(counters: Counters): TepStats {
  const { receivedRecords: records, receivedOctets: octets, dropped: drops } = counters;
  return { records, octets, drops };
}

/** Counted from the start of the tunnel, when the counters were `before`. */
export function statsAttribute(counters: Counters, before: TepStats = NOTHING_YET): Attribute {
  const { records, octets, drops } = statsOf(counters);
  const value: TepStats = {
    records: records - before.records,
    octets: octets - before.octets,
    drops: Math.min(drops - before.drops, MAX_DROPS),
  };
  return { type: 'TEP-STATS', value };
}

export function success(to: StunMessage, attributes: readonly Attribute[]): StunParts {
  return {
    class: 'success',
    method: to.method,
    transactionId: to.transactionId,
    attributes,
  };
}

export function mapped(address: Endpoint): Attribute {
  return { type: 'XOR-MAPPED-ADDRESS', value: address };
}
