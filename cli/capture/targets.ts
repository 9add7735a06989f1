/** Where captured frames go: a file that appears when it is whole, or a stream as it comes. */
import { once } from 'node:events';
import { CaptureEncoder } from '../../io/pcap/encode.ts';
import { CaptureWriter } from '../../io/pcap/write.ts';
import type { Output } from '../command.ts';

export interface CaptureTarget {
  /** Octets are copied. Throws CaptureWriteError. */
  write(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void;
  finish(): Promise<void>;
  /** After a failure: whether something of it is kept, in whole records. */
  salvage(): boolean;
}

/** How full the stream is. */
export interface Flow {
  full(): void;
  drained(): void;
}

const PRECISION = 'microseconds';

export function fileTarget(file: string, linkType: number): CaptureTarget {
  const writer = new CaptureWriter(file, { linkType, precision: PRECISION });
  return {
    write: (...record) => writer.write(...record),
    finish: async () => writer.finish(),
    salvage: () => writer.salvage(),
  };
}

/** Frames of one turn of the event loop leave together, at its end: somebody may be watching. */
export function streamTarget(stream: Output, linkType: number, flow: Flow): CaptureTarget {
  const options = { linkType, precision: PRECISION } as const;
  const encoder = new CaptureEncoder(options, (octets) => {
    if (stream.write(Buffer.from(octets))) return;
    flow.full();
    stream.once('drain', flow.drained);
  });
  let flushing: NodeJS.Immediate | undefined;
  const flush = () => {
    flushing = undefined;
    encoder.flush();
  };
  flushing = setImmediate(flush);
  return {
    write(...record) {
      encoder.write(...record);
      flushing ??= setImmediate(flush);
    },
    async finish() {
      clearImmediate(flushing);
      encoder.flush();
      if (stream.writableNeedDrain) await once(stream, 'drain');
    },
    salvage() {
      clearImmediate(flushing);
      return false;
    },
  };
}
