/** Between the system's texts for addresses and our endpoints. */
import type { Endpoint } from '../wire/address.ts';
import { formatAddress, parseAddress } from '../wire/address.ts';

const MAPPED = '::ffff:';

/**
 * The endpoint that the system calls `text`: without the zone of a link-local address, and IPv4 where
 * a socket for both families says `::ffff:192.0.2.1`.
 */
export function endpointOf(text: string, port: number): Endpoint {
  const plain = text.startsWith(MAPPED) && text.includes('.') ? text.slice(MAPPED.length) : text;
  const address = parseAddress(plain.split('%', 1).join(''));
  if (address === undefined) throw new RangeError(`not an IP address: ${text}`);
  return { family: address.length === 4 ? 4 : 6, address, port };
}

export function hostOf(endpoint: Endpoint): string {
  return formatAddress(endpoint.address, 0, endpoint.address.length);
}
