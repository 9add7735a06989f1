/**
 * Whether the server can be reached, by really opening a tunnel: name, TCP, proxy, TLS, credentials. It is
 * closed again at once; nothing is bound.
 */
import { lookup } from 'node:dns/promises';
import { setTimeout } from 'node:timers/promises';
import type { ServerAddress } from '../../config/address-kinds.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { type PacketPort, PortCounts } from '../../io/packet-port.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import { Discovery } from '../../tep-client/discovery.ts';
import type { ClientEvent, Closed, Opened } from '../../tep-client/options.ts';
import type { ClientSettings } from '../../tep-client/settings.ts';
import { clientAuth, Transport } from '../../tep-client/transport.ts';
import { formatEndpoint, parseAddress } from '../../wire/address.ts';
import { type Finding, Findings } from './finding.ts';

/** Longer than the slowest step of one attempt. */
const OPEN_MS = 15_000;
/** Three questions of RFC 8489 6.2.1. */
const UDP_MS = 2_000;

type Environment = Readonly<Record<string, string | undefined>>;
type Outcome = Opened | Closed | Extract<ClientEvent, { readonly type: 'refused' }> | undefined;

/** No packets: the tunnel is opened for its own sake. */
const NO_PACKETS: PacketPort = {
  counters: new PortCounts(),
  start() {},
  send() {},
  flush() {},
  async close() {},
};

export async function reachFindings(
  settings: ClientSettings,
  env: Environment,
  openMs = OPEN_MS,
): Promise<Finding[]> {
  const findings = new Findings('server');
  const transport = Transport.from(settings, env);
  if (isIoFault(transport)) {
    findings.problem(transport.text, 'correct the tls settings');
    return findings.list;
  }
  for (const server of settings.servers) {
    await judgeName(server, settings, findings);
    const udp = judgeUdp(server, settings);
    await judgeTunnel(server, settings, transport, openMs, findings);
    findings.list.push(...(await udp));
  }
  return findings.list;
}

/** Behind a proxy it is the proxy that asks the DNS: a name that is unknown here may be known there. */
async function judgeName(
  { host }: ServerAddress,
  { proxy }: ClientSettings,
  findings: Findings,
): Promise<void> {
  if (proxy !== undefined || parseAddress(host) !== undefined) return;
  try {
    const found = await lookup(host, { all: true });
    findings.ok(`${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    findings.warning(
      `${host} has no address (${why})`,
      'correct servers, or the DNS of this machine',
    );
  }
}

/** Either answer is good: the tunnel is for where UDP does not pass. */
async function judgeUdp(server: ServerAddress, settings: ClientSettings): Promise<Finding[]> {
  if (!settings['stun.discover']) return [];
  const findings = new Findings('UDP');
  const abort = new AbortController();
  const late = setTimeout(UDP_MS, undefined, { signal: abort.signal }).catch(() => undefined);
  let discovery: Discovery | undefined;
  const answered = new Promise<void>((resolve) => {
    discovery = new Discovery(server, () => resolve());
  });
  await Promise.race([answered, late]);
  abort.abort();
  discovery?.close();
  const { mapped } = discovery ?? {};
  if (mapped === undefined) {
    findings.ok('plain STUN by UDP is not answered: the tunnel tells the public address');
  } else
    findings.ok(`plain STUN by UDP passes, and sees this machine as ${formatEndpoint(mapped)}`);
  return findings.list;
}

async function judgeTunnel(
  server: ServerAddress,
  settings: ClientSettings,
  transport: Transport,
  openMs: number,
  findings: Findings,
): Promise<void> {
  const name = nameOf(server);
  let fault: string | undefined;
  let refused: (event: Outcome) => void = () => {};
  const refusal = new Promise<Outcome>((resolve) => {
    refused = resolve;
  });
  const agent = new ClientAgent({
    dial: () => transport.dial(server),
    packets: NO_PACKETS,
    tunnel: { auth: clientAuth(settings) },
    observe: (event) => {
      const isBroken = event.type === 'connect-failed' || event.type === 'connection-broken';
      if (isBroken) fault ??= `${event.fault.text} (${event.fault.stage})`;
      if (isBroken) refused(undefined);
      if (event.type === 'refused') refused(event);
    },
  });
  const began = performance.now();
  const abort = new AbortController();
  const late = setTimeout(openMs, undefined, { signal: abort.signal }).catch(() => undefined);
  const outcome = await Promise.race([agent.open(), refusal, late]);
  const took = Math.round(performance.now() - began);
  abort.abort();
  await agent.stop();
  tell(name, outcome, fault ?? `no answer in ${openMs} ms`, took, findings);
}

function tell(
  name: string,
  outcome: Outcome,
  fault: string,
  took: number,
  findings: Findings,
): void {
  if (outcome?.type === 'opened') {
    findings.ok(
      `${name} opened a tunnel in ${took} ms and sees this machine as ${formatEndpoint(outcome.outer)}`,
    );
  } else if (outcome === undefined) {
    findings.problem(`${name}: ${fault}`, 'see whether server, proxy and firewall let this pass');
  } else if (outcome.why === 'not-tep-s') {
    findings.problem(`${name} is an ordinary STUN server`, 'correct servers');
  } else if (outcome.code === 401) {
    findings.problem(`${name} does not know this user or password`, 'correct user and password');
  } else {
    findings.problem(
      `${name} does not let us in: ${outcome.code} ${outcome.reason}`.trim(),
      'the log of the server says why',
    );
  }
}

function nameOf({ host, port, tls }: ServerAddress): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${tls ? 'tls' : 'tcp'}://${shown}:${port}`;
}
