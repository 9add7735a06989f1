/** The SIP sidecar of an agent, by its settings. */
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import type { Log } from '../../ops/log.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import type { ClientAgent } from '../agent.ts';
import type { OpenPort } from '../packets.ts';
import type { ClientSettings } from '../settings.ts';
import type { TunnelExceptions } from '../tunnel-exceptions.ts';
import { logSipEvent } from './log-events.ts';
import { sipRungs, sipTransport } from './rungs.ts';
import { SipService } from './service.ts';

export interface SidecarParts {
  readonly settings: () => ClientSettings;
  readonly log: Log;
  readonly agent: ClientAgent;
  readonly port: OpenPort;
  /** Whether plain STUN by UDP was answered. */
  readonly udpPasses: () => boolean;
  /** Undefined: packets are not taken off the routes. */
  readonly exceptions: TunnelExceptions | undefined;
}

/** A fault when it cannot listen, or its TLS cannot be used. */
export async function startSidecar(parts: SidecarParts): Promise<SipService | IoFault> {
  const settings = parts.settings();
  const transport = sipTransport(settings);
  if (isIoFault(transport)) return transport;
  const { sockets, maps } = parts.port;
  return SipService.start({
    listen: settings['sip.listen'],
    rungs: sipRungs(settings, transport),
    mostRegisteredMs: settings['sip.register-within'],
    transport,
    policy: () => policyOf(parts),
    allow: (hop) => parts.exceptions?.allow(hop) ?? Promise.resolve(),
    agent: parts.agent,
    sockets: sockets && { sockets, firstId: maps.length },
    isStatic: (ue, protocol) => isStatic(parts.settings(), ue, protocol),
    tell: (event) => logSipEvent(parts.log, event),
  });
}

function policyOf({ settings, udpPasses, port }: SidecarParts) {
  const media = settings()['sip.media'];
  return {
    tunnels: media === 'tunnel' || (media === 'auto' && !udpPasses()),
    obeysMarks: media !== 'native',
    standIns: port.sockets !== undefined,
  };
}

function isStatic(settings: ClientSettings, ue: Endpoint, protocol: number): boolean {
  const name = formatEndpoint(ue);
  return settings['media.static'].some((one) => {
    return one.protocol === protocol && formatEndpoint(one.ue) === name;
  });
}
