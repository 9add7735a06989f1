/** The ways to the core that the settings allow, in the order in which they are tried. */
import type { SipServer } from '../../config/address-kinds.ts';
import type { ServerTarget } from '../../io/dial/types.ts';
import type { IoFault } from '../../io/io-fault.ts';
import type { ClientSettings } from '../settings.ts';
import { Transport } from '../transport.ts';

export interface Rung {
  readonly server: SipServer;
  /** Through the HTTP proxy, or CONNECT to the P-CSCF itself, as the settings say. */
  readonly byProxy: boolean;
}

/**
 * First what needs nobody's help. A proxy only where there is one (H-09), and TLS through it first: most
 * let CONNECT pass to port 443 alone.
 */
function rungsOf(servers: readonly SipServer[], hasProxy: boolean): readonly Rung[] {
  const direct = servers.map((server) => ({ server, byProxy: false }));
  const streams = hasProxy ? servers.filter(({ transport }) => transport !== 'udp') : [];
  const tls = streams.filter(({ transport }) => transport === 'tls');
  const plain = streams.filter(({ transport }) => transport === 'tcp');
  return [...direct, ...[...tls, ...plain].map((server) => ({ server, byProxy: true }))];
}

export function rungName({ server: { transport, host, port }, byProxy }: Rung): string {
  const literal = host.includes(':') ? `[${host}]` : host;
  return `${transport}://${literal}:${port}${byProxy ? ' through the proxy' : ''}`;
}

/** TLS to the P-CSCF is checked by its own name. */
export function sipTransport(settings: ClientSettings): Transport | IoFault {
  return Transport.from(settings, process.env, 'sip.server-name');
}

export function sipRungs(settings: ClientSettings, transport: Transport): readonly Rung[] {
  const servers = settings['sip.core'].flat();
  return rungsOf(
    servers,
    servers.some((server) => transport.connects(targetOf(server))),
  );
}

export function targetOf({ host, port, transport }: Rung['server']): ServerTarget {
  return { host, port, tls: transport === 'tls' };
}
