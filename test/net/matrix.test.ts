/**
 * Every kind of network, address mode, family, with and without TLS: telephones and cameras that know
 * nothing of a tunnel talk both ways through the two agents, and what leaves on one side is compared
 * packet by packet with what arrives on the other.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CaptureRun } from '../../lab/capture.ts';
import { type Certificate, makeCertificate } from '../../lab/certificate.ts';
import { Network } from '../../lab/network.ts';
import { inUri } from '../../lab/place.ts';
import type { Exit } from '../../lab/program.ts';
import { startProxy } from '../../lab/proxies.ts';
import { ACCESS, type Both, SERVER_NAME, type Site, siteOf } from '../../lab/sites.ts';
import {
  type FamilyName,
  MODES,
  type Mode,
  proxySettings,
  startClient,
  startServer,
} from './agents.ts';
import { type CallResult, holdCall } from './call.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { addRow } from './table.ts';
import { stateOfAll } from './traces.ts';
import { VARIANTS, type Variant } from './variants.ts';

const FAMILIES: readonly FamilyName[] = ['v4', 'v6'];
const FAMILY_TEXT = { v4: 'IPv4', v6: 'IPv6' } as const;
const HEADER = ['network', 'addresses', 'family', 'TLS', 'packets', 'result'];
const PROBE_PORT = 7000;
/** Where an answer is expected. */
const OPEN_MS = '30000';
const LEFT_BEHIND = 'something of an agent is left in the system';

interface Cell {
  readonly variant: Variant;
  readonly mode: Mode;
  readonly family: FamilyName;
  readonly tls: boolean;
}

interface Stage {
  readonly network: Network;
  readonly site: Site;
  readonly certificate: Certificate;
  readonly folder: string;
}

for (const variant of VARIANTS) {
  netTest(
    `[G-01] [G-02] [G-04] [G-16] [G-17] a telephone that knows nothing of it calls through: ${variant.name}`,
    ['tcpdump', 'baresip', 'ffmpeg', 'openssl', ...programsOf(variant)],
    async ({ t, folder }) => {
      // Side by side: most of a call is waiting for it to be long enough.
      const results = await Promise.all(MODES.map((mode) => resultOf(variant, mode, folder)));
      for (const row of results.flatMap(({ rows }) => rows)) {
        addRow('Calls through firewalls', HEADER, row);
      }
      t.deepEqual(
        results.flatMap(({ faults }) => faults),
        [],
      );
    },
  );
}

interface Result {
  /** Of the table: one for each cell. */
  readonly rows: string[][];
  /** What was not as it should be. */
  readonly faults: string[];
}

async function resultOf(variant: Variant, mode: Mode, above: string): Promise<Result> {
  const result: Result = { rows: [], faults: [] };
  try {
    const folder = join(above, mode);
    await mkdir(folder);
    await runCells(variant, mode, folder, result);
  } catch (error) {
    result.faults.push(`${mode}: ${error}`);
  }
  return result;
}

/** On a network of its own: the direct way first, then a server, and for each cell a client. */
async function runCells(
  variant: Variant,
  mode: Mode,
  folder: string,
  { rows, faults }: Result,
): Promise<void> {
  const site = siteOf(variant.kind);
  const network = await Network.build(site.topology);
  try {
    const certificate = await makeCertificate(folder, [SERVER_NAME]);
    const before = await stateOfAll(network);
    faults.push(...(await directWayFaults(network, site, variant)));
    if (variant.proxy) await startProxy(network, 'proxy', variant.proxy, join(folder, 'proxy'));
    const server = await startServer(network, { site, mode, certificate, folder });
    for (const family of FAMILIES) {
      for (const tls of [false, true]) {
        const cell = { variant, mode, family, tls };
        const outcome = await runCell(cell, { network, site, certificate, folder });
        rows.push(rowOf(cell, outcome));
        faults.push(...outcome.faults.map((fault) => `${placeOf(cell)}: ${fault}`));
      }
    }
    faults.push(...endFaults('tep server', await server.stop()));
    if (!isDeepStrictEqual(await stateOfAll(network), before)) faults.push(LEFT_BEHIND);
  } finally {
    await network.destroy();
  }
}

/** Before there is a tunnel: is the firewall what it is said to be? */
async function directWayFaults(
  network: Network,
  { gateway }: Site,
  { isOpenToUdp }: Variant,
): Promise<string[]> {
  const expected = isOpenToUdp ? 'reached' : 'closed';
  const verdicts = FAMILIES.map(async (family) => {
    const at = [gateway[family], String(PROBE_PORT)];
    const echo = nodeProgram('echo-main.js', ...at);
    const echoing = await network.start('gateway', { ...echo, ready: { output: /ready/ } });
    const probe = nodeProgram('probe-main.js', 'udp', ...at, ...(isOpenToUdp ? [OPEN_MS] : []));
    const verdict = (await network.run('ue', probe.command, probe.args)).trim();
    await echoing.stop();
    return verdict === expected ? [] : [`the direct way is ${verdict}, ${FAMILY_TEXT[family]}`];
  });
  return (await Promise.all(verdicts)).flat();
}

async function runCell(cell: Cell, stage: Stage): Promise<CallResult> {
  const folder = join(stage.folder, `${cell.family}-${cell.tls ? 'tls' : 'plain'}`);
  await mkdir(folder);
  try {
    return await callThroughTunnel(cell, { ...stage, folder });
  } catch (error) {
    return { faults: [String(error)], packets: 0, publicAddress: '' };
  }
}

function rowOf(cell: Cell, { faults, packets }: CallResult): string[] {
  const { variant, mode, family, tls } = cell;
  const result = faults.length === 0 ? 'good' : faults.join('; ').replaceAll(/\s+/g, ' ');
  return [variant.name, mode, FAMILY_TEXT[family], tls ? 'TLS' : '-', String(packets), result];
}

function placeOf({ mode, family, tls }: Cell): string {
  return [mode, FAMILY_TEXT[family], ...(tls ? ['TLS'] : [])].join(', ');
}

async function callThroughTunnel(cell: Cell, stage: Stage): Promise<CallResult> {
  const { network, site, certificate, folder } = stage;
  const { family, mode, tls, variant } = cell;
  const outside = await watchOutside(cell, stage);
  const before = await stateOfAll(network);
  const port = tls ? 443 : variant.plainPort;
  const client = await startClient(network, {
    site,
    servers: [`${tls ? 'tls' : 'tcp'}://${inUri({ address: site.server[family], port })}`],
    folder,
    certificate,
    more: await settingsFor(cell, stage),
  });
  const withVideo = !tls && family === 'v4';
  const result = await holdCall({
    network,
    site,
    family,
    folder,
    agentInterface: 'tep0',
    withVideo,
  });
  const faults = [...result.faults, ...endFaults('tep client', await client.stop())];
  if (!isDeepStrictEqual(await stateOfAll(network), before)) faults.push(LEFT_BEHIND);
  const strays = await outside.stop();
  if (strays > 0) faults.push(`${strays} packets outside the tunnel`);
  if (!isPublic(site, mode, family, result.publicAddress)) {
    faults.push(`public address ${result.publicAddress}`);
  }
  return { ...result, faults };
}

function endFaults(what: string, { code, signal }: Exit): string[] {
  return code === 0 ? [] : [`${what} ended with ${code ?? signal}`];
}

async function settingsFor({ variant, family }: Cell, { site, folder }: Stage) {
  if (variant.proxy === undefined || site.proxy === undefined) return {};
  return proxySettings({ address: site.proxy[family], port: variant.proxy.port }, folder);
}

/** On the link between the firewall and the server: all that is neither the tunnel nor neighbourhood. */
function watchOutside({ variant, tls }: Cell, { network, folder }: Stage): Promise<CaptureRun> {
  const port = tls ? 443 : variant.plainPort;
  // Where UDP passes, the client asks the server by STUN what its address is.
  const stun = variant.isOpenToUdp ? ` or udp port ${port}` : '';
  return CaptureRun.start(network, {
    host: 'server',
    interface: ACCESS,
    file: join(folder, 'outside.pcap'),
    filter: `(ip or ip6) and not icmp6 and not dst net ff02::/16 and not (tcp port ${port}${stun})`,
  });
}

function isPublic(site: Site, mode: Mode, family: FamilyName, address: string): boolean {
  const by: Readonly<Record<Mode, Both>> = {
    relay: site.relay,
    pool: { v4: '198.18.128.', v6: '2001:db8:114:' },
    reflexive: site.publicUe,
  };
  const expected = by[mode][family];
  return mode === 'pool' ? address.startsWith(expected) : address === expected;
}

function programsOf({ proxy }: Variant): ('squid' | 'tinyproxy')[] {
  return proxy === undefined ? [] : [proxy.program];
}
