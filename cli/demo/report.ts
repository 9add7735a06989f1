/** What the demo measured: as an object for programs, as text for people. */

import { Histogram } from '../../ops/histogram.ts';
import { G711, mos } from '../../ops/mos.ts';
import type { Drops } from '../../ops/status.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { RTP_LEN } from './media.ts';
import type { Call, Simulation } from './simulation.ts';
import type { MediaStream } from './stream.ts';

/** IPv4 20, UDP 8. */
const HEADERS_LEN = 28;
const MOS_BEST = mos(G711, 0, 0).toFixed(2);

export interface Report {
  readonly ok: boolean;
  readonly calls: number;
  readonly seconds: number;
  /** RTP packets, both directions of all calls. */
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** RTP and RTCP packets that arrived with other octets than were sent. */
  readonly corrupted: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly rtcpSent: number;
  readonly rtcpReceived: number;
  /** One-way delay of all packets. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Interarrival jitter (RFC 3550) and MOS (E-model): the mean of all streams. */
  readonly jitterMs: number;
  readonly mos: number;
  /** The worst stream's. */
  readonly mosMin: number;
  readonly openMs: number;
  /** Whole IP packets that TEP-C put into the tunnel and took out of it, and their octets. */
  readonly tunnelPackets: number;
  readonly tunnelOctets: number;
  /** Packets that either end refused to carry, by reason. */
  readonly tunnelDrops: Drops;
}

export function reportOf(simulation: Simulation): Report {
  const streams = simulation.calls.flatMap(({ up, down }) => [up, down]);
  const sum = (of: (stream: MediaStream) => number) => streams.reduce((n, s) => n + of(s), 0);
  const mean = (of: (stream: MediaStream) => number) => sum(of) / streams.length;
  const delay = new Histogram();
  for (const stream of streams) delay.add(stream.stats.delay);
  const corrupted = sum((s) => s.corrupted);
  const { counts, tunnel } = simulation;
  const packets = sum((s) => s.sent);
  return {
    // A demo that was ended before the first packet has shown nothing.
    ok: packets > 0 && streams.every((s) => s.complete) && corrupted === 0,
    calls: simulation.calls.length,
    seconds: round(simulation.talkedMs / 1_000, 2),
    sent: packets,
    received: sum((s) => s.stats.received),
    lost: sum((s) => s.lost),
    corrupted,
    duplicates: sum((s) => s.stats.duplicates),
    reordered: sum((s) => s.stats.reordered),
    rtcpSent: sum((s) => s.reportsSent),
    rtcpReceived: sum((s) => s.reportsReceived),
    p50Ms: round(delay.quantileMs(0.5), 3),
    p99Ms: round(delay.quantileMs(0.99), 3),
    maxMs: round(delay.maxMs, 3),
    jitterMs: round(
      mean((s) => s.stats.jitterMs),
      3,
    ),
    mos: round(
      mean((s) => s.mos),
      2,
    ),
    mosMin: round(Math.min(...streams.map((s) => s.mos)), 2),
    openMs: tunnel.openMs,
    tunnelPackets: counts.client.packets,
    tunnelOctets: counts.client.octets,
    tunnelDrops: counts.drops,
  };
}

/** What there is to see, before it begins. At most 79 columns, as all that follows. */
export function introduction({ calls, tunnel }: Simulation): string {
  const number = calls.length === 1 ? 'one call' : `${calls.length} calls`;
  const [first] = calls;
  const phone = first ? formatEndpoint(first.phone.local.rtp) : '';
  const known = first ? formatEndpoint(first.publicAddress) : '';
  return `
  A firewall lets only TCP out. tep carries ${number} through it, both ways:

    phone ──UDP──▶ TEP-C ═══════ TCP ═══════▶ TEP-S ──UDP──▶ media gateway

  TEP-C runs beside the phone, TEP-S beside the gateway, which notice nothing.
  Here all of them run on this machine, each TEP a process of its own.

  tunnel   ${tunnel.outer} ▶ ${tunnel.listening}, ${ms(tunnel.openMs)} after TEP-C began
  phone 1  ${phone}; the gateway knows it as ${known}, at TEP-S

`;
}

const TABLE_HEAD =
  '  call  public address     sent  arrived  lost  jitter ms  p50 ms  p99 ms   MOS';

/** One line per call, at most `most` of them. */
export function callTable(calls: readonly Call[], most: number): string[] {
  const shown = calls.slice(0, most).map((call, i) => callLine(call, i + 1));
  const hidden = calls.length - shown.length;
  return [TABLE_HEAD, ...shown, ...(hidden > 0 ? [`  … and ${hidden} more calls`] : [])];
}

/** Both directions together; jitter and MOS of the worse one. */
function callLine({ publicAddress, up, down }: Call, number: number): string {
  const delay = new Histogram();
  delay.add(up.stats.delay);
  delay.add(down.stats.delay);
  return [
    `  ${String(number).padStart(4)}`,
    formatEndpoint(publicAddress).padEnd(15),
    count(up.sent + down.sent).padStart(6),
    count(up.stats.received + down.stats.received).padStart(7),
    count(up.lost + down.lost).padStart(4),
    cell(Math.max(up.stats.jitterMs, down.stats.jitterMs)).padStart(9),
    cell(delay.quantileMs(0.5)).padStart(6),
    cell(delay.quantileMs(0.99)).padStart(6),
    Math.min(up.mos, down.mos).toFixed(2),
  ].join('  ');
}

export function summary(r: Report): string {
  const wrong = r.sent === 0 ? 'Ended before the first packet.' : 'NOT every packet arrived whole.';
  const verdict = r.ok ? 'Every packet arrived whole.' : wrong;
  const reasons = Object.entries(r.tunnelDrops).map(([name, n]) => `${count(n)} ${name}`);
  const drops = `    refused   by TEP-C or TEP-S: ${reasons.join(', ')}\n`;
  return `
  ${verdict}

    RTP       ${count(r.sent)} sent, ${count(r.received)} arrived, ${count(r.lost)} lost, ${count(r.corrupted)} changed
    RTCP      ${count(r.rtcpSent)} reports sent, ${count(r.rtcpReceived)} arrived
    delay     p50 ${ms(r.p50Ms)}, p99 ${ms(r.p99Ms)}, slowest ${ms(r.maxMs)}; one way
    jitter    ${ms(r.jitterMs)} (RFC 3550)
    MOS       ${r.mos.toFixed(2)}, where ${MOS_BEST} is the best of G.711 (ITU-T G.107)
    tunnel    ${count(r.tunnelPackets)} packets, ${count(r.tunnelOctets)} octets; RTP of ${RTP_LEN} octets takes ${RTP_LEN + HEADERS_LEN}:
              itself and its IP and UDP header, nothing else
${reasons.length > 0 ? drops : ''}`;
}

/** 0.42, 42.42, 4242: at most six signs below a quarter of an hour. */
function cell(valueMs: number): string {
  return valueMs.toFixed(valueMs < 999 ? 2 : 0);
}

/** 0.42 ms, 42 ms */
function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

/** 12,345 */
function count(n: number): string {
  return n.toLocaleString('en-US');
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
