/** Settings become what the parts of TEP-S take. */
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { tlsOptions } from '../io/tls-options.ts';
import type { AddressOptions } from '../session/address-modes.ts';
import type { ServerLimits } from '../session/limits.ts';
import type { ServerSettings } from './settings.ts';
import { TlsDoor } from './tls-door.ts';
import type { DoorOptions } from './visit.ts';

/** Who may enter; or what is wrong with certificate, key or authorities. */
export function doorOf(settings: ServerSettings, ticketKeys: Buffer): DoorOptions | IoFault {
  const tls = tlsDoorOf(settings, ticketKeys);
  if (tls !== undefined && isIoFault(tls)) return tls;
  return {
    limits: {
      connections: settings['limits.connections'],
      connectionsPerAddress: settings['limits.connections-per-address'],
      greetingMs: settings['limits.greeting'],
    },
    proxies: settings['proxy-protocol.from'],
    tls,
  };
}

function tlsDoorOf(settings: ServerSettings, ticketKeys: Buffer): TlsDoor | IoFault | undefined {
  const { 'tls.certificate': certificate, 'tls.client-ca': ca } = settings;
  if (certificate === undefined) return undefined;
  const context = tlsOptions(
    {
      ca: ca?.octets,
      certificate: certificate.octets,
      key: settings['tls.key']?.octets,
      minVersion: settings['tls.min-version'],
      legacyCiphers: settings['tls.legacy-ciphers'],
    },
    'server',
  );
  if (isIoFault(context)) return context;
  return new TlsDoor({ context, requireCertificate: ca !== undefined, ticketKeys });
}

export function limitsOf(settings: ServerSettings): ServerLimits {
  const none = Number.POSITIVE_INFINITY;
  return {
    quota: {
      tunnelsPerUser: settings['limits.tunnels-per-user'],
      bindingsPerUser: settings['limits.bindings-per-user'],
      bindingsPerTunnel: settings['limits.bindings-per-tunnel'],
      packetsPerSecond: settings['limits.packets-per-second'] ?? none,
      bitsPerSecond: settings['limits.bits-per-second'] ?? none,
    },
    unauthenticatedOctets: settings['limits.unauthenticated-octets'],
    lifetimeMs: settings['limits.lifetime'],
  };
}

export function addressesOf(settings: ServerSettings): AddressOptions {
  const mode = settings['addresses.mode'];
  if (mode === 'reflexive') return { mode };
  return { mode, prefixes: settings['addresses.public'] };
}
