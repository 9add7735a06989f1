/**
 * Where TEP-S itself can be reached, as rules of what is refused (session/policy.ts): a client must not
 * come back to its listeners, or to whoever else has the same port of this host, through a tunnel.
 */
import { networkInterfaces } from 'node:os';
import { DEFAULT_PORTS } from '../session/address-modes.ts';
import type { PolicyRule } from '../session/policy.ts';
import { type Endpoint, MAX_PORT, parseAddress } from '../wire/address.ts';
import type { Prefix } from '../wire/prefix.ts';
import type { ServerSettings } from './settings.ts';

/** All of it is this host, whatever stands on its interface. */
const LOOPBACK: Prefix = { family: 4, address: Uint8Array.of(127, 0, 0, 0), length: 8 };

/** Listeners for all addresses are refused at every address that this host has now; to be asked again when it gets others. */
export function ownRules(listening: readonly Endpoint[]): PolicyRule[] {
  return listening.flatMap(({ family, address, port }) => {
    const ports = { first: port, last: port };
    const isAny = address.every((octet) => octet === 0);
    const single: Prefix = { family, address, length: address.length * 8 };
    // One for all IPv6 addresses is for IPv4 too.
    const prefixes = isAny
      ? hostPrefixes().filter((prefix) => family === 6 || prefix.family === 4)
      : [single];
    return prefixes.map((prefix) => ({ prefix, ports }));
  });
}

/**
 * The public addresses that other workers of this server may give to calls. Which ports they have in use,
 * only they know: all that they may use are refused. (A worker knows its own by itself.)
 */
export function sharedRules(settings: ServerSettings): PolicyRule[] {
  const mode = settings['addresses.mode'];
  const isPool = mode === 'pool';
  const ports = isPool ? { first: 0, last: MAX_PORT } : (settings.ports ?? DEFAULT_PORTS[mode]);
  return settings['addresses.public'].map((prefix) => ({ prefix, ports }));
}

function hostPrefixes(): Prefix[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const prefixes = addresses.flatMap(({ address: text }): Prefix[] => {
    const address = parseAddress(text);
    if (address === undefined) return [];
    return [{ family: address.length === 4 ? 4 : 6, address, length: address.length * 8 }];
  });
  return [LOOPBACK, ...prefixes];
}
