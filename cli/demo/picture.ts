/** The way of the packets through the hosts of `tep demo --netns`, with counts, drawn for a terminal. */
import type { RouterPlan, Site } from '../../lab/sites.ts';
import { formatEndpoint } from '../../wire/address.ts';
import type { NetnsStage } from './netns-stage.ts';
import type { Probe } from './probe.ts';
import type { Simulation } from './simulation.ts';
import type { MediaStream } from './stream.ts';

const NAME_COLUMNS = 15;
const ADDRESS_COLUMNS = 16;

/** Always as many lines, at most 79 columns. */
export function picture(simulation: Simulation, stage: NetnsStage, probe: Probe): string[] {
  const { calls, tunnel, counts } = simulation;
  const { site } = stage;
  const up = calls.map((call) => call.up);
  const down = calls.map((call) => call.down);
  const known = calls[0] === undefined ? '' : formatEndpoint(calls[0].publicAddress);
  return [
    host('phones', site.ue.v4, said(up, down)),
    '        │  UDP, into the interface tep0 (rings)',
    host('TEP-C', site.ue.v4, inTunnel(counts.client.packets)),
    `        ║  ${tunnel.outer} ▶ ${tunnel.listening}, TCP${site.proxy ? ' by CONNECT' : ''}`,
    ...site.routers.flatMap((router) => routerLines(router, site, probe)),
    host('TEP-S', site.server.v4, inTunnel(counts.server.packets)),
    `        │  UDP, phone 1 is known as ${known}`,
    host('media gateway', site.gateway.v4, said(down, up)),
  ];
}

function routerLines({ name, firewall, nat }: RouterPlan, site: Site, probe: Probe): string[] {
  const what = nat === undefined ? '' : `${site.publicUe.v4} outside`;
  const closed = `UDP ╳  of ${probe.sent} sent directly ${probe.arrived} arrived`;
  return [
    `  ▒▒▒▒▒▒║▒▒▒▒▒▒  ${name.padEnd(ADDRESS_COLUMNS)}${firewall === undefined ? what : closed}`,
    ...(name === 'firewall' && site.proxy
      ? [`        ║      proxy ${site.proxy.v4}`]
      : ['        ║']),
  ];
}

function host(name: string, address: string, counts: string): string {
  return `  ${name.padEnd(NAME_COLUMNS)}${address.padEnd(ADDRESS_COLUMNS)}${counts}`;
}

function said(out: readonly MediaStream[], into: readonly MediaStream[]): string {
  const sent = out.reduce((sum, stream) => sum + stream.sent, 0);
  const heard = into.reduce((sum, stream) => sum + stream.stats.received, 0);
  return `RTP ${number(sent)} sent, ${number(heard)} heard`;
}

function inTunnel(packets: number): string {
  return `${number(packets)} packets in the tunnel, both ways`;
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}
