/**
 * The CONNECT request that asks a proxy for a tunnel (RFC 9110 clause 9.3.6):
 *
 *     CONNECT tep.example:443 HTTP/1.1
 *     Host: tep.example:443
 *     User-Agent: 3GPP-IMS-FS_FIRE/1.0
 *
 * The lines after Host are the marker, by which a proxy knows IMS traffic (H-01). `ALPN` (RFC 7639)
 * can be one of them; it is none by default, because the tunnel has no registered protocol name and
 * a wrong one would be a lie to whoever wrote the proxy's rules.
 */
import { Buffer } from 'node:buffer';
import { MAX_PORT } from '../../wire/address.ts';

/** The example of TR 33.830 clause 4.8.2, in a field that every proxy can match (H-02). */
export const DEFAULT_MARKER: readonly string[] = ['User-Agent: 3GPP-IMS-FS_FIRE/1.0'];

export interface ConnectRequest {
  /** Where the tunnel shall lead to, as `authority` writes it. */
  readonly authority: string;
  readonly marker: readonly string[];
  /** Value of Proxy-Authorization; an octet per character. */
  readonly authorization?: string | undefined;
}

const MAX_HOST_LEN = 255;
const NAME = /^[\w.~!$&'()*+,;=%-]+$/;
const IPV6 = /^[\dA-Fa-f:.]+$/;
const FIELD_LINE = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)$/;

/** They say where a request goes, who asks or where it ends: not for a marker to decide. */
const RESERVED =
  /^(?:host|connection|proxy-.*|content-length|transfer-encoding|te|trailer|upgrade)$/i;

/** `host:port`, IPv6 in brackets; undefined when that cannot be the target of a CONNECT. */
export function authority(host: string, port: number): string | undefined {
  if (host.length > MAX_HOST_LEN || !(port >= 1 && port <= MAX_PORT)) return undefined;
  if (NAME.test(host)) return `${host}:${port}`;
  return host.includes(':') && IPV6.test(host) ? `[${host}]:${port}` : undefined;
}

/** What is wrong with a line that shall be a marker; undefined when nothing is. */
export function markerProblem(line: string): string | undefined {
  const name = FIELD_LINE.exec(line)?.[1];
  if (name === undefined) return 'a marker is one header line, `Name: value`, in ASCII';
  return RESERVED.test(name) ? `${name} cannot be a marker` : undefined;
}

export function writeConnect(request: ConnectRequest): Uint8Array {
  const { authorization, marker } = request;
  const lines = [`CONNECT ${request.authority} HTTP/1.1`, `Host: ${request.authority}`, ...marker];
  if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`);
  for (const line of lines) {
    if (/[\r\n\0]/.test(line)) throw new RangeError('a header line holds the end of a line');
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
