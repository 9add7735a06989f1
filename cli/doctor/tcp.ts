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

export function tcpFindings(congestion: string | undefined): Finding[] {
  const abilities = tcpAbilities();
  // That there are no system calls is told by its own check.
  if (isIoFault(abilities)) return [];
  return [...abilityFindings(abilities), ...congestionFindings(congestion)];
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
