/** What the tests of a pair of tunnel ends have in common. */
import type { ExecutionContext } from 'ava';
import type { AddressOptions } from '../../session/address-modes.ts';
import { Policy } from '../../session/policy.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';
import type { LongTermPolicy } from '../../wire/stun/server-auth.ts';
import { userTable } from '../../wire/stun/users.ts';
import { Pair, type PairOptions } from '../sim/pair.ts';
import { type ClientSide, endpoint } from '../sim/sides.ts';
import type { Sent } from '../sim/traffic.ts';

/** The gateway's media address, and one that is not allowed. */
export const GATEWAY = endpoint('192.0.2.10:30000');
export const FORBIDDEN = endpoint('192.0.2.10:2000');
/** The application's RTP; its RTCP is one above. */
export const RTP = endpoint('10.0.0.2:4000');
export const RTCP = endpoint('10.0.0.2:4001');
export const OUTER = '198.51.100.7';
/** Longer than everything that either end waits for: 40 s silent, 30 s LIFETIME, 30 s back-off. */
export const LONG_MS = 120_000;

const REALM = 'tep.example';
const PASSWORD = 'a password';

const LONG_TERM: LongTermPolicy = {
  mechanism: 'long-term',
  realm: REALM,
  users: userTable(
    ['alice', 'bob'].map((name) => ({ name, password: PASSWORD })),
    REALM,
  ),
  nonceSecret: new Uint8Array(32).fill(7),
  nonceLifetimeMs: 600_000,
  keyHashes: ['sha256', 'md5'],
  anonymity: false,
};

const MEDIA = prefixes('192.0.2.0/24', '2001:db8:9::/48');

export type ServerSetup = PairOptions['server'];
export type ClientOptions = Parameters<Pair['client']>[0]['options'];

export function newPair(
  options: Omit<PairOptions, 'server'>,
  server: Partial<ServerSetup> = {},
): Pair {
  return new Pair({
    ...options,
    server: {
      auth: LONG_TERM,
      addresses: { mode: 'reflexive' },
      policy: new Policy({
        rules: MEDIA.map((prefix) => ({ prefix, ports: { first: 30_000, last: 39_999 } })),
        maxPinholes: 100,
        seed: new Uint8Array(8),
      }),
      ...server,
    },
  });
}

export function newClient(
  pair: Pair,
  {
    name = 'alice',
    outer = OUTER,
    ...options
  }: { name?: string; outer?: string } & Partial<ClientOptions> = {},
): ClientSide {
  const credentials = { name, password: PASSWORD };
  return pair.client({
    outer,
    options: { auth: { mechanism: 'long-term', credentials }, ...options },
  });
}

/** Public addresses as told by `bound`, one entry for each time it was told. */
export function toldAddresses(client: ClientSide): string[] {
  return client.of('bound').map((bound) => formatEndpoint(bound.address));
}

export function isBound(client: ClientSide): boolean {
  return client.end.state === 'up' && client.of('bound').length > 0;
}

/** A packet each way on each of the ports, and everything arrives. */
export function flows(
  t: ExecutionContext,
  pair: Pair,
  client: ClientSide,
  ues = [RTP],
  run = '',
): void {
  const sent: Sent[] = [];
  for (const ue of ues) {
    sent.push(pair.uplink(client, ue, GATEWAY));
    sent.push(pair.downlink(client, ue, GATEWAY));
  }
  pair.clock.runFor(1000);
  for (const { way, number, result, deliveredBy } of sent) {
    if (result !== 0 || deliveredBy < 0) t.fail(`${run} ${way} ${number} result ${result}`);
  }
}

export function pool(...texts: string[]): AddressOptions {
  return { mode: 'pool', prefixes: prefixes(...texts) };
}

export function relay(...texts: string[]): AddressOptions {
  return { mode: 'relay', prefixes: prefixes(...texts) };
}

function prefixes(...texts: string[]): Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new RangeError(text);
    return prefix;
  });
}
