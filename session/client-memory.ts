/**
 * What an agent has to remember of its tunnel for a successor to resume it, should it be killed: then
 * the calls go on, at the same public addresses (tep-wire 7).
 */
import type { Endpoint } from '../wire/address.ts';
import type { ClientBinding } from './client-bindings.ts';
import type { FlowProtocol } from './outputs.ts';

export interface ClientMemory {
  /** A secret: with it, and the credentials of the user, the tunnel can be taken over. */
  readonly token: Uint8Array;
  /** How long TEP-S keeps the tunnel without a connection. */
  readonly lifetimeMs: number;
  readonly bindings: readonly RememberedBinding[];
}

export interface RememberedBinding {
  readonly ue: Endpoint;
  readonly protocol: FlowProtocol;
  /** The public port. */
  readonly port: number;
  readonly pair: boolean;
}

/** Those that are granted. */
export function remembered(bindings: Iterable<ClientBinding>): RememberedBinding[] {
  return [...bindings].flatMap(({ first, protocol, isPair }) => {
    const { ue, address } = first;
    return address === undefined ? [] : [{ ue, protocol, port: address.port, pair: isPair }];
  });
}
