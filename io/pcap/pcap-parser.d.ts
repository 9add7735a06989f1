/** What we use of pcap-parser 0.2.1, which ships no types of its own. */
declare module 'pcap-parser' {
  import type { Buffer } from 'node:buffer';

  export interface Packet {
    readonly header: {
      readonly timestampSeconds: number;
      readonly timestampMicroseconds: number;
      readonly capturedLength: number;
      readonly originalLength: number;
    };
    readonly data: Buffer;
  }

  /** All that the package asks of a stream. Octets come in by its `data` event. */
  export interface Source {
    on(event: 'data', listener: (piece: Buffer) => void): unknown;
    on(event: 'error', listener: (error: Error) => void): unknown;
    on(event: 'end', listener: () => void): unknown;
    pause(): unknown;
    resume(): unknown;
  }

  export interface Parser {
    on(event: 'packet', listener: (packet: Packet) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }

  export function parse(source: Source): Parser;
}
