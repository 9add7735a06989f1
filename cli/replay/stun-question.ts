/** What a media socket asks a STUN server, unlike a connectivity check of ICE, and what it is told. */
import type { Endpoint } from '../../wire/address.ts';
import type { PacketView } from '../../wire/packet.ts';
import { decode, find, has, type StunMessage } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';

/** A Binding request without a user name (RFC 8489; tep-wire 5). */
export function isPlainBindingRequest(b: Uint8Array, view: PacketView): boolean {
  const message = messageIn(b, view);
  if (message === undefined || message.method !== METHODS.BINDING) return false;
  return message.class === 'request' && !has(message, 'USERNAME');
}

/** The address that an answer tells; undefined when the packet is no such answer. */
export function toldAddress(b: Uint8Array, view: PacketView): Endpoint | undefined {
  const message = messageIn(b, view);
  return message?.class === 'success' ? find(message, 'XOR-MAPPED-ADDRESS') : undefined;
}

function messageIn(b: Uint8Array, { payload, payloadEnd }: PacketView): StunMessage | undefined {
  const message = decode(b, payload, payloadEnd);
  return typeof message === 'number' ? undefined : message;
}
