/** `--media PREFIX[:PORTS]`: `198.51.100.0/24`, `198.51.100.7:20000-20100`, `[2001:db8::/32]:5004`. */
import { type Endpoint, MAX_PORT } from '../../wire/address.ts';
import { type Prefix, parsePrefix, prefixContains } from '../../wire/prefix.ts';

export interface MediaRule {
  readonly prefix: Prefix;
  readonly firstPort: number;
  readonly lastPort: number;
  contains(endpoint: Endpoint): boolean;
}

const BRACKETED = /^\[([^\]]+)\](?::(.+))?$/;
const DOTTED = /^([0-9]+\.[0-9./]+)(?::(.+))?$/;
const PORTS = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** Undefined when the text is no such rule. IPv6 without ports may stand without brackets. */
export function parseMediaRule(text: string): MediaRule | undefined {
  const parts = BRACKETED.exec(text) ?? DOTTED.exec(text);
  const prefix = parsePrefix(parts?.[1] ?? text);
  const ports = parsePorts(parts?.[2]);
  if (prefix === undefined || ports === undefined) return undefined;
  const [firstPort, lastPort] = ports;
  const contains = ({ address, port }: Endpoint) =>
    prefixContains(prefix, address, 0, address.length) && port >= firstPort && port <= lastPort;
  return { prefix, firstPort, lastPort, contains };
}

function parsePorts(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return [1, MAX_PORT];
  const found = PORTS.exec(text);
  if (found === null) return undefined;
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return first >= 1 && first <= last && last <= MAX_PORT ? [first, last] : undefined;
}
