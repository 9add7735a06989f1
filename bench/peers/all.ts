/** Every peer by its name, and what it needs of the machine. */
import { type LabProgram, labMissing } from '../../lab/requirements.ts';
import { naive } from './naive.ts';
import { openvpn } from './openvpn.ts';
import type { Peer, PeerName } from './peer.ts';
import { type MoreSettings, tep } from './tep.ts';
import { turn } from './turn.ts';
import { udp } from './udp.ts';
import { udptunnel } from './udptunnel.ts';

const PROGRAMS: Readonly<Record<PeerName, readonly LabProgram[]>> = {
  udp: [],
  tep: [],
  'turn-tcp': ['turnserver', 'openssl'],
  'turn-tls': ['turnserver', 'openssl'],
  udptunnel: ['udptunnel'],
  openvpn: ['openvpn', 'openssl'],
  naive: [],
};

/** Why they cannot be measured here, in one line; undefined when they can. */
export function missingFor(names: readonly PeerName[]): string | undefined {
  return labMissing(programsFor(names));
}

/** Beside those that every network needs. */
export function programsFor(names: readonly PeerName[]): LabProgram[] {
  return ['ethtool', 'iptables', 'cc', ...names.flatMap((name) => PROGRAMS[name])];
}

export function peersFor(names: readonly PeerName[], settings: MoreSettings): Peer[] {
  const all: Readonly<Record<PeerName, Peer>> = {
    udp,
    tep: tep(settings),
    'turn-tcp': turn('tcp'),
    'turn-tls': turn('tls'),
    udptunnel,
    openvpn,
    naive,
  };
  return names.map((name) => all[name]);
}
