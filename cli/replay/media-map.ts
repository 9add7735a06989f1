/**
 * The media of a capture as the replay needs them: for each packet the flow that it belongs to and
 * which way it goes. Asked once per packet, without making an object.
 */
import type { Endpoint } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import type { PacketView } from '../../wire/packet.ts';
import type { MediaFlow } from './find-media.ts';
import { FlowTable, NO_FLOW } from './flow-table.ts';

export const WAYS = { NONE: 0, UP: 1, DOWN: 2, ASKS_STUN_SERVER: 3 } as const;
export type Way = (typeof WAYS)[keyof typeof WAYS];

export interface MappedFlow extends MediaFlow {
  /** What stands for the UE's address outside. */
  readonly address: Endpoint;
  /** The SDP of the UE, once it tells public addresses, tells another one. */
  readonly otherwiseTold: boolean;
}

interface Entry {
  readonly flow: MappedFlow;
  readonly isServer: boolean;
  /** The UE's end is the lesser one of the table. */
  readonly ueIsLesser: boolean;
}

export class MediaMap {
  /** After `wayOf` gave another answer than NONE: the packet's flow. */
  flow: MappedFlow | undefined;
  readonly #table = new FlowTable();
  readonly #entries: Entry[] = [];

  constructor(flows: readonly MappedFlow[], stunServers: readonly MappedFlow[]) {
    for (const flow of flows) this.#add(flow, false);
    for (const flow of stunServers) this.#add(flow, true);
  }

  wayOf(b: Uint8Array, view: PacketView): Way {
    return view.isIcmpError ? this.#wayOfError(b, view) : this.#wayOfPacket(b, view);
  }

  #add(flow: MappedFlow, isServer: boolean): void {
    this.#table.addEnds(flow.protocol, flow.ue, flow.media, this.#entries.length);
    this.#entries.push({ flow, isServer, ueIsLesser: !this.#table.reversed });
  }

  #wayOfPacket(b: Uint8Array, view: PacketView): Way {
    const entry = this.#entry(this.#table.find(b, view));
    if (entry === undefined) return WAYS.NONE;
    const fromUe = this.#table.reversed !== entry.ueIsLesser;
    // What the recorded STUN server answered is none of the replay's: there TEP-C answers.
    if (entry.isServer) return fromUe ? WAYS.ASKS_STUN_SERVER : WAYS.NONE;
    return fromUe ? WAYS.UP : WAYS.DOWN;
  }

  /** An error goes the other way than the packet inside; of the UE's own only those that it sent. */
  #wayOfError(b: Uint8Array, view: PacketView): Way {
    const entry = this.#entry(this.#table.findEmbedded(b, view));
    if (entry === undefined || entry.isServer) return WAYS.NONE;
    const { address } = entry.flow.ue;
    const wasFromUe = this.#table.reversed !== entry.ueIsLesser;
    const ueAt = wasFromUe ? view.destinationAt : view.sourceAt;
    if (!equal(address, 0, b, ueAt, address.length)) return WAYS.NONE;
    return wasFromUe ? WAYS.DOWN : WAYS.UP;
  }

  #entry(number: number): Entry | undefined {
    const entry = number === NO_FLOW ? undefined : this.#entries[number];
    this.flow = entry?.flow;
    return entry;
  }
}
