/**
 * Second reading of a capture: each media packet goes through the tunnel in its direction. A packet to
 * the UE is first given the public address as its destination: so the media gateway would send it.
 */
import type { PacketRecord } from '../../io/pcap/format.ts';
import { copy } from '../../wire/bytes.ts';
import { FAULT_LIMIT, FAULTS, type Fault, faultName } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import {
  checksumsRight,
  finishChecksums,
  rewriteDestination,
  rewriteIcmpDestination,
} from '../../wire/rewrite.ts';
import type { Arrivals } from './arrivals.ts';
import type { Check } from './check.ts';
import { type Counts, countDrop } from './counts.ts';
import type { ChecksumRule } from './expected-packet.ts';
import { type MappedFlow, type MediaMap, WAYS, type Way } from './media-map.ts';
import type { Outputs } from './outputs.ts';
import type { ReplayClock } from './replay-clock.ts';
import { isPlainBindingRequest } from './stun-question.ts';
import type { Tunnel } from './tunnel.ts';
import { MAX_PACKET_LEN, WholePackets } from './whole-packets.ts';

export interface CarryParts {
  readonly counts: Counts;
  readonly tunnel: Tunnel;
  readonly map: MediaMap;
  readonly clock: ReplayClock;
  readonly arrivals: Arrivals;
  readonly outputs: Outputs;
}

export class Carry {
  readonly #parts: CarryParts;
  readonly #packets = new WholePackets();
  /** A copy of the packet at hand, for checksums that the host left unfinished. */
  readonly #copy = new Uint8Array(MAX_PACKET_LEN);
  readonly #copyView = new PacketView();
  /** Packets that an end refused, by fault. */
  readonly #refused = new Uint32Array(FAULT_LIMIT);

  constructor(parts: CarryParts) {
    this.#parts = parts;
  }

  take(record: PacketRecord): void {
    const { counts, clock, map, tunnel } = this.#parts;
    // What is still under way arrives in its own time, not in that of the next packet.
    if (tunnel.hasRest && !clock.isAt(record)) tunnel.settle(clock.now);
    const now = clock.tick(record);
    const packets = this.#packets;
    counts.packets += 1;
    const isWhole = packets.read(record, now);
    if (packets.fragment) counts.fragments += 1;
    const isReadable = isWhole || packets.lacksChecksum;
    const way = isReadable ? map.wayOf(packets.b, packets.view) : WAYS.NONE;
    const { flow } = map;
    if (way === WAYS.NONE || flow === undefined) {
      if (isWhole || !packets.fragment) counts.unrelated += 1;
      return;
    }
    tunnel.pass(now);
    if (!isWhole) this.#lose(way);
    else if (way === WAYS.ASKS_STUN_SERVER) this.#ask(flow, now);
    else this.#carry(flow, way === WAYS.UP, now);
  }

  /** A media packet that neither end of a tunnel takes (RFC 8200 8.1). */
  #lose(way: Way): void {
    const { counts } = this.#parts;
    counts.mediaPackets += 1;
    if (way === WAYS.DOWN) counts.downlink += 1;
    else counts.uplink += 1;
    countDrop(counts, faultName(FAULTS.UDP_CHECKSUM_ABSENT));
  }

  /** Everything arrives that still can; then what is missing is known. */
  end(): void {
    const { counts, tunnel, clock, arrivals } = this.#parts;
    counts.incomplete = this.#packets.incomplete;
    tunnel.settle(clock.now);
    arrivals.up.end();
    arrivals.down.end();
    this.#nameLosses();
    tunnel.close(clock.now);
  }

  /** A question to a STUN server: TEP-C answers it itself (tep-wire 5). */
  #ask(flow: MappedFlow, now: number): void {
    const { counts, tunnel, arrivals } = this.#parts;
    const { b, view, snapped } = this.#packets;
    if (snapped || !isPlainBindingRequest(b, view)) {
      counts.unrelated += 1;
      return;
    }
    arrivals.asking = flow;
    tunnel.uplink(b, view.start, view.end, now);
    if (arrivals.asking !== undefined) countDrop(counts, 'stun-unanswered');
    arrivals.asking = undefined;
  }

  #carry(flow: MappedFlow, isUp: boolean, now: number): void {
    const { counts } = this.#parts;
    const { view, snapped } = this.#packets;
    const rule = this.#finish();
    if (rule === undefined) {
      counts.damaged += 1;
      counts.unrelated += 1;
      return;
    }
    counts.mediaPackets += 1;
    if (view.isIcmpError) counts.icmpErrors += 1;
    if (snapped) counts.snapped += 1;
    else if (rule === 'kept') counts.damaged += 1;
    if (isUp) this.#up(flow, rule, now);
    else this.#down(flow, rule, now);
  }

  /** The packet goes in as it was captured: to finish its checksums is the client core's work. */
  #up(flow: MappedFlow, rule: ChecksumRule, now: number): void {
    const { counts, tunnel, arrivals } = this.#parts;
    const { b, view } = this.#packets;
    counts.uplink += 1;
    if (flow.otherwiseTold) counts.tupleErrors += 1;
    arrivals.up.next().expect(b, view, 'source', flow.address, rule, this.#copy);
    const fault = tunnel.uplink(b, view.start, view.end, now);
    if (fault !== 0) this.#refuse(arrivals.up, fault);
  }

  #down(flow: MappedFlow, rule: ChecksumRule, now: number): void {
    const { counts, tunnel, arrivals, outputs, clock } = this.#parts;
    const b = this.#copy;
    const view = this.#copyView;
    const { address, port } = flow.address;
    counts.downlink += 1;
    const whole = this.#packets;
    arrivals.down.next().expect(whole.b, whole.view, 'destination', flow.ue, rule, b);
    if (view.isIcmpError) rewriteIcmpDestination(b, view, address, 0, port);
    else rewriteDestination(b, view, address, 0, port);
    outputs.core(b, view.start, view.end, clock);
    const fault = tunnel.downlink(b, view.start, view.end, now);
    if (fault !== 0) this.#refuse(arrivals.down, fault);
  }

  /**
   * Copies the packet and finishes its checksums in the copy. Undefined when the IPv4 header checksum
   * is wrong all the same: no host hands on such a packet.
   */
  #finish(): ChecksumRule | undefined {
    const { b, view } = this.#packets;
    copy(b, view.start, this.#copy, 0, view.end - view.start);
    readPacket(this.#copyView, this.#copy, 0, view.end - view.start);
    let fault = checksumsRight(this.#copy, this.#copyView);
    if (fault === 0) return 'right';
    finishChecksums(this.#copy, this.#copyView);
    fault = checksumsRight(this.#copy, this.#copyView);
    if (fault === FAULTS.IP_CHECKSUM) return undefined;
    return fault === 0 ? 'right' : 'kept';
  }

  #refuse(check: Check, fault: Fault): void {
    check.withdraw(faultName(fault));
    this.#refused[fault] = (this.#refused[fault] ?? 0) + 1;
  }

  /** A packet that went in and did not come out was dropped inside: the ends know why. */
  #nameLosses(): void {
    const { counts, tunnel } = this.#parts;
    let unnamed = counts.dropped.lost ?? 0;
    for (const fault of Object.values(FAULTS)) {
      const seen = tunnel.client.counters.of(fault) + tunnel.server.counters.of(fault);
      const inside = Math.min(unnamed, seen - (this.#refused[fault] ?? 0));
      if (inside <= 0) continue;
      countDrop(counts, faultName(fault), inside);
      unnamed -= inside;
    }
    delete counts.dropped.lost;
    if (unnamed > 0) countDrop(counts, 'lost', unnamed);
  }
}
