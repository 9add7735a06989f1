/** What the demo measured: as an object for programs, as text for people. */
import { Histogram } from '../../ops/histogram.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { RTP_LEN } from './media.ts';
import type { Call, Simulation } from './simulation.ts';
import type { MediaStream } from './stream.ts';

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
  /** Packets that either end refused to carry. */
  readonly tunnelDrops: number;
}

export function reportOf(simulation: Simulation): Report {
  const streams = simulation.calls.flatMap(({ up, down }) => [up, down]);
  const sum = (of: (stream: MediaStream) => number) => streams.reduce((n, s) => n + of(s), 0);
  const mean = (of: (stream: MediaStream) => number) => sum(of) / streams.length;
  const delay = new Histogram();
  for (const stream of streams) delay.add(stream.stats.delay);
  const corrupted = sum((s) => s.corrupted);
  const { counters } = simulation;
  return {
    ok: streams.every((s) => s.complete) && corrupted === 0,
    calls: simulation.calls.length,
    seconds: round(simulation.talkedMs / 1_000, 2),
    sent: sum((s) => s.sent),
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
    openMs: round(simulation.openMs, 1),
    tunnelPackets: counters.sentRecords + counters.receivedRecords,
    tunnelOctets: counters.sentOctets + counters.receivedOctets,
    tunnelDrops: simulation.drops,
  };
}

/** What there is to see, before it begins. */
export function introduction(simulation: Simulation): string {
  const { calls, server, outer } = simulation;
  const number = calls.length === 1 ? 'one call' : `${calls.length} calls`;
  return `
  A firewall lets only TCP out. tep carries ${number} through it, both ways:

    phone ──UDP──▶ TEP-C ══════ TCP ══════▶ TEP-S ──UDP──▶ media gateway

  TEP-C runs beside the phone, TEP-S beside the gateway; neither phone nor gateway knows.
  Here all four run on this machine, joined by real sockets.

  tunnel    ${formatEndpoint(outer)} ▶ ${formatEndpoint(server)}, open after ${ms(simulation.openMs)}, password checked both ways
  address   each phone got a public one at TEP-S, where the gateway sends to:
`;
}

/** One line per call, at most `most` of them. */
export function callTable(calls: readonly Call[], most: number): string[] {
  const head =
    '    call  phone               public address      sent  received  lost   jitter  delay p50     p99   MOS';
  const shown = calls.slice(0, most).map((call, i) => callLine(call, i + 1));
  const hidden = calls.length - shown.length;
  return [head, ...shown, ...(hidden > 0 ? [`    … and ${hidden} more calls`] : [])];
}

function callLine({ phone, publicAddress, up, down }: Call, number: number): string {
  const delay = new Histogram();
  delay.add(up.stats.delay);
  delay.add(down.stats.delay);
  const jitterMs = Math.max(up.stats.jitterMs, down.stats.jitterMs);
  return [
    `    ${String(number).padStart(4)}`,
    formatEndpoint(phone.local.rtp).padEnd(18),
    formatEndpoint(publicAddress).padEnd(18),
    count(up.sent + down.sent).padStart(5),
    count(up.stats.received + down.stats.received).padStart(8),
    String(up.lost + down.lost).padStart(4),
    ms(jitterMs).padStart(7),
    ms(delay.quantileMs(0.5)).padStart(9),
    ms(delay.quantileMs(0.99)).padStart(7),
    Math.min(up.mos, down.mos).toFixed(2),
  ].join('  ');
}

export function summary(report: Report): string {
  const { sent, received, rtcpSent, rtcpReceived, corrupted, lost } = report;
  const verdict = report.ok ? 'Every packet arrived whole.' : 'NOT every packet arrived whole.';
  const headers = report.tunnelPackets === 0 ? 0 : report.tunnelOctets / report.tunnelPackets;
  return `
  ${verdict}

    RTP       ${count(sent)} sent, ${count(received)} arrived, ${count(lost)} lost, ${count(corrupted)} changed
    RTCP      ${count(rtcpSent)} reports sent, ${count(rtcpReceived)} arrived
    delay     ${ms(report.p50Ms)} half of them, ${ms(report.p99Ms)} 99 in 100, ${ms(report.maxMs)} the slowest
    jitter    ${ms(report.jitterMs)} (RFC 3550)
    MOS       ${report.mos.toFixed(2)} of 4.41 that G.711 can have (ITU-T G.107 E-model)
    tunnel    ${count(report.tunnelPackets)} packets, ${count(report.tunnelOctets)} octets: ${Math.round(headers)} for ${RTP_LEN} of RTP, the rest is their IP and
              UDP header; the tunnel itself adds none
`;
}

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
