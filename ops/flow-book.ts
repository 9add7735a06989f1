/**
 * The RTP streams that come out of the tunnel, by the number of their binding (PacketSink), from the first
 * packet until the binding ends.
 *
 * Memory: MAX_FLOWS of 5.5 KiB; streams above that are carried and not watched.
 */
import type { Endpoint } from '../wire/address.ts';
import { PAYLOADS, payloadKind } from '../wire/multiplex.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import * as rtp from '../wire/rtp.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import { FlowQuality, type QualityStatus } from './flow-quality.ts';

const MAX_FLOWS = 4_096;

/** A stream whose binding has ended; `at`: the end of the binding that is ours. */
export interface FlowEnded {
  readonly type: 'flow-ended';
  readonly at: Endpoint;
  readonly quality: QualityStatus;
}

interface Flow {
  readonly at: Endpoint;
  readonly quality: FlowQuality;
}

export class FlowBook {
  readonly #view = new PacketView();
  readonly #ours: 'source' | 'destination';
  readonly #flows = new Map<number, Flow>();

  /** Which address of a packet that leaves the tunnel is that of its binding. */
  constructor(ours: 'source' | 'destination') {
    this.#ours = ours;
  }

  /** A packet at [from, end) that leaves the tunnel. */
  packet(b: Uint8Array, from: number, end: number, binding: number, now: number): void {
    const view = this.#view;
    if (readPacket(view, b, from, end) !== 0 || view.protocol !== UDP) return;
    const { payload, payloadEnd } = view;
    if (payloadKind(b, payload, payloadEnd) !== PAYLOADS.RTP) return;
    if (rtp.check(b, payload, payloadEnd) !== 0) return;
    const flow = this.#flows.get(binding) ?? this.#begin(b, binding);
    flow?.quality.packet(b, payload, now);
  }

  status(binding: number, roundTripMs: number | undefined): QualityStatus | undefined {
    return this.#flows.get(binding)?.quality.status(roundTripMs);
  }

  /** The binding has ended: what became of its stream, if one came. */
  end(binding: number, roundTripMs: number | undefined): FlowEnded | undefined {
    const flow = this.#flows.get(binding);
    this.#flows.delete(binding);
    if (flow === undefined) return undefined;
    return { type: 'flow-ended', at: flow.at, quality: flow.quality.status(roundTripMs) };
  }

  /** All bindings but these have ended. */
  keep(bindings: ReadonlySet<number>, roundTripMs: number | undefined): readonly FlowEnded[] {
    const ended = [...this.#flows.keys()].filter((binding) => !bindings.has(binding));
    return ended.flatMap((binding) => this.end(binding, roundTripMs) ?? []);
  }

  /** Of the packet in view. */
  #begin(b: Uint8Array, binding: number): Flow | undefined {
    if (this.#flows.size >= MAX_FLOWS) return undefined;
    const { version: family, addressLength, sourceAt, destinationAt } = this.#view;
    const { sourcePort, destinationPort } = this.#view;
    const isSource = this.#ours === 'source';
    const at = isSource ? sourceAt : destinationAt;
    const address = b.slice(at, at + addressLength);
    const port = isSource ? sourcePort : destinationPort;
    const flow = { at: { family, address, port }, quality: new FlowQuality() };
    this.#flows.set(binding, flow);
    return flow;
  }
}
