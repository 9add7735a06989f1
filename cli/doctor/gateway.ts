/**
 * Whether the media gateway that TEP-S stands beside can be controlled: each way of it is asked `ping`; and
 * who else may control it, for the ng protocol asks nobody for a password.
 */
import { stringOf } from '../../framing/ng/message.ts';
import { ask } from '../../tep-server/ng/ask.ts';
import type { ServerSettings } from '../../tep-server/settings.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { KINDS, reach } from '../../wire/disguise.ts';
import { type Finding, Findings } from './finding.ts';

const ANSWER_MS = 2_000;
const PING = new Map([['command', 'ping']]);

export async function gatewayFindings(s: ServerSettings): Promise<Finding[]> {
  const findings = new Findings('media gateway');
  for (const gateway of s['ng.rtpengine']) {
    const name = `rtpengine at ${gateway.transport}://${formatEndpoint(gateway.at)}`;
    const answer = await ask(gateway, PING, ANSWER_MS);
    if (answer === undefined) {
      findings.problem(`${name} does not answer`, `start it, with ${OPTIONS[gateway.transport]}`);
    } else if (stringOf(answer, 'result') === 'pong') findings.ok(`${name} answers`);
    else findings.problem(`${name} is something else`, 'correct ng.rtpengine');
  }
  for (const { transport, at } of s['ng.listen']) {
    if (reach(at.address, 0, at.address.length, new Uint8Array(4)) === KINDS.LOOPBACK) continue;
    findings.warning(
      `whoever reaches ng.listen at ${transport}://${formatEndpoint(at)} can end calls and open ways for media`,
      'let a firewall pass only the SIP proxies there, or listen on 127.0.0.1 where they are on this host',
    );
  }
  return findings.list;
}

const OPTIONS = {
  udp: '--listen-ng at this address',
  tcp: '--listen-tcp-ng at this address',
  http: '--listen-http at this address',
} as const;
