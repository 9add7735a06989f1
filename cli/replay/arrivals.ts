/** What comes out of the tunnel: compared, counted, and written to the files that were asked for. */

import type { CaptureTime } from '../../io/pcap/port.ts';
import { type Endpoint, MAX_PORT, sameEndpoint } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { Check } from './check.ts';
import type { Counts } from './counts.ts';
import type { MappedFlow } from './media-map.ts';
import type { Outputs } from './outputs.ts';
import { toldAddress } from './stun-question.ts';
import type { TunnelSink } from './tunnel.ts';

export interface ArrivalsParts {
  readonly counts: Counts;
  readonly outputs: Outputs;
  readonly clock: CaptureTime;
  /** The ends of the tunnel's connection, as written. */
  readonly client: Endpoint;
  readonly server: Endpoint;
}

export class Arrivals implements TunnelSink {
  readonly up: Check;
  readonly down: Check;
  /** While a STUN question is with the client core: the flow that it belongs to. */
  asking: MappedFlow | undefined;
  readonly #parts: ArrivalsParts;
  readonly #view = new PacketView();
  #connections = 0;

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
    this.up = new Check(parts.counts);
    this.down = new Check(parts.counts);
  }

  core(b: Uint8Array, start: number, end: number): void {
    this.#parts.outputs.core(b, start, end, this.#parts.clock);
    this.up.arrived(b, start, end);
  }

  ue(b: Uint8Array, start: number, end: number): void {
    this.#parts.outputs.ue(b, start, end, this.#parts.clock);
    if (this.asking === undefined || !this.#isAnswer(this.asking, b, start, end)) {
      this.down.arrived(b, start, end);
      return;
    }
    this.#parts.counts.answeredLocally += 1;
    const told = toldAddress(b, this.#view);
    if (told === undefined || !sameEndpoint(told, this.asking.address))
      this.#parts.counts.mismatches += 1;
    this.asking = undefined;
  }

  connectionOpened(): void {
    const { outputs, client, server, clock } = this.#parts;
    // A port of its own for each: two connections between the same ends would look like one.
    const port = client.port + (this.#connections % (MAX_PORT + 1 - client.port));
    this.#connections += 1;
    outputs.connect({ ...client, port }, server, clock);
  }

  octets(byClient: boolean, b: Uint8Array, from: number, to: number): void {
    this.#parts.outputs.octets(byClient, b, from, to, this.#parts.clock);
  }

  connectionClosed(): void {
    this.#parts.outputs.disconnect();
  }

  /** From the server that was asked to the socket that asked. */
  #isAnswer({ ue, media }: MappedFlow, b: Uint8Array, start: number, end: number): boolean {
    const view = this.#view;
    if (readPacket(view, b, start, end) !== 0) return false;
    return (
      view.sourcePort === media.port &&
      view.destinationPort === ue.port &&
      equal(media.address, 0, b, view.sourceAt, view.addressLength) &&
      equal(ue.address, 0, b, view.destinationAt, view.addressLength)
    );
  }
}
