/** Transport addresses as values: an IP address in network order with a port. */

export type Family = 4 | 6;

export interface Endpoint {
  readonly family: Family;
  /** 4 or 16 octets, owned by the endpoint. */
  readonly address: Uint8Array;
  readonly port: number;
}
