/** The pictures of the report. */
import type { Cost } from '../cost/measure.ts';
import type { Subject } from '../cost/scenes.ts';
import type { Series } from '../delay/series.ts';
import { PEER_NAMES, type PeerName } from '../peers/peer.ts';
import type { CostFile, DelayFile } from './files.ts';
import {
  type Axis,
  axes,
  type Box,
  band,
  bar,
  dots,
  line,
  type Point,
  picture,
  text,
} from './svg.ts';

/** Told apart by people who see few colours too (Okabe and Ito). */
const COLOURS: Readonly<Record<PeerName | Subject, string>> = {
  udp: '#999999',
  tep: '#d55e00',
  'tep-rings': '#d55e00',
  'tep-sockets': '#e69f00',
  floor: '#999999',
  'floor-sockets': '#bbbbbb',
  'turn-tcp': '#0072b2',
  'turn-tls': '#56b4e9',
  udptunnel: '#009e73',
  openvpn: '#cc79a7',
  naive: '#222222',
};
export const PEER_TITLES: Readonly<Record<PeerName, string>> = {
  udp: 'UDP, no tunnel',
  tep: 'TEP',
  'turn-tcp': 'coturn, TURN/TCP',
  'turn-tls': 'coturn, TURN/TLS',
  udptunnel: 'udptunnel',
  openvpn: 'OpenVPN, TCP',
  naive: 'Node, naive',
};
const LOST = '#cc0000';
const DARK = '#eeeeee';

const WIDTH = 760;
const BOX: Box = { left: 60, top: 40, width: 520, height: 280 };
const LEGEND_LEFT = 600;

/** p99 of each peer against random loss. */
export function delayAgainstLoss({ results }: DelayFile): string {
  const x: Axis = { label: 'random loss each way, %', min: 0, max: 5, ticks: [0, 1, 2, 3, 4, 5] };
  const ticks = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
  const y: Axis = { label: 'p99 of delay one way, ms', min: 18, max: 6_000, isLog: true, ticks };
  const lines = PEER_NAMES.map((peer): Curve => {
    const points = results.flatMap((result): Point[] => {
      const percent = /^loss-(.*)$/.exec(result.scenario)?.[1];
      if (result.peer !== peer || percent === undefined) return [];
      return [[Number(percent), result.audio.p99]];
    });
    return { name: PEER_TITLES[peer], colour: COLOURS[peer], points, isOurs: peer === 'tep' };
  });
  return chart(x, y, lines);
}

/** Server, against calls at a time. */
export function costAgainstCalls({ costs, titles }: CostFile): string {
  const x: Axis = {
    ...{ label: 'calls (50 packets a second each way)', min: 1, max: 500, isLog: true },
    ticks: [1, 2, 5, 10, 20, 50, 100, 200, 500],
  };
  const ticks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200];
  const y: Axis = { label: 'µs a packet, server', min: 0.5, max: 300, isLog: true, ticks };
  const subjects = [...new Set(costs.map(({ subject }) => subject))];
  const lines = subjects.map((subject): Curve => {
    const both = costs.filter((cost) => cost.subject === subject && cost.direction === 'both');
    const points = both.map(({ perSecond, serverUs }): Point => [perSecond / 100, serverUs]);
    const isOurs = subject === 'tep-rings';
    return { name: titles[subject], colour: COLOURS[subject], points, isOurs };
  });
  return chart(x, y, lines);
}

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
  readonly isOurs: boolean;
}

function chart(x: Axis, y: Axis, curves: readonly Curve[]): string {
  const parts = axes(BOX, x, y);
  const shown = curves.filter(({ points }) => points.length > 0);
  for (const [i, { name, colour, points, isOurs }] of shown.entries()) {
    const known = points.filter(([, figure]) => Number.isFinite(figure));
    const sorted = known.toSorted(([a], [b]) => a - b);
    parts.push(line(BOX, x, y, sorted, colour, isOurs ? 3.5 : 1.5));
    parts.push(dots(BOX, x, y, sorted, colour, isOurs ? 4 : 2.5));
    const top = BOX.top + 10 + i * 22;
    parts.push(bar(LEGEND_LEFT, top - 8, 14, isOurs ? 6 : 3, colour));
    const weight = isOurs ? ({ weight: 'bold' } as const) : {};
    parts.push(text(LEGEND_LEFT + 20, top, name, weight));
  }
  return picture(WIDTH + 80, BOX.top + BOX.height + 50, parts);
}

const PANEL = { width: 350, height: 130, gapX: 70, gapY: 62 } as const;

/** Each packet of each peer around the time at which the link was dark: one panel for each. */
export function delayOverTime({ series }: DelayFile, scenario: string): string {
  const shown = series.filter((one) => one.scenario === scenario);
  const [first] = shown;
  const darkMs = first?.darkMs ?? 0;
  const x: Axis = {
    ...{ label: '', min: -200, max: darkMs + 1_000 },
    ticks: ticksTo(darkMs + 1_000),
  };
  const y: Axis = {
    ...{ label: '', min: 10, max: 3_000, isLog: true },
    ticks: [10, 20, 50, 100, 200, 500, 1_000, 2_000],
  };
  const parts: string[] = [];
  for (const [i, one] of shown.entries()) {
    const box = {
      left: 60 + (i % 2) * (PANEL.width + PANEL.gapX),
      top: 40 + Math.floor(i / 2) * (PANEL.height + PANEL.gapY),
      ...{ width: PANEL.width, height: PANEL.height },
    };
    parts.push(...panel(box, x, y, one));
  }
  const rows = Math.ceil(shown.length / 2);
  return picture(
    60 + 2 * PANEL.width + PANEL.gapX + 20,
    40 + rows * (PANEL.height + PANEL.gapY),
    parts,
  );
}

function panel(box: Box, x: Axis, y: Axis, { peer, points, darkMs }: Series): string[] {
  const arrived = points.filter((point): point is Point => point[1] !== null);
  const lost = points.filter(([, delay]) => delay === null).map(([at]): Point => [at, y.max]);
  return [
    band(box, x, 0, darkMs, DARK),
    ...axes(box, { ...x, label: '' }, { ...y, label: '' }),
    text(box.left, box.top - 8, PEER_TITLES[peer], { weight: 'bold', colour: COLOURS[peer] }),
    text(box.left + box.width, box.top - 8, `${lost.length} of ${points.length} lost`, {
      anchor: 'end',
      colour: lost.length > 0 ? LOST : '#222222',
    }),
    dots(box, x, y, arrived, COLOURS[peer], 1.6),
    dots(box, x, y, lost, LOST, 1.6),
  ];
}

function ticksTo(max: number): number[] {
  const step = max > 2_000 ? 500 : 200;
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => i * step);
}

const BAR = { left: 230, height: 14, row: 44, width: 420 } as const;

/** Both sides of each peer, at the rate of the aims. */
export function costPerPacket({ costs, titles }: CostFile, perSecond: number): string {
  const shown = costs.filter((cost) => cost.direction === 'both' && cost.perSecond === perSecond);
  const most = Math.max(...shown.flatMap(({ clientUs, serverUs }) => [clientUs, serverUs]));
  const parts = [text(BAR.left, 20, 'µs a packet, 50,000 a second, both ways')];
  for (const [i, cost] of shown.entries()) {
    const top = 34 + i * BAR.row;
    parts.push(text(BAR.left - 10, top + 19, titles[cost.subject], { anchor: 'end' }));
    parts.push(...sideBar(top, 'server', cost, cost.serverUs, most));
    if (cost.clientUs > 0) {
      parts.push(...sideBar(top + BAR.height + 3, 'client', cost, cost.clientUs, most));
    }
  }
  return picture(WIDTH + 60, 44 + shown.length * BAR.row, parts);
}

function sideBar(top: number, side: string, { subject }: Cost, us: number, most: number): string[] {
  const width = (us / most) * BAR.width;
  return [
    bar(BAR.left, top, width, BAR.height, COLOURS[subject]),
    text(BAR.left + width + 6, top + 11, `${us} ${side}`),
  ];
}
