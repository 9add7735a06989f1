/** The result of a replay, for people and for programs. */
import { faultMeaning } from '../../wire/faults.ts';
import { type Counts, droppedPackets, isRight, sumOfCounts } from './counts.ts';
import type { FileReplay } from './replay-file.ts';

/** What is printed with `--json`: the sums of all files, then each file. */
export function jsonReport(files: readonly FileReplay[]): string {
  const total = sumOfCounts(files.map(({ counts }) => counts));
  const each = files.map(({ counts, problem, ...rest }) => ({
    ...rest,
    ok: isWell({ counts, problem }),
    ...(problem === undefined ? {} : { problem }),
    ...counts,
  }));
  return `${JSON.stringify({ ok: files.every(isWell), ...total, files: each }, undefined, 2)}\n`;
}

/** Whether everything was read and came out as it should. */
export function isWell({ counts, problem }: Pick<FileReplay, 'counts' | 'problem'>): boolean {
  return problem === undefined && isRight(counts);
}

const COLUMNS: readonly (readonly [string, (counts: Counts) => number])[] = [
  ['packets', (c) => c.packets],
  ['media', (c) => c.mediaPackets],
  ['up', (c) => c.uplink],
  ['down', (c) => c.downlink],
  ['carried', (c) => c.carried],
  ['dropped', droppedPackets],
  ['changed', (c) => c.mismatches],
  ['checksum', (c) => c.checksumErrors],
  ['order', (c) => c.orderErrors],
  ['address', (c) => c.tupleErrors],
];

/** A row for each file, one for the sum of several, then what is worth a word. */
export function textReport(files: readonly FileReplay[]): string {
  const total = sumOfCounts(files.map(({ counts }) => counts));
  const rows = [
    ['', ...COLUMNS.map(([name]) => name)],
    ...files.map(({ file, counts }) => rowOf(file, counts)),
    ...(files.length > 1 ? [rowOf('total', total)] : []),
  ];
  const lines = [...align(rows), '', ...remarks(total), ...unread(files), verdict(files)];
  return `${lines.join('\n')}\n`;
}

function rowOf(name: string, counts: Counts): string[] {
  return [name, ...COLUMNS.map(([, value]) => String(value(counts)))];
}

/** The first column to the left, numbers to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function remarks(total: Counts): string[] {
  const plain: readonly (readonly [number, string])[] = [
    [total.unrelated, 'frames that are none of the media'],
    [total.icmpErrors, 'ICMP errors about media, translated'],
    [total.answeredLocally, 'STUN questions of the UE, answered by the tunnel end'],
    [total.fragments, 'frames were fragments'],
    [total.incomplete, 'fragmented packets have pieces missing in the capture and were left out'],
    [total.snapped, 'packets not captured whole, filled up with zeros'],
    [total.damaged, 'packets with a wrong checksum in the capture already'],
  ];
  return [
    ...Object.entries(total.dropped).map(droppedText),
    ...plain.filter(([n]) => n > 0).map(([n, text]) => `${n} ${text}`),
  ];
}

function droppedText([reason, n]: [string, number]): string {
  const meaning = faultMeaning(reason);
  return `${n} dropped: ${reason}${meaning === undefined ? '' : ` (${meaning})`}`;
}

function unread(files: readonly FileReplay[]): string[] {
  const names = new Set(files.flatMap((file) => file.unread));
  return names.size === 0 ? [] : [`Not read: what is in ${[...names].join(', ')}`];
}

function verdict(files: readonly FileReplay[]): string {
  if (files.every(isWell)) return 'Every media packet came out of the tunnel as it should.';
  if (files.every(({ counts }) => isRight(counts))) return 'Not everything could be replayed.';
  return 'Not every media packet came out of the tunnel as it should.';
}
