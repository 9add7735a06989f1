/** What a replay counts. The names are those of `tep replay --json`: a contract. */

export interface Counts {
  /** Frames of the capture. */
  packets: number;
  /** Packets to carry: uplink and downlink together. */
  mediaPackets: number;
  uplink: number;
  downlink: number;
  /** Packets that came out at the other end. */
  carried: number;
  /** Packets that did not, by reason. */
  dropped: Record<string, number>;
  /** Packets that came out with other octets than they should have, checksums apart. */
  mismatches: number;
  checksumErrors: number;
  /** Packets that came out after one that was sent later. */
  orderErrors: number;
  /** Packets at the core whose addresses are not those that the SDP of the UE tells. */
  tupleErrors: number;
  /** STUN requests of the UE to a STUN server, answered by the tunnel's own end. */
  answeredLocally: number;
  /** ICMP errors about media, among the media packets. */
  icmpErrors: number;
  /** Frames that were IP fragments. */
  fragments: number;
  /** Fragmented packets of which the capture has not every piece, or pieces that contradict. */
  incomplete: number;
  /** Media packets of which the capture has only the beginning. */
  snapped: number;
  /** Media packets whose checksum was wrong in the capture already. */
  damaged: number;
  /** Frames that are none of the media. */
  unrelated: number;
}

export function noCounts(): Counts {
  return {
    packets: 0,
    mediaPackets: 0,
    uplink: 0,
    downlink: 0,
    carried: 0,
    dropped: {},
    mismatches: 0,
    checksumErrors: 0,
    orderErrors: 0,
    tupleErrors: 0,
    answeredLocally: 0,
    icmpErrors: 0,
    fragments: 0,
    incomplete: 0,
    snapped: 0,
    damaged: 0,
    unrelated: 0,
  };
}

export function countDrop(counts: Counts, reason: string, n = 1): void {
  counts.dropped[reason] = (counts.dropped[reason] ?? 0) + n;
}

export function droppedPackets(counts: Counts): number {
  return Object.values(counts.dropped).reduce((sum, n) => sum + n, 0);
}

/** Whether everything that should be carried came out as it should. */
export function isRight(counts: Counts): boolean {
  const { mismatches, checksumErrors, orderErrors, tupleErrors } = counts;
  return droppedPackets(counts) + mismatches + checksumErrors + orderErrors + tupleErrors === 0;
}

export function sumOfCounts(all: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const counts of all) {
    for (const [name, value] of Object.entries(counts)) {
      const key = name as keyof Counts;
      if (key !== 'dropped') sum[key] += value as number;
    }
    for (const [reason, n] of Object.entries(counts.dropped)) countDrop(sum, reason, n);
  }
  return sum;
}
