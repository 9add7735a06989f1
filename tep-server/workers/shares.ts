/**
 * What one worker of several gets of what the settings give to the server: a part of the public ports or
 * of the pool, a packet port of its own, its part of the connections. No two have the same public port.
 */
import { placeOf } from '../../config/shared-keys.ts';
import type { IoFault } from '../../io/io-fault.ts';
import { DEFAULT_PORTS } from '../../session/address-modes.ts';
import type { PortRange } from '../../session/port-allocator.ts';
import { octetsOf, setU8, u8 } from '../../wire/bytes.ts';
import type { Prefix } from '../../wire/prefix.ts';
import type { ServerSettings } from '../settings.ts';

/** Rules of one packet port stand at three priorities. */
const PRIORITIES = 3;

/** The settings of worker `index` of `count`; or why there cannot be so many. */
export function shareOf(
  settings: ServerSettings,
  index: number,
  count: number,
): ServerSettings | IoFault {
  const mode = settings['addresses.mode'];
  const isPool = mode === 'pool';
  const ports = partOfPorts(settings.ports ?? DEFAULT_PORTS[mode], index, count);
  const prefixes = partOfPool(settings['addresses.public'], index, count);
  if (isPool ? prefixes.length === 0 : ports === undefined) {
    const what = isPool ? 'addresses.public' : 'ports';
    return { type: 'io-fault', code: 'ERANGE', text: `${what}: too few for ${count} workers` };
  }
  const perAddress = settings['limits.connections-per-address'];
  // The connections of a balancer come to all workers in turn, those of a client to one.
  const isBalanced = settings['proxy-protocol.from'].length > 0;
  return {
    ...settings,
    ...placeSettings(settings, index),
    ...(isPool ? { 'addresses.public': prefixes } : { ports }),
    'limits.connections': Math.max(1, Math.floor(settings['limits.connections'] / count)),
    'limits.connections-per-address': isBalanced ? Math.ceil(perAddress / count) : perAddress,
  };
}

/** Even ports at either end of each part, so that a pair is never divided. */
function partOfPorts(range: PortRange, index: number, count: number): PortRange | undefined {
  const first = range.first + (range.first % 2);
  const size = Math.floor((range.last + 1 - first) / (2 * count)) * 2;
  if (size === 0) return undefined;
  const begin = index === 0 ? range.first : first + index * size;
  const last = index === count - 1 ? range.last : first + (index + 1) * size - 1;
  return { first: begin, last };
}

/** Each prefix is cut in as many equal parts as it takes, and these are dealt in turn. */
function partOfPool(prefixes: readonly Prefix[], index: number, count: number): Prefix[] {
  const bits = Math.ceil(Math.log2(count));
  return prefixes
    .flatMap((prefix) => cut(prefix, Math.min(bits, prefix.address.length * 8 - prefix.length)))
    .filter((_, number) => number % count === index);
}

function cut({ family, address, length }: Prefix, bits: number): Prefix[] {
  return Array.from({ length: 2 ** bits }, (_, number) => {
    const part = octetsOf(address, 0, address.length);
    for (let bit = 0; bit < bits; bit++) {
      if (((number >> (bits - 1 - bit)) & 1) === 0) continue;
      const at = length + bit;
      setU8(part, at >> 3, u8(part, at >> 3) | (0x80 >> (at & 7)));
    }
    return { family, address: part, length: length + bits };
  });
}

/** `tep0`, `tep1`, …, with tables, priorities and marks of their own. */
function placeSettings(settings: ServerSettings, index: number) {
  const { name, table, priority, mark } = placeOf(settings);
  const [, stem = name, number = '0'] = /^(.*?)(\d*)$/.exec(name) ?? [];
  return {
    'packets.interface': `${stem}${Number(number) + index}`,
    'packets.table': table + index,
    'packets.priority': priority + PRIORITIES * index,
    'packets.mark': mark >>> index,
  };
}
