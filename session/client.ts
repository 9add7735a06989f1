/**
 * TEP-C, sans-IO (tep-wire 3 to 7; TR 33.830 8.6). `bind` is a wish that holds until `release`: the
 * tunnel is opened for it, joined by more stripes, resumed after a loss, opened anew when TEP-S has
 * forgotten it, and closed when nothing is bound any more for the linger time (M-18).
 *
 * The agent makes the connections: `connect` asks for one, `connected` or `disconnected` answers. Its
 * own time limit for that applies; a failure is tried again with growing delays (stripes.ts).
 *
 * Memory of a tunnel: per stripe one reassembly buffer and one send queue (connection.ts), one media queue
 * (media/), and `maxBindings` bindings with their requests. With the defaults and one stripe at most
 * 64 KiB + 2 × 79 KiB + 2.3 MiB + 64 × 5 KiB; at rest about 10 KiB.
 */
import { CHANNELS } from '../framing/framing.ts';
import type { Endpoint } from '../wire/address.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import type { StunMessage } from '../wire/stun/message.ts';
import type { CarrierState } from './carrier.ts';
import type { ClientConnection, ClientTransaction, Purpose } from './client-connection.ts';
import { type ClientMemory, remembered } from './client-memory.ts';
import { type ClientParts, clientParts } from './client-parts.ts';
import { type ClientTunnelStatus, statusOf } from './client-status.ts';
import { ClientTunnel } from './client-tunnel.ts';
import type { Counters } from './counters.ts';
import type { BindWishes, ClientEnd, NetworkChange } from './ends.ts';
import type { ClientOptions, ClientPolicy } from './options.ts';
import type { ClientOutput, FlowProtocol, PacketSink } from './outputs.ts';
import type { TunnelState } from './table.ts';

/** After a change of network: what is alive answers in that time (RFC 6298 2 with a margin). */
const PROBE_MS = 3_000;

export class TunnelClient implements ClientEnd {
  readonly counters: Counters;
  readonly #parts: ClientParts;
  readonly #tunnel: ClientTunnel;

  constructor(options: ClientOptions, sink: PacketSink) {
    this.#parts = clientParts(options, sink, {
      gone: (c, from, sinceMs, now) => this.#tunnel.gone(c, from, sinceMs, now),
      succeeded: (c, asked, message, now) => this.#succeeded(c, asked, message, now),
      failed: (c, purpose, code, reason, now) => this.#failed(c, purpose, code, reason, now),
      learnt: (c, now) => this.#tunnel.learnt(c, now),
      isUp: () => this.#tunnel.state === 'up',
      wanted: (now) => this.#tunnel.wanted(now),
      dropped: (now) => this.#tunnel.lingerWhenEmpty(now),
    });
    this.#tunnel = new ClientTunnel(options, this.#parts);
    this.counters = this.#parts.counters;
    this.configure(options);
  }

  configure(policy: ClientPolicy): void {
    const { binder, refuser } = this.#parts;
    binder.automatic.firstPacket = policy.firstPacket;
    binder.automatic.retry();
    refuser.isOn = policy.refuse ?? false;
    this.#tunnel.configure(policy);
  }

  status(): ClientTunnelStatus {
    const { state, told } = this.#tunnel;
    const connections = [...this.#parts.connections.all()];
    const { bindings, media } = this.#parts;
    return statusOf(state, told, connections, [...bindings.all()], media.waiting);
  }

  get state(): TunnelState {
    return this.#tunnel.state;
  }

  memory(): ClientMemory | undefined {
    const held = this.#tunnel.held();
    return held && { ...held, bindings: remembered(this.#parts.bindings.all()) };
  }

  resume(memory: ClientMemory, now: number): void {
    if (!this.#tunnel.adopt(memory, now)) return;
    for (const binding of memory.bindings) this.#parts.binder.automatic.restore(binding, now);
    this.#tunnel.connect(now);
  }

  open(now: number): void {
    this.#tunnel.wanted(now);
    const { state, told } = this.#tunnel;
    if (state === 'up' && told !== undefined) this.#parts.connections.tell(told);
  }

  bind(ue: Endpoint, wishes: BindWishes, now: number): void {
    this.#parts.binder.bind(ue, wishes, now);
  }

  release(ue: Endpoint, protocol: FlowProtocol, now: number): void {
    this.#parts.binder.release(ue, protocol, now);
  }

  close(now: number): void {
    this.#tunnel.close('asked', now);
  }

  connected(conn: number, now: number): void {
    const c = this.#parts.connections.find(conn);
    if (c === undefined) this.counters.note(FAULTS.ILLEGAL_EVENT);
    if (c === undefined || !this.#parts.connections.move(c, 'carrier-up', now)) return;
    if (c.state === 'opening') this.#tunnel.askOpen(c, now);
  }

  disconnected(conn: number, now: number): void {
    this.#parts.connections.disconnected(conn, now);
  }

  input(conn: number, b: Uint8Array, from: number, to: number, now: number): void {
    const c = this.#parts.connections.find(conn);
    if (c === undefined) {
      this.counters.note(FAULTS.ILLEGAL_EVENT);
      return;
    }
    if (!this.#parts.connections.append(c, b, from, to, now)) return;
    const { frames } = c;
    while (c.isRead && frames.next()) {
      if (frames.channel === CHANNELS.IP) {
        const fault = this.#parts.data.down(frames.bytes, frames.start, frames.end, now);
        if (fault !== 0) this.counters.drop(fault);
      } else if (c.isOpen) {
        this.#parts.requests.answer(c, frames.bytes, frames.start, frames.end, now);
      }
    }
    if (frames.fault !== 0) this.#parts.connections.end(c, 'shut', frames.fault, now);
  }

  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const fault = this.#parts.data.up(b, at, end, now);
    if (fault !== 0) this.counters.drop(fault);
    return fault;
  }

  networkChanged(change: NetworkChange, now: number): void {
    this.#parts.binder.automatic.addressesChanged(change, now);
    for (const c of [...this.#parts.connections.all()]) {
      if (c.isOpen && change.isCutOff(c.conn)) {
        this.#parts.connections.end(c, 'shut', FAULTS.LOCAL_ADDRESS_GONE, now);
      } else if (c.state === 'ready') {
        c.probe(now, PROBE_MS);
        this.#parts.stats.askOn(c, now);
      }
    }
    this.#tunnel.hurry(now);
  }

  timeout(now: number): void {
    this.#parts.connections.timeout(now);
    this.#parts.reach.timeout(now);
    this.#parts.data.timeout(now);
    this.#parts.media.timeout(now);
    const { automatic } = this.#parts.binder;
    if (now >= automatic.sweepAtMs) automatic.sweep(now);
    this.#tunnel.timeout(now);
    if (now >= this.#statsDueMs()) this.#parts.stats.timeout(now);
    this.#tunnel.connect(now);
  }

  nextTimeout(): number {
    const { binder, connections, data, media, reach } = this.#parts;
    return Math.min(
      connections.nextTimeout(),
      this.#tunnel.deadline(data.isFlowing),
      reach.deadline(),
      data.heldDueMs(),
      media.nextTimeout(),
      binder.automatic.sweepAtMs,
      this.#statsDueMs(),
    );
  }

  poll(): ClientOutput | undefined {
    return this.#parts.connections.poll();
  }

  writable(): number {
    return this.#parts.connections.writable();
  }

  pending(conn: number, now: number): Uint8Array {
    return this.#parts.connections.pending(conn, now);
  }

  wrote(conn: number, n: number, now: number): void {
    this.#parts.connections.wrote(conn, n, now);
  }

  carrier(conn: number, state: CarrierState, now: number): void {
    this.#parts.connections.carrier(conn, state, now);
  }

  #succeeded(
    c: ClientConnection,
    asked: ClientTransaction,
    message: StunMessage,
    now: number,
  ): void {
    const { purpose } = asked;
    if (purpose.type === 'open') this.#tunnel.opened(c, asked, message, now);
    else if (purpose.type === 'bind') this.#parts.binder.granted(purpose.binding, message, now);
    else if (purpose.type === 'close') this.#tunnel.ended(now);
    else if (purpose.type === 'stats') {
      this.#parts.stats.answered(c, purpose.given, asked, now);
    }
  }

  /** A release that fails and a measurement that fails change nothing. */
  #failed(c: ClientConnection, purpose: Purpose, code: number, reason: string, now: number): void {
    if (purpose.type === 'open') this.#tunnel.refused(c, code, reason, now);
    else if (purpose.type === 'bind') this.#parts.binder.fail(purpose.binding, code, reason, now);
    else if (purpose.type === 'close') this.#tunnel.ended(now);
  }

  #statsDueMs(): number {
    return this.#tunnel.state === 'up' ? this.#parts.stats.dueMs() : Number.POSITIVE_INFINITY;
  }
}
