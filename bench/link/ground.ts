/**
 * Where the peers are compared: an access side and a core side, and one link between them that a host in its
 * middle spoils. Telephones and media gateways have hosts of their own too, for peers that cannot share one.
 *
 *     phone ── ue ── path ── core ── gateway
 *
 * Segments and datagrams are cut to the MTU before they reach the link (offloads off), so that loss hits one
 * of them and not a bundle.
 */
import { Network } from '../../lab/network.ts';
import type { Host, Link, Topology } from '../../lab/topology.ts';
import { type Faults, Impairment } from './impairment.ts';

export const ADDRESSES = {
  phone: '10.0.1.2',
  ue: '10.0.0.2',
  /** Of the core side, towards its clients. */
  server: '192.0.2.80',
  /** Of the core side, towards the media gateway. */
  relay: '203.0.113.1',
  gateway: '203.0.113.9',
  /** Routed to the core, belonging to no host. */
  pool: '198.18.128.0/24',
} as const;

export type GroundHost = 'phone' | 'ue' | 'path' | 'core' | 'gateway';

const HOSTS: readonly Host[] = [
  { name: 'phone', routes: ['default via 10.0.1.1'] },
  { name: 'ue', isRouter: true, routes: ['default via 10.0.0.1'] },
  {
    name: 'path',
    isRouter: true,
    routes: ['10.0.1.0/24 via 10.0.0.2', 'default via 192.0.2.80'],
  },
  { name: 'core', isRouter: true, routes: ['default via 192.0.2.1'] },
  { name: 'gateway', routes: ['default via 203.0.113.1'] },
];

const TOPOLOGY: Topology = {
  hosts: HOSTS,
  links: [
    link(['phone', 'net', '10.0.1.2/24'], ['ue', 'phones', '10.0.1.1/24']),
    link(['ue', 'net', '10.0.0.2/24'], ['path', 'west', '10.0.0.1/24']),
    link(['path', 'east', '192.0.2.1/24'], ['core', 'access', '192.0.2.80/24']),
    link(['core', 'media', '203.0.113.1/24'], ['gateway', 'net', '203.0.113.9/24']),
  ],
};

/** Interfaces of the path, one for each direction; the queue of each has its index as number. */
const INTERFACES = ['west', 'east'];

export class Ground {
  readonly network: Network;
  readonly impairment: Impairment;
  /**
   * Before the command of every peer's programs, so that other load on the machine takes nothing from them;
   * telephones, gateways and the link come before everybody. Nice values would not do: where the scheduler groups
   * processes by session (sched_autogroup), they count within a session only. Whoever starts the bench with a priority
   * of its own (`chrt -r 5`) comes after them: its garbage collections would stop a peer for 10 ms.
   */
  readonly before = ['chrt', '--rr', '9'] as const;
  #isSpoilt = false;

  private constructor(network: Network, impairment: Impairment) {
    this.network = network;
    this.impairment = impairment;
  }

  static async open(): Promise<Ground> {
    const network = await Network.build(TOPOLOGY);
    try {
      for (const { name } of HOSTS) await settleTcp(network, name);
      const queues = [...INTERFACES.keys()];
      return new Ground(network, await Impairment.start(network, 'path', queues));
    } catch (error) {
      await network.destroy();
      throw error;
    }
  }

  /** All randomness is drawn from `seed`. Where nothing is to be spoilt, packets do not take the way by the program. */
  async spoil(faults: Faults, seed: number): Promise<void> {
    const isSpoilt = Object.keys(faults).length > 0;
    await this.impairment.set(faults, seed);
    if (isSpoilt === this.#isSpoilt) return;
    this.#isSpoilt = isSpoilt;
    for (const [queue, name] of INTERFACES.entries()) {
      const rule = ['-i', name, '-j', 'NFQUEUE', '--queue-num', String(queue)];
      const verb = isSpoilt ? '-A' : '-D';
      await this.network.run('path', 'iptables', ['-t', 'raw', verb, 'PREROUTING', ...rule]);
    }
  }

  close(): Promise<void> {
    return this.network.destroy();
  }
}

/**
 * What a connection learnt of the link (its loss, its round trip) is nothing that the next one may know. Congestion
 * control is Reno whatever the machine prefers: every Linux allows it in a namespace, and CUBIC, the usual one,
 * behaves like it at the small windows of media (RFC 9438 4.3). Who can choose for itself does.
 */
async function settleTcp(network: Network, host: string): Promise<void> {
  const settings = ['net.ipv4.tcp_no_metrics_save=1', 'net.ipv4.tcp_congestion_control=reno'];
  await network.run(host, 'sysctl', ['-q', '-w', ...settings]);
}

type End = readonly [host: GroundHost, name: string, address: string];

function link(...[a, b]: readonly [End, End]): Link {
  const end = ([host, name, address]: End) => ({ host, name, addresses: [address] });
  return { ends: [end(a), end(b)], offloads: 'off' };
}
