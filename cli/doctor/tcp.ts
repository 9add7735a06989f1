/**
 * Which options of TCP that keep media moving this kernel has (io/tcp-options.ts). Without them a tunnel
 * works, with more delay where packets are lost: nothing here is a problem.
 */
import { isIoFault } from '../../io/io-fault.ts';
import {
  congestionFault,
  PREFERRED_CONGESTION,
  type TcpAbilities,
  tcpAbilities,
} from '../../io/tcp-options.ts';
import { type Finding, Findings } from './finding.ts';
import type { Machine } from './machine.ts';

export function tcpFindings(congestion: string | undefined): Finding[] {
  const abilities = tcpAbilities();
  // That there are no system calls is told by its own check.
  if (isIoFault(abilities)) return [];
  return [...abilityFindings(abilities), ...congestionFindings(congestion)];
}

/**
 * A router on the way whose next link is narrower, and whose word of it gets lost (RFC 2923 2.1), as in many
 * tunnels: every long segment disappears there, for ever. What goes through is found by TCP itself, where it may.
 */
export function probingFindings(machine: Machine): Finding[] {
  const findings = new Findings('path MTU');
  const value = machine.read('/proc/sys/net/ipv4/tcp_mtu_probing');
  if (value === undefined) return [];
  if (value !== '0') findings.ok('TCP finds a way through where long packets are swallowed');
  else
    findings.warning(
      'net.ipv4.tcp_mtu_probing is 0: where a VPN or a router swallows long packets, tunnels stand still',
      'sysctl -w net.ipv4.tcp_mtu_probing=2, and in /etc/sysctl.d to stay; at both ends',
    );
  return findings.list;
}

export function abilityFindings({ known, refused }: TcpAbilities): Finding[] {
  const findings = new Findings('TCP');
  if (known.length > 0) findings.ok(known.map(({ name }) => name).join(', '));
  for (const { option, fault } of refused) {
    const { name, use, since } = option;
    findings.warning(
      `${name} cannot be set (${fault.code}): ${use}`,
      `Linux ${since} or newer has it; the tunnel works without`,
    );
  }
  return findings.list;
}

function congestionFindings(wanted: string | undefined): Finding[] {
  const name = wanted ?? PREFERRED_CONGESTION;
  const findings = new Findings('congestion control');
  const fault = congestionFault(name);
  if (fault === undefined) findings.ok(name);
  else
    findings.warning(
      fault.text,
      'modprobe tcp_bbr gives a host bbr, or see transport.congestion; until then the choice of the system is used',
    );
  return findings.list;
}
