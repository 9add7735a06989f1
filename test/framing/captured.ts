/**
 * A capture carried through a tunnel, and the tunnel's own connection read with a framing again. That
 * each capture replays to its `.expect.json` is for test/replay/captures.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PROCESS } from '../../cli/process-world.ts';
import { command } from '../../cli/replay.ts';
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { CHANNELS, type Framing } from '../../framing/framing.ts';
import { readCapture } from '../../io/pcap/read.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';

const CAPTURES = fileURLToPath(new URL('../../../captures/', import.meta.url));
const SERVER_PORT = 80;

export interface Captured {
  /** IP records on the tunnel's connection, both ways. */
  readonly records: number;
  /** How many packets came out at the other end. */
  readonly expected: number;
  readonly faults: readonly number[];
}

export async function captured(framing: Framing, name: string): Promise<Captured> {
  const folder = mkdtempSync(join(tmpdir(), 'tep-framing-'));
  try {
    const tunnel = join(folder, 'tunnel.pcap');
    const expected = await replay(join(CAPTURES, name), tunnel);
    return { ...(await readTunnel(framing, tunnel)), expected };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function replay(file: string, tunnel: string): Promise<number> {
  const stdout = new PassThrough();
  const status = await command.run([file, '--tunnel-out', tunnel, '--json'], {
    stdout,
    stderr: process.stderr,
    stdin: new PassThrough(),
    env: {},
    interrupt: new AbortController().signal,
    process: PROCESS,
  });
  if (status !== 0) throw new Error(`${file} was not replayed`);
  return JSON.parse(`${stdout.read()}`).files[0].carried;
}

/** The writer of that file loses, repeats and reorders nothing, so the segments in turn are the stream. */
async function readTunnel(framing: Framing, file: string) {
  const up = new FrameBuffer(framing);
  const down = new FrameBuffer(framing);
  const view = new PacketView();
  let records = 0;
  for await (const batch of readCapture(file)) {
    for (const { b, at, end } of batch) {
      if (readPacket(view, b, at, end) !== 0) throw new Error('unreadable packet in the tunnel');
      const way = view.sourcePort === SERVER_PORT ? down : up;
      way.append(b, view.payload, view.payloadEnd);
      while (way.next()) if (way.channel === CHANNELS.IP) records += 1;
    }
  }
  return { records, faults: [up.fault, down.fault] };
}
