/** Where TEP-S's packets come from, by its settings. */
import { placeOf } from '../config/shared-keys.ts';
import type { IoFault } from '../io/io-fault.ts';
import type { CapturePort, RelayPort } from '../io/packet-port.ts';
import { systemRandom } from '../io/random.ts';
import { openRings } from '../io/rings/rings.ts';
import { UdpSockets } from '../io/udp-sockets.ts';
import type { ServerSettings } from './settings.ts';

export type ServerPort = RelayPort | CapturePort;

/** `failed` is told when the port is gone, as when its interface was taken away. */
export async function openPackets(
  settings: ServerSettings,
  failed: (fault: IoFault) => void,
): Promise<ServerPort | IoFault> {
  if (settings['packets.port'] === 'sockets') return new UdpSockets(systemRandom);
  const isPool = settings['addresses.mode'] === 'pool';
  return openRings({
    ...placeOf(settings),
    routing: isPool
      ? { kind: 'pool', prefixes: settings['addresses.public'] }
      : { kind: 'capture' },
    failed,
  });
}
