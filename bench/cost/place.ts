/**
 * Where peers are measured for cost: the hosts and addresses of the spoilt link (link/ground.ts) without the path
 * between them, and with offloads, as machines have them. What a host on the way does would be paid for by
 * whoever sends.
 */
import { Network } from '../../lab/network.ts';
import type { Topology } from '../../lab/topology.ts';
import type { Place } from '../peers/peer.ts';

const TOPOLOGY: Topology = {
  hosts: [
    { name: 'phone', routes: ['default via 10.0.1.1'] },
    { name: 'ue', isRouter: true, routes: ['default via 10.0.0.1'] },
    { name: 'core', isRouter: true, routes: ['default via 10.0.0.2'] },
    { name: 'gateway', routes: ['default via 203.0.113.1'] },
  ],
  links: [
    { ends: [end('phone', 'net', '10.0.1.2/24'), end('ue', 'phones', '10.0.1.1/24')] },
    {
      ends: [
        end('ue', 'net', '10.0.0.2/24', '192.0.2.2/24'),
        end('core', 'access', '10.0.0.1/24', '192.0.2.80/24'),
      ],
    },
    { ends: [end('core', 'media', '203.0.113.1/24'), end('gateway', 'net', '203.0.113.9/24')] },
  ],
};

export async function openPlace(): Promise<Place> {
  return { network: await Network.build(TOPOLOGY), before: [] };
}

function end(host: string, name: string, ...addresses: readonly string[]) {
  return { host, name, addresses };
}
