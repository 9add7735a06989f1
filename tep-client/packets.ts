/** Where TEP-C's packets come from, by its settings: the packet port, and which packets are media. */
import { placeOf } from '../config/shared-keys.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import type { PacketPort } from '../io/packet-port.ts';
import { systemRandom } from '../io/random.ts';
import { openRings, type Rings } from '../io/rings/rings.ts';
import type { Diversion } from '../io/rings/rules.ts';
import { UdpSockets } from '../io/udp-sockets.ts';
import type { PolicyRule } from '../session/policy.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import type { ClientSettings } from './settings.ts';

const UDP = 17;
const TCP = 6;

export interface OpenPort {
  readonly packets: PacketPort;
  /** The same, where it takes packets off the routes of this machine. */
  readonly rings: Rings | undefined;
}

export async function openPackets(
  settings: ClientSettings,
  failed: (fault: IoFault) => void,
): Promise<OpenPort | IoFault> {
  if (settings['packets.port'] === 'sockets') return openSockets(settings);
  const to = diversionsOf(settings);
  const routing = { kind: 'divert', to, except: [] } as const;
  const rings = await openRings({ ...placeOf(settings), routing, failed });
  return isIoFault(rings) ? rings : { packets: rings, rings };
}

/** The destinations of media: what goes there may have a binding. */
export function mediaOf(settings: ClientSettings): readonly PolicyRule[] {
  if (settings['packets.port'] === 'rings') return settings['media.to'];
  return settings.maps.map(({ media }) => ruleFor(media));
}

/** What is taken off the routes: media, and the STUN requests that are answered here. */
export function diversionsOf(settings: ClientSettings): Diversion[] {
  const rules = [...settings['media.to'], ...settings['stun-at'].map(ruleFor)];
  return rules.map(({ prefix, ports, protocol }) => {
    if (protocol === undefined) return { prefix, ports };
    return { prefix, ports, protocol: protocol === TCP ? TCP : UDP };
  });
}

async function openSockets(settings: ClientSettings): Promise<OpenPort | IoFault> {
  const packets = new UdpSockets(systemRandom);
  for (const [id, { local, media }] of settings.maps.entries()) {
    const opened = await packets.listen(id, local, media);
    if (!isIoFault(opened)) continue;
    await packets.close();
    return { ...opened, text: `maps: ${formatEndpoint(local)}: ${opened.text}` };
  }
  return { packets, rings: undefined };
}

function ruleFor({ family, address, port }: Endpoint): PolicyRule {
  const prefix = { family, address, length: address.length * 8 };
  return { prefix, ports: { first: port, last: port }, protocol: UDP };
}
