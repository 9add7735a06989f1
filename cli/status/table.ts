/** The status of an agent as text for a terminal. */

import { PORT_DROPS } from '../../io/packet-port.ts';
import type { QualityStatus } from '../../ops/flow-quality.ts';
import { oneLine } from '../../ops/one-line.ts';
import type {
  AgentStatus,
  BindingStatus,
  ClientStatus,
  ConnectionStatus,
  Drops,
  NgStatus,
  ServerStatus,
  SipStatus,
  TunnelStatus,
} from '../../ops/status.ts';
import type { LaneStatus } from '../../session/media/media-flow.ts';
import { SIP_DROPS } from '../../sip/sidecar/outputs.ts';
import { NG_FAULTS } from '../../tep-server/ng/faults.ts';
import { faultMeaning } from '../../wire/faults.ts';
import type { Rate, Rates } from './rates.ts';
import { droppedOf, WAITED_TITLES, waitedRows } from './waiting.ts';

/** Rows of a list; a terminal shows the first of them. */
const MOST_ROWS = 20;
const MS_PER_S = 1_000;
const TUNNEL_TITLES = ['tunnel', 'user', 'from', 'for', 'ports'] as const;

/** Lines without line ends. */
export function statusLines(status: AgentStatus, rates: Rates | undefined): readonly string[] {
  const lines = [
    ...head(status),
    ...traffic(status, rates),
    ...(status.agent === 'client' ? clientLines(status) : serverLines(status)),
    ...dropLines('dropped', status.drops),
    ...dropLines(`dropped at the packet port (${status.port.kind})`, status.port.drops),
  ];
  return lines.map(oneLine);
}

function head({ agent, version, pid, startedMs, nowMs }: AgentStatus): readonly string[] {
  return [`tep ${agent} ${version}, process ${pid}, running for ${age(nowMs - startedMs)}`];
}

function traffic({ sent, received }: AgentStatus, rates: Rates | undefined): readonly string[] {
  return [
    `  sent      ${rateText(rates?.sent)}${count(sent.packets)} packets in all`,
    `  received  ${rateText(rates?.received)}${count(received.packets)} packets in all`,
  ];
}

function clientLines({ tunnel, udp, bindings, nowMs, sip }: ClientStatus): readonly string[] {
  const { state, server, sinceMs, outer, resumed, lastFault, connections } = tunnel;
  const parts = [
    state,
    ...(server === undefined ? [] : [`server ${server}`]),
    ...(sinceMs === undefined ? [] : [`for ${age(nowMs - sinceMs)}`]),
    ...(outer === undefined ? [] : [`seen as ${outer}`]),
    ...(resumed === 0 ? [] : [`resumed ${times(resumed)}`]),
  ];
  return [
    `  tunnel    ${parts.join(', ')}`,
    ...(lastFault === undefined ? [] : [`  last end  ${lastFault}`]),
    ...(udp === undefined ? [] : [`  STUN      by UDP: ${stunText(udp)}`]),
    ...connectionLines(connections),
    ...bindingLines(bindings),
    ...waitedLines(bindings),
    ...(sip === undefined ? [] : sipLines(sip, nowMs)),
  ];
}

/** Whether media could go without the tunnel. */
function stunText({ state, mapped }: NonNullable<ClientStatus['udp']>): string {
  return mapped === undefined ? state : `${state}, seen as ${mapped}`;
}

function sipLines({ listening, core, registrations, calls, drops }: SipStatus, nowMs: number) {
  const { by, state, sinceMs, lastFault } = core;
  return [
    '',
    `  SIP       phones at ${listening.join(', ')}`,
    `  core      ${by}, ${state} for ${age(nowMs - sinceMs)}`,
    ...(lastFault === undefined ? [] : [`  last end  ${lastFault}`]),
    `  calls     ${count(calls.all)}, in the tunnel ${count(calls.tunnelled)}`,
    ...list(
      ['registered', 'contact', 'for'],
      registrations.map(({ aor, contact, expiresMs }) => [aor, contact, age(expiresMs - nowMs)]),
      registrations.length,
    ),
    ...dropLines('SIP messages not passed on', drops, SIP_DROPS),
  ];
}

function serverLines(status: ServerStatus): readonly string[] {
  const { listening, draining, workers, silentWorkers = 0 } = status;
  const { connections, tunnelCount, bindingCount } = status;
  const { tunnels, turnedAway, nowMs, ng } = status;
  return [
    `  listening ${listening.join(', ')}${draining ? ' (draining)' : ''}`,
    `  tunnels   ${count(tunnelCount)}, public ports ${count(bindingCount)}`,
    `  clients   connections ${count(connections.all)}, ` +
      `not authenticated ${count(connections.unauthenticated)}` +
      `${workers > 1 ? `; ${workers} workers` : ''}${silentWorkers > 0 ? `, ${silentWorkers} silent` : ''}`,
    ...(ng === undefined ? [] : gatewayLines(ng)),
    ...tunnelLines(tunnels, tunnelCount, nowMs),
    ...dropLines('turned away', turnedAway),
    ...(ng === undefined ? [] : dropLines('control of the media gateway', ng.faults, NG_FAULTS)),
  ];
}

function gatewayLines(ng: NgStatus): readonly string[] {
  const { listening, gatewayAnswers, peers, calls, pinholes, commands } = ng;
  const gateway = { true: 'answers', false: 'does not answer', undefined: 'not asked yet' };
  const counts = Object.entries(commands).map(([name, n]) => `${name} ${count(n)}`);
  return [
    `  control   ${listening.join(', ')}: gateway ${gateway[`${gatewayAnswers}`]}, proxies ${count(peers)}`,
    `  calls     ${count(calls)}, open ways ${count(pinholes)}`,
    ...(counts.length === 0 ? [] : [`  commands  ${counts.join(', ')}`]),
  ];
}

function connectionLines(connections: readonly ConnectionStatus[]): readonly string[] {
  return list(
    ['connection', 'state', 'round trip', 'waiting'],
    connections.map(({ peer, state, rttMs, queuedOctets }) => [
      peer,
      state,
      rttText(rttMs),
      queuedOctets === undefined ? '-' : `${count(queuedOctets)} octets`,
    ]),
    connections.length,
  );
}

function bindingLines(bindings: readonly BindingStatus[]): readonly string[] {
  return list(
    ['phone', 'public', '', 'by', 'dropped', ...QUALITY_TITLES],
    bindings.map(({ ue = '-', public: at, protocol, origin = '-', quality, sending }) => {
      return [ue, at, protocol, origin, droppedText(sending), ...qualityCells(quality)];
    }),
    bindings.length,
  );
}

function droppedText(sending: readonly LaneStatus[]): string {
  return count(sending.reduce((sum, lane) => sum + droppedOf(lane), 0));
}

function waitedLines(bindings: readonly BindingStatus[]): readonly string[] {
  const rows = waitedRows(bindings).map((cells) =>
    cells.map((cell) => (typeof cell === 'number' ? count(cell) : cell)),
  );
  if (rows.length === 0) return [];
  const title = '  packets into the tunnel, by how many ms they waited for a connection';
  return ['', title, ...list(WAITED_TITLES, rows, rows.length).slice(1)];
}

const QUALITY_TITLES = ['received', 'lost', 'jitter', 'late', 'stalls', 'MOS'] as const;

function qualityCells(quality: QualityStatus | undefined): readonly string[] {
  if (quality === undefined) return QUALITY_TITLES.map(() => '-');
  const { received, lost, jitterMs, lateMs, stalls, mos } = quality;
  return [
    count(received),
    share(lost, received + lost),
    rttText(jitterMs),
    rttText(lateMs.p99),
    count(stalls),
    mos === undefined ? '-' : mos.toFixed(2),
  ];
}

/** The worst of the streams of a tunnel. */
function worstOf(bindings: readonly BindingStatus[]): readonly string[] {
  const streams = bindings.flatMap(({ quality }) => (quality === undefined ? [] : [quality]));
  const scores = streams.flatMap(({ mos }) => (mos === undefined ? [] : [mos]));
  return [
    streams.length === 0 ? '-' : count(streams.reduce((sum, { stalls }) => sum + stalls, 0)),
    scores.length === 0 ? '-' : Math.min(...scores).toFixed(2),
  ];
}

function tunnelLines(tunnels: readonly TunnelStatus[], all: number, nowMs: number) {
  return list(
    [...TUNNEL_TITLES, 'sent', 'received', 'dropped', 'round trip', 'stalls', 'least MOS'],
    tunnels.map((tunnel) => {
      const { connections } = tunnel;
      const rtts = connections.flatMap(({ rttMs }) => (rttMs === undefined ? [] : [rttMs]));
      return [
        String(tunnel.id),
        tunnel.user,
        connections[0]?.peer ?? 'no connection',
        age(nowMs - tunnel.sinceMs),
        String(tunnel.bindings.length),
        count(tunnel.sent.packets),
        count(tunnel.received.packets),
        count(tunnel.dropped),
        rttText(rtts.length === 0 ? undefined : Math.min(...rtts)),
        ...worstOf(tunnel.bindings),
      ];
    }),
    all,
  );
}

/** Reasons with what they mean, the most frequent first. */
function dropLines(
  title: string,
  drops: Drops,
  meanings: Readonly<Record<string, string>> = PORT_DROPS,
): readonly string[] {
  const rows = Object.entries(drops)
    .filter(([, n]) => n > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, n]) => [count(n), name, faultMeaning(name) ?? meanings[name] ?? '']);
  return rows.length === 0 ? [] : ['', `  ${title}`, ...columns(rows)];
}

function list(
  titles: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  all: number,
): readonly string[] {
  if (all === 0) return [];
  const shown = rows.slice(0, MOST_ROWS);
  const more = all - shown.length;
  return ['', ...columns([titles, ...shown]), ...(more > 0 ? [`    and ${count(more)} more`] : [])];
}

function columns(rows: ReadonlyArray<readonly string[]>): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => {
    return `    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd();
  });
}

function rateText(rate: Rate | undefined): string {
  if (rate === undefined) return '';
  return `${count(Math.round(rate.packetsPerSecond))} packets/s, ${bits(rate.bitsPerSecond)}, `;
}

function bits(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${(perSecond / 1e3).toFixed(1)} kbit/s`;
}

function rttText(ms: number | undefined): string {
  return ms === undefined ? '-' : `${ms.toFixed(1)} ms`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

function share(part: number, all: number): string {
  return all === 0 ? '0 %' : `${((100 * part) / all).toFixed(2)} %`;
}

function times(n: number): string {
  return n === 1 ? 'once' : `${count(n)} times`;
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / MS_PER_S));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
