/**
 * `tep replay` of a capture made here: RTP both ways, carried through both ends and compared octet by
 * octet. Each run is a process of its own without the settings of the other benches, so that its peak
 * memory is that of a user's run. One packet counts once, though it is read twice. The time is that of
 * the replay, without the start of the process but with all compiling that the first run has to wait for.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PROCESS } from '../cli/process-world.ts';
import { command } from '../cli/replay.ts';
import { LINK_TYPES } from '../io/pcap/link-types.ts';
import { CaptureWriter } from '../io/pcap/write.ts';
import { median, QUICK, report } from './harness.ts';
import { MEDIA, PACKET_LEN, packetOf, UE } from './traffic.ts';

const RUNS = QUICK ? 1 : 5;
const PACKETS = 100_000;
const FEW_PACKETS = 10_000;
const CALLS = 10;
const PACKET_MS = 20;
const START_S = 1_780_000_000;

const childFile = process.argv[process.argv.indexOf('--child') + 1];
if (process.argv.includes('--child') && childFile !== undefined) await runChild(childFile);
else runAll();

interface Run {
  readonly ms: number;
  readonly peakKb: number;
}

function runAll(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tep-bench-'));
  try {
    for (const packets of [FEW_PACKETS, PACKETS]) {
      const file = join(folder, `${packets}.pcap`);
      writeCapture(file, packets);
      const runs = Array.from({ length: RUNS }, () => spawned(file));
      const ms = median(runs.map((run) => run.ms));
      const peakKb = median(runs.map((run) => run.peakKb));
      report(
        `replay: ${packets} packets of ${CALLS} calls`,
        packets === PACKETS ? { minPacketsPerSecond: 200_000, maxPeakMb: 200 } : undefined,
        {
          packetsPerSecond: Math.round((packets * 1000) / ms),
          peakMb: Math.round(peakKb / 1024),
        },
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function spawned(file: string): Run {
  const words = [fileURLToPath(import.meta.url), '--child', file];
  return JSON.parse(execFileSync(process.execPath, words).toString());
}

async function runChild(file: string): Promise<void> {
  const stdout = new PassThrough();
  const began = threadMs();
  const status = await command.run([file, '--ue', '10.0.0.2', '--json'], {
    stdout,
    stderr: process.stderr,
    stdin: new PassThrough(),
    env: {},
    interrupt: new AbortController().signal,
    process: PROCESS,
  });
  const ms = threadMs() - began;
  if (status !== 0) throw new Error(`replay failed: ${stdout.read()}`);
  const run: Run = { ms, peakKb: process.resourceUsage().maxRSS };
  process.stdout.write(JSON.stringify(run));
}

/**
 * Processor time of this thread: the threads that compile run beside it. Where the system does not tell
 * (not Linux), the time of the clock.
 */
function threadMs(): number {
  try {
    return Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'latin1'), 10) / 1e6;
  } catch {
    return performance.now();
  }
}

/** As captured at the UE: a packet of each call each way, every 20 ms. */
function writeCapture(file: string, count: number): void {
  const writer = new CaptureWriter(file, { linkType: LINK_TYPES.RAW, precision: 'microseconds' });
  for (let i = 0; i < count; i++) {
    const call = (i >>> 1) % CALLS;
    const sequence = Math.floor(i / 2 / CALLS);
    const ue = { ...UE, port: UE.port + 2 * call };
    const media = { ...MEDIA, port: MEDIA.port + 2 * call };
    const packet = i % 2 === 0 ? packetOf(ue, media, sequence) : packetOf(media, ue, sequence);
    const ms = sequence * PACKET_MS;
    writer.write(START_S + Math.floor(ms / 1000), (ms % 1000) * 1e6, packet, 0, PACKET_LEN);
  }
  writer.finish();
}
