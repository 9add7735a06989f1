/** Where TEP-C's packets come from, by its settings: the packet port, and which packets are media. */
import type { SocketMap } from '../config/address-kinds.ts';
import { placeOf } from '../config/shared-keys.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import type { PacketPort } from '../io/packet-port.ts';
import { systemRandom } from '../io/random.ts';
import { openRings, type Rings } from '../io/rings/rings.ts';
import type { Diversion } from '../io/rings/rules.ts';
import { UdpSockets } from '../io/udp-sockets.ts';
import type { PolicyRule } from '../session/policy.ts';
import { type Endpoint, formatEndpoint, MAX_PORT } from '../wire/address.ts';
import { prefixContains } from '../wire/prefix.ts';
import { PROTOCOL as TCP } from '../wire/tcp.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import type { ClientSettings } from './settings.ts';

export interface OpenPort {
  readonly packets: PacketPort;
  /** The same, where it takes packets off the routes of this machine. */
  readonly rings: Rings | undefined;
  /** The same, where it consists of sockets. */
  readonly sockets: UdpSockets | undefined;
  /** The sockets that stand for media addresses, with the addresses they have. */
  readonly maps: readonly SocketMap[];
}

export async function openPackets(
  settings: ClientSettings,
  failed: (fault: IoFault) => void,
): Promise<OpenPort | IoFault> {
  if (settings['packets.port'] === 'sockets') return openSockets(settings);
  const to = diversionsOf(settings);
  const routing = { kind: 'divert', to, except: [] } as const;
  const rings = await openRings({ ...placeOf(settings), routing, failed });
  return isIoFault(rings) ? rings : { packets: rings, rings, sockets: undefined, maps: [] };
}

/** The destinations of media: what goes there may have a binding. */
export function mediaOf(settings: ClientSettings): readonly PolicyRule[] {
  if (settings['packets.port'] === 'rings') return settings['media.to'];
  return settings.maps.map(({ media }) => ruleFor(media));
}

/** Whether UDP to there goes into the tunnel. */
export function isDiverted(to: readonly Diversion[], { address, port }: Endpoint): boolean {
  return to.some(({ prefix, protocol, ports }) => {
    if (protocol === TCP || !prefixContains(prefix, address, 0, address.length)) return false;
    return ports === undefined || (port >= ports.first && port <= ports.last);
  });
}

/**
 * What is taken off the routes: media, and the STUN requests that are answered here. Wide prefixes first:
 * the kernel takes a rule for all addresses to be there already when one for some is (EEXIST).
 */
export function diversionsOf(settings: ClientSettings): Diversion[] {
  const rules = [...settings['media.to'], ...settings['stun-at'].map(ruleFor)];
  return rules.flatMap(diversions).sort((a, b) => a.prefix.length - b.prefix.length);
}

/** Each protocol by itself, so that others, such as those of a VPN, keep their way. */
function diversions({ prefix, ports, protocol }: PolicyRule): Diversion[] {
  const all = ([UDP, TCP] as const).filter((one) => protocol === undefined || protocol === one);
  if (ports.first === 1 && ports.last === MAX_PORT) {
    return all.map((one) => ({ prefix, protocol: one }));
  }
  // Rules of the kernel cannot name port 65,535 (fib_rules.h).
  const range = {
    first: Math.min(ports.first, MAX_PORT - 1),
    last: Math.min(ports.last, MAX_PORT - 1),
  };
  return all.map((one) => ({ prefix, protocol: one, ports: range }));
}

async function openSockets(settings: ClientSettings): Promise<OpenPort | IoFault> {
  const packets = new UdpSockets(systemRandom);
  const maps: SocketMap[] = [];
  for (const [id, { local, media }] of settings.maps.entries()) {
    const opened = await packets.listen(id, local, media);
    if (isIoFault(opened)) {
      await packets.close();
      return { ...opened, text: `maps: ${formatEndpoint(local)}: ${opened.text}` };
    }
    maps.push({ local: opened, media });
  }
  return { packets, rings: undefined, sockets: packets, maps };
}

function ruleFor({ family, address, port }: Endpoint): PolicyRule {
  const prefix = { family, address, length: address.length * 8 };
  return { prefix, ports: { first: port, last: port }, protocol: UDP };
}
