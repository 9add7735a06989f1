/**
 * The flows of a capture while it is read the first time. A capture of a busy link has millions, so
 * those without any sign of media are forgotten once enough newer ones were seen: at most
 * 2 * MAX_OBSERVED flows are under observation besides the MAX_KEPT that showed a sign.
 */

import type { Endpoint } from '../../wire/address.ts';
import { octetsOf } from '../../wire/bytes.ts';
import type { PacketView } from '../../wire/packet.ts';
import * as udp from '../../wire/udp.ts';
import { FlowTable, NO_FLOW } from './flow-table.ts';
import { RtpEvidence } from './rtp-evidence.ts';

const MAX_OBSERVED = 16_384;
const MAX_KEPT = 65_536;

/** Index of an end in `ends`, and of the direction in which that end sends. */
export type Side = 0 | 1;

export interface Flow {
  readonly protocol: 6 | 17;
  /** The lesser first, as in FlowTable. */
  readonly ends: readonly [Endpoint, Endpoint];
  readonly firstSender: Side;
  /** Frames of each end that the capturing host says it sent, or received (Linux cooked). */
  readonly sent: [number, number];
  readonly received: [number, number];
  /** Of what each end sends. */
  readonly rtp: readonly [RtpEvidence, RtpEvidence];
  /** Well-formed RTCP of either end was seen. */
  rtcp: boolean;
  /** The end that asked with STUN as one asks a STUN server: without a user name, unlike ICE. */
  stunClient: Side | undefined;
  /** Something else than STUN was seen. */
  beyondStun: boolean;
  msrp: boolean;
  /** It showed a sign of media and is not forgotten. */
  kept: boolean;
}

export class Flows {
  /** Flows that were to be kept when there was no room any more. */
  beyondLimit = 0;
  /** The packet of the last `of` came from this end. */
  sender: Side = 0;
  /** The packet of the last `of` was the first one of its flow. */
  fresh = false;
  #kept = new Generation();
  #young = new Generation();
  #old = new Generation();

  /** The flow of this UDP or TCP packet; a new one where there is none. */
  of(b: Uint8Array, view: PacketView): Flow {
    this.fresh = false;
    const flow = this.#kept.find(b, view) ?? this.#young.find(b, view) ?? this.#recall(b, view);
    this.sender = this.#kept.table.reversed ? 1 : 0;
    return flow;
  }

  /** To be asked with the packet of the last `of`. */
  keep(flow: Flow, b: Uint8Array, view: PacketView): void {
    if (flow.kept) return;
    if (this.#kept.flows.length === MAX_KEPT) {
      this.beyondLimit += 1;
      return;
    }
    flow.kept = true;
    this.#kept.add(flow, b, view);
  }

  get kept(): readonly Flow[] {
    return this.#kept.flows;
  }

  /** Every flow still known: what SDP says only later may concern it. */
  get known(): readonly Flow[] {
    const observed = [...this.#old.flows, ...this.#young.flows].filter((flow) => !flow.kept);
    return [...this.#kept.flows, ...new Set(observed)];
  }

  #recall(b: Uint8Array, view: PacketView): Flow {
    const remembered = this.#old.find(b, view);
    this.fresh = remembered === undefined;
    const flow = remembered ?? newFlow(b, view, this.#old.table.reversed);
    if (this.#young.flows.length === MAX_OBSERVED) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(flow, b, view);
    return flow;
  }
}

/** A table and the flows that its numbers stand for. */
class Generation {
  readonly table = new FlowTable();
  readonly flows: Flow[] = [];

  find(b: Uint8Array, view: PacketView): Flow | undefined {
    const number = this.table.find(b, view);
    return number === NO_FLOW ? undefined : this.flows[number];
  }

  add(flow: Flow, b: Uint8Array, view: PacketView): void {
    this.table.add(b, view, this.flows.length);
    this.flows.push(flow);
  }
}

function newFlow(b: Uint8Array, view: PacketView, reversed: boolean): Flow {
  const source = endpointAt(b, view, view.sourceAt, view.sourcePort);
  const destination = endpointAt(b, view, view.destinationAt, view.destinationPort);
  return {
    protocol: view.protocol === udp.PROTOCOL ? 17 : 6,
    ends: reversed ? [destination, source] : [source, destination],
    firstSender: reversed ? 1 : 0,
    sent: [0, 0],
    received: [0, 0],
    rtp: [new RtpEvidence(), new RtpEvidence()],
    rtcp: false,
    stunClient: undefined,
    beyondStun: false,
    msrp: false,
    kept: false,
  };
}

function endpointAt(b: Uint8Array, view: PacketView, at: number, port: number): Endpoint {
  return { family: view.version, address: octetsOf(b, at, at + view.addressLength), port };
}
