/** What a packet costs each side, in one window of time. */
import { cpuNs, residentMb } from '../agents/process-use.ts';
import type { CostScene, Subject } from './scenes.ts';

/** Packets a second: telephones, gateways. */
export type Pace = readonly [up: number, down: number];

export interface Window {
  /** Processor time of a side for each packet that arrived. */
  readonly clientUs: number;
  readonly serverUs: number;
  readonly sent: number;
  readonly received: number;
}

export interface Cost {
  readonly subject: Subject;
  readonly direction: string;
  /** Asked for, of both directions together. */
  readonly perSecond: number;
  readonly clientUs: number;
  readonly serverUs: number;
  readonly lostPercent: number;
  /** Resident, at the end. */
  readonly clientMb: number;
  readonly serverMb: number;
}

/** Sends for a while, and looks at a part of it. */
export async function measureWindow(
  scene: CostScene,
  [up, down]: Pace,
  settleMs: number,
  windowMs: number,
): Promise<Window> {
  await Promise.all([scene.phones.send(up), scene.gateways.send(down)]);
  await sleep(settleMs);
  const before = await look(scene);
  await sleep(windowMs);
  const after = await look(scene);
  await Promise.all([scene.phones.send(0), scene.gateways.send(0)]);
  const received = after.received - before.received;
  return {
    sent: after.sent - before.sent,
    received,
    clientUs: (after.clientNs - before.clientNs) / 1_000 / received,
    serverUs: (after.serverNs - before.serverNs) / 1_000 / received,
  };
}

export function costOf(
  subject: Subject,
  direction: string,
  [up, down]: Pace,
  windows: readonly Window[],
  { pids }: CostScene,
): Cost {
  const sent = sum(windows.map((window) => window.sent));
  const received = sum(windows.map((window) => window.received));
  return {
    subject,
    direction,
    perSecond: up + down,
    clientUs: median(windows.map(({ clientUs }) => clientUs)),
    serverUs: median(windows.map(({ serverUs }) => serverUs)),
    // What was on its way at the beginning and the end of a window is no loss.
    lostPercent: round(Math.max(0, 1 - received / sent) * 100),
    clientMb: round(sum(pids.client.map(residentMb))),
    serverMb: round(sum(pids.server.map(residentMb))),
  };
}

async function look({ phones, gateways, pids }: CostScene) {
  const [ues, media] = await Promise.all([phones.counts(), gateways.counts()]);
  return {
    sent: ues.sent + media.sent,
    received: ues.received + media.received,
    clientNs: sum(pids.client.map(cpuNs)),
    serverNs: sum(pids.server.map(cpuNs)),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[sorted.length >> 1] ?? Number.NaN);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
