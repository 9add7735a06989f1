/**
 * The capture files that a replay writes: the tunnel's TCP connection, and where the two agents would
 * have packet ports, what is sent there to the core and to the UE. Raw IP packets with nanoseconds; each file is whole or not there at all.
 */
import { LINK_TYPES } from '../../io/pcap/link-types.ts';
import { type CaptureTime, PcapPort } from '../../io/pcap/port.ts';
import { CaptureWriter } from '../../io/pcap/write.ts';
import type { Endpoint } from '../../wire/address.ts';
import { TcpWriter } from './tcp-writer.ts';

export interface OutputFiles {
  readonly tunnel: string | undefined;
  readonly core: string | undefined;
  readonly ue: string | undefined;
}

export class Outputs {
  readonly #writers: CaptureWriter[] = [];
  readonly #tunnel: CaptureWriter | undefined;
  readonly #core: PcapPort;
  readonly #ue: PcapPort;
  #connection: TcpWriter | undefined;

  /** Throws CaptureWriteError, as everything here does that writes, and then leaves no file. */
  constructor(files: OutputFiles) {
    try {
      this.#tunnel = this.#create(files.tunnel);
      this.#core = this.#port(files.core);
      this.#ue = this.#port(files.ue);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** The connection between the two ends begins. */
  connect(client: Endpoint, server: Endpoint, time: CaptureTime): void {
    if (this.#tunnel === undefined) return;
    this.#connection = new TcpWriter(this.#tunnel, client, server);
    this.#connection.at(time.seconds, time.nanoseconds);
    this.#connection.open();
  }

  octets(byClient: boolean, b: Uint8Array, from: number, to: number, time: CaptureTime): void {
    this.#connection?.at(time.seconds, time.nanoseconds);
    this.#connection?.data(byClient, b, from, to);
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  core(b: Uint8Array, start: number, end: number, time: CaptureTime): void {
    this.#core.time = time;
    this.#core.send(b, start, end);
  }

  ue(b: Uint8Array, start: number, end: number, time: CaptureTime): void {
    this.#ue.time = time;
    this.#ue.send(b, start, end);
  }

  finish(): void {
    for (const writer of this.#writers) writer.finish();
  }

  discard(): void {
    for (const writer of this.#writers) writer.discard();
  }

  #port(file: string | undefined): PcapPort {
    const to = this.#create(file);
    return new PcapPort(to === undefined ? {} : { to });
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
