/**
 * Whether the P-CSCF answers, by each way that the sidecar would try: an OPTIONS that goes no further
 * (Max-Forwards 0, RFC 3261 clause 11), to which any answer will do. A port that is open proves little: some
 * firewalls let connections through, and no SIP.
 */
import { setTimeout } from 'node:timers/promises';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { randomBranch } from '../../sip/branch.ts';
import { hostText } from '../../sip/uri.ts';
import type { ClientSettings } from '../../tep-client/settings.ts';
import { DatagramWay } from '../../tep-client/sip/datagram-way.ts';
import {
  type Rung,
  rungName,
  sipRungs,
  sipTransport,
  targetOf,
} from '../../tep-client/sip/rungs.ts';
import { StreamWay } from '../../tep-client/sip/stream-way.ts';
import type { Way, WayEvents } from '../../tep-client/sip/way.ts';
import type { Transport } from '../../tep-client/transport.ts';
import { type Finding, Findings } from './finding.ts';

/** RFC 3261 timer E by UDP: asked again after 0.5, 1.5 and 3.5 s. */
const PAUSES_MS = [500, 1_000, 2_000, 1_000] as const;
const RANDOM_LEN = 8;

export async function sipFindings(settings: ClientSettings): Promise<Finding[]> {
  if (settings['sip.listen'].length === 0) return [];
  const findings = new Findings('P-CSCF');
  const transport = sipTransport(settings);
  if (isIoFault(transport)) {
    findings.problem(transport.text, 'correct the tls settings');
    return findings.list;
  }
  const rungs = sipRungs(settings, transport);
  const outcomes = await Promise.all(rungs.map((rung) => tried(rung, transport)));
  const works = outcomes.includes(undefined);
  for (const [i, rung] of rungs.entries()) {
    const fault = outcomes[i];
    if (fault === undefined) findings.ok(`${rungName(rung)} answers`);
    // Some ways are there because others are closed.
    else if (works)
      findings.ok(`${rungName(rung)} does not answer (${fault}): another way is taken`);
    else findings.problem(`${rungName(rung)}: ${fault}`, 'see sip.core, proxy and firewall');
  }
  return findings.list;
}

/** What is wrong; undefined when something was answered. */
async function tried(rung: Rung, transport: Transport): Promise<string | undefined> {
  let settle: (fault: string | undefined) => void = () => {};
  const settled = new Promise<string | undefined>((resolve) => {
    settle = resolve;
  });
  const way = await open(rung, transport, {
    message: () => settle(undefined),
    bad: () => settle('what answers is no SIP'),
    alive() {},
    gone: ({ text }) => settle(text),
    refused: () => settle('the system does not send it'),
  });
  if (isIoFault(way)) return way.text;
  const abort = new AbortController();
  void ask(way, rung, abort.signal).then(() => settle('no answer'));
  const outcome = await settled;
  abort.abort();
  way.close();
  return outcome;
}

async function open(rung: Rung, transport: Transport, events: WayEvents): Promise<Way | IoFault> {
  const { server, byProxy } = rung;
  if (server.transport === 'udp') {
    const { host, port } = server;
    return DatagramWay.open(host, port, events, (address) => {
      return transport.dial({ host: address, port, tls: false }, 'direct');
    });
  }
  const { result } = transport.dial(targetOf(server), byProxy ? 'as-set' : 'direct');
  const stream = await result;
  return isIoFault(stream) ? stream : new StreamWay(stream, events);
}

async function ask(way: Way, rung: Rung, signal: AbortSignal): Promise<void> {
  const octets = options(rung);
  for (const [i, pauseMs] of PAUSES_MS.entries()) {
    // A stream repeats by itself.
    if (i === 0 || (rung.server.transport === 'udp' && i < PAUSES_MS.length - 1)) way.send(octets);
    await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

function options({ server: { transport, host, port } }: Rung): Uint8Array {
  const random = () => Buffer.from(systemRandom(RANDOM_LEN)).toString('hex');
  const uri = `sip:${hostText(host)}:${port}`;
  const name = `tep-${random()}.invalid`;
  const lines = [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${name};rport;branch=${randomBranch(systemRandom(RANDOM_LEN))}`,
    'Max-Forwards: 0',
    `From: <sip:doctor@${name}>;tag=${random()}`,
    `To: <${uri}>`,
    `Call-ID: ${random()}@${name}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:doctor@${name}>`,
    'Content-Length: 0',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
