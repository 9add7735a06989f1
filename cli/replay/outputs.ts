/**
 * The capture files that a replay writes: the tunnel's TCP connection, what passes at the core, and
 * what the UE gets. Raw IP packets with nanoseconds; each file is whole or not there at all.
 */
import { LINK_TYPES } from '../../io/pcap/link-types.ts';
import { CaptureWriter } from '../../io/pcap/write.ts';
import type { Endpoint } from '../../wire/address.ts';
import { TcpWriter } from './tcp-writer.ts';

export interface OutputFiles {
  readonly tunnel: string | undefined;
  readonly core: string | undefined;
  readonly ue: string | undefined;
}

export interface TimeOfCapture {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export class Outputs {
  readonly #writers: CaptureWriter[] = [];
  readonly #tunnel: CaptureWriter | undefined;
  readonly #core: CaptureWriter | undefined;
  readonly #ue: CaptureWriter | undefined;
  #connection: TcpWriter | undefined;

  /** Throws CaptureWriteError, as everything here does that writes, and then leaves no file. */
  constructor(files: OutputFiles) {
    try {
      this.#tunnel = this.#create(files.tunnel);
      this.#core = this.#create(files.core);
      this.#ue = this.#create(files.ue);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** The connection between the two ends begins. */
  connect(client: Endpoint, server: Endpoint, time: TimeOfCapture): void {
    if (this.#tunnel === undefined) return;
    this.#connection = new TcpWriter(this.#tunnel, client, server);
    this.#connection.at(time.seconds, time.nanoseconds);
    this.#connection.open();
  }

  octets(byClient: boolean, b: Uint8Array, from: number, to: number, time: TimeOfCapture): void {
    this.#connection?.at(time.seconds, time.nanoseconds);
    this.#connection?.data(byClient, b, from, to);
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  core(b: Uint8Array, start: number, end: number, time: TimeOfCapture): void {
    this.#core?.write(time.seconds, time.nanoseconds, b, start, end);
  }

  ue(b: Uint8Array, start: number, end: number, time: TimeOfCapture): void {
    this.#ue?.write(time.seconds, time.nanoseconds, b, start, end);
  }

  finish(): void {
    for (const writer of this.#writers) writer.finish();
  }

  discard(): void {
    for (const writer of this.#writers) writer.discard();
  }

  #create(file: string | undefined): CaptureWriter | undefined {
    if (file === undefined) return undefined;
    const writer = new CaptureWriter(file, {
      linkType: LINK_TYPES.RAW,
      precision: 'nanoseconds',
    });
    this.#writers.push(writer);
    return writer;
  }
}
