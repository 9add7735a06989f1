/** Ways to get media across a link, each as its users run it. */
import type { Network } from '../../lab/network.ts';
import type { Program, ProgramPlan } from '../../lab/program.ts';
import type { Ground, GroundHost } from '../link/ground.ts';
import type { Endpoints } from '../media/endpoints.ts';

/** With telephones and gateways that know where to send; nothing is sent yet. */
export interface Opened {
  readonly phones: Endpoints;
  readonly gateways: Endpoints;
  /** The processes of the peer itself, without telephones and gateways. */
  readonly pids: { readonly client: readonly number[]; readonly server: readonly number[] };
  /** Ends the processes of the peer. Those of media are ended by who asks for their records. */
  close(): Promise<void>;
}

export interface Peer {
  readonly name: PeerName;
  /** How its name is printed. */
  readonly title: string;
  /** Whether it carries everything in TCP, and so is a peer to be compared with. */
  readonly isTcp: boolean;
  /** A flow has a socket at each end. */
  open(ground: Ground, flows: number): Promise<Opened>;
}

export const PEER_NAMES = [
  'udp',
  'tep',
  'turn-tcp',
  'turn-tls',
  'udptunnel',
  'openvpn',
  'naive',
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Where a peer's programs are started, with the hosts of `GroundHost`, the path apart. */
export interface Place {
  readonly network: Network;
  /** What comes before a command, for all peers alike. */
  readonly before: readonly string[];
}

export function startOn(
  { network, before }: Place,
  host: GroundHost,
  plan: ProgramPlan,
): Promise<Program> {
  const [command = plan.command, ...args] = [...before, plan.command, ...plan.args];
  return network.start(host, {
    ...plan,
    name: plan.name ?? `${plan.command} on ${host}`,
    command,
    args,
  });
}

/** The part of `Opened` that is about processes. */
export function made(
  client: readonly Program[],
  server: readonly Program[],
): Pick<Opened, 'pids' | 'close'> {
  const pidsOf = (programs: readonly Program[]) => programs.map(({ pid }) => pid);
  return {
    pids: { client: pidsOf(client), server: pidsOf(server) },
    close: async () => {
      await Promise.all([...client, ...server].map((program) => program.stop('SIGKILL')));
    },
  };
}
