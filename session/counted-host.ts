/**
 * Who is counted as one host where nobody has said yet who he is, or nobody is asked: an IPv4 address; of
 * IPv6 a /64, which is what one host or one customer has (RFC 6177).
 */
import { formatAddress } from '../wire/address.ts';

/** In octets. */
const HOST_PREFIX_LEN = 8;

/** The same text for all addresses, of 4 or 16 octets, of one host. */
export function countedHost(address: Uint8Array): string {
  const isSingle = address.length <= HOST_PREFIX_LEN;
  const host = isSingle ? address : address.map((octet, i) => (i < HOST_PREFIX_LEN ? octet : 0));
  return formatAddress(host, 0, host.length);
}
