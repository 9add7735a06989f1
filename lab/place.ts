/** An address and a port, as configurations of programs have them. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** As in a URI: an IPv6 address stands in brackets. */
export function inUri({ address, port }: Place): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
