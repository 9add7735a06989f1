/**
 * The public ports of all tunnels of TEP-S (tep-wire 5): granting, giving back, and the question of
 * the data path whose an address is. Each (address, port, protocol) belongs to one tunnel.
 *
 * Idempotent: a request with the transaction id or the wanted port of what the tunnel has already gets
 * that. The first is the same request over a new connection, the second the same wish again.
 *
 * Memory: about 400 octets a port; as many ports as `maxPorts`, and no tunnel more than its quota.
 */
import type { Endpoint, Family } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { isDisguise, reach } from '../wire/disguise.ts';
import { TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import type { ErrorCode } from '../wire/stun/registry.ts';
import { PROTOCOL as TCP } from '../wire/tcp.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import { type AddressOptions, DEFAULT_PORTS, PublicAddresses } from './address-modes.ts';
import { MediaFlow } from './media/media-flow.ts';
import type { FlowProtocol } from './outputs.ts';
import { PortAllocator, type PortRange } from './port-allocator.ts';
import { Quota, type QuotaLimits, type UserRates } from './quota.ts';
import type { Tunnel } from './server-tunnels.ts';
import type { RandomSource } from './tunnel-end.ts';

const MAX_PORTS = 65_536;

export interface ServerBindingsOptions {
  readonly addresses: AddressOptions;
  readonly ports?: PortRange;
  readonly excludedPorts?: readonly number[];
  readonly maxPorts?: number;
  readonly opensAddresses?: boolean;
  readonly quota: QuotaLimits;
  readonly random: RandomSource;
}

export interface BindRequest {
  readonly transactionId: Uint8Array;
  readonly family: Family;
  /** 0: any. */
  readonly port: number;
  readonly pair: boolean;
  readonly protocol: number;
}

export class ServerSlot {
  readonly tunnel: Tunnel;
  readonly number: number;
  readonly address: Endpoint;
  readonly protocol: FlowProtocol;
  /** What the core sends to it. */
  readonly media = new MediaFlow();
  /** Whether the agent knows it (`bound`). */
  isTold = false;
  /** The other one of a pair. */
  twin: ServerSlot | undefined;
  /** Id of the request that it was granted to. */
  readonly transactionId: Uint8Array;

  constructor(
    tunnel: Tunnel,
    number: number,
    address: Endpoint,
    protocol: FlowProtocol,
    transactionId: Uint8Array,
  ) {
    this.tunnel = tunnel;
    this.number = number;
    this.address = address;
    this.protocol = protocol;
    this.transactionId = transactionId;
  }

  /** The even one of a pair, or one that is by itself. */
  get isFirst(): boolean {
    return this.twin === undefined || this.address.port % 2 === 0;
  }
}

export class ServerBindings {
  readonly #addresses: PublicAddresses;
  readonly #opensAddresses: boolean;
  readonly #ports: PortAllocator;
  readonly #quota: Quota;
  readonly #slots: (ServerSlot | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  /** The IPv4 address behind a disguise, while one is judged. */
  readonly #real = new Uint8Array(4);

  constructor(options: ServerBindingsOptions) {
    const { addresses, random, excludedPorts } = options;
    this.#addresses = new PublicAddresses(addresses);
    this.#opensAddresses = options.opensAddresses ?? false;
    this.#ports = new PortAllocator({
      range: options.ports ?? DEFAULT_PORTS[addresses.mode],
      maxPorts: options.maxPorts ?? MAX_PORTS,
      seed: random(8),
      random,
      ...(excludedPorts && { excluded: excludedPorts }),
    });
    this.#quota = new Quota(options.quota);
  }

  /** Whether the agent has something to open for a port before it is bound. */
  get needOpening(): boolean {
    return this.#addresses.mode === 'relay' || this.#opensAddresses;
  }

  /** 486 or 0. `user` is who is counted. */
  openTunnel(id: number, user: string): 0 | 486 {
    return this.#quota.openTunnel(id, user) === 0 ? 0 : 486;
  }

  /** What the packets of the tunnel are counted with. */
  ratesOf(id: number): UserRates {
    return this.#quota.ratesOf(id);
  }

  limit(limits: QuotaLimits): void {
    this.#quota.limit(limits);
  }

  /** After the slots of the tunnel have been given back. */
  closeTunnel(tunnel: Tunnel): void {
    this.#quota.closeTunnel(tunnel.id);
    this.#addresses.release(tunnel.id);
  }

  /** What the tunnel has already that this request asks for. */
  known(tunnel: Tunnel, wish: BindRequest): ServerSlot | undefined {
    for (const slot of tunnel.slots) {
      if (!slot.isFirst) continue;
      if (equal(slot.transactionId, 0, wish.transactionId, 0, TRANSACTION_ID_LEN)) return slot;
      if (wish.port === 0 || !isAt(slot, wish)) continue;
      if (wish.pair === (slot.twin !== undefined)) return slot;
    }
    return undefined;
  }

  /** The slot that is granted, with its twin where a pair was asked for; or why not. */
  grant(tunnel: Tunnel, wish: BindRequest): ServerSlot | ErrorCode {
    const { protocol, family } = wish;
    // A socket of ours would be the end of a TCP connection, not pass it on.
    const isRelay = this.#addresses.mode === 'relay';
    if (protocol !== UDP && (protocol !== TCP || isRelay)) return 442;
    const address = this.#addresses.addressFor(tunnel.id, family, tunnel.outer);
    if (address === undefined) return 440;
    const count = wish.pair ? 2 : 1;
    if (this.#quota.bind(tunnel.id, count) !== 0) return 486;
    const number = this.#takeNumber();
    const odd = wish.pair ? this.#takeNumber() : number;
    const port = this.#ports.take(address, protocol, wish, number, odd);
    if (port === 0) {
      this.#quota.unbind(tunnel.id, count);
      this.#freeNumbers.push(...(wish.pair ? [odd, number] : [number]));
      return 508;
    }
    const at = (p: number): Endpoint => ({ family, address, port: p });
    const slot = new ServerSlot(tunnel, number, at(port), protocol, wish.transactionId);
    this.#put(slot);
    if (!wish.pair) return slot;
    slot.twin = new ServerSlot(tunnel, odd, at(port + 1), protocol, wish.transactionId);
    slot.twin.twin = slot;
    this.#put(slot.twin);
    return slot;
  }

  /** Gives one port back. */
  release(slot: ServerSlot): void {
    if (!slot.tunnel.slots.delete(slot)) return;
    if (slot.twin !== undefined) slot.twin.twin = undefined;
    this.#ports.release(slot.address.address, slot.address.port, slot.protocol);
    this.#quota.unbind(slot.tunnel.id, 1);
    this.#slots[slot.number] = undefined;
    this.#freeNumbers.push(slot.number);
  }

  /** What a release names. */
  named(tunnel: Tunnel, wish: BindRequest): ServerSlot | undefined {
    for (const slot of tunnel.slots) if (isAt(slot, wish)) return slot;
    return undefined;
  }

  /** Whose the address of `length` octets at `at` is. */
  find(
    b: Uint8Array,
    at: number,
    length: number,
    port: number,
    protocol: number,
  ): ServerSlot | undefined {
    const number = this.#ports.owners.find(b, at, length, port, protocol);
    return number < 0 ? undefined : this.#slots[number];
  }

  /**
   * Whether the address of `length` octets at `at` is one that TEP-S itself answers for: whatever the
   * rules say, no packet of a tunnel may go there, or it would come back into another tunnel (G-22).
   */
  isOwn(b: Uint8Array, at: number, length: number, port: number, protocol: number): boolean {
    if (length === 16 && isDisguise(reach(b, at, length, this.#real))) {
      return this.#isOwn(this.#real, 0, 4, port, protocol);
    }
    return this.#isOwn(b, at, length, port, protocol);
  }

  /** All of a pool is ours; of a relay's address the ports that are in use, others may be anybody's. */
  #isOwn(b: Uint8Array, at: number, length: number, port: number, protocol: number): boolean {
    if (!this.#addresses.contains(b, at, length)) return false;
    return (
      this.#addresses.mode === 'pool' || this.find(b, at, length, port, protocol) !== undefined
    );
  }

  #put(slot: ServerSlot): void {
    this.#slots[slot.number] = slot;
    slot.tunnel.slots.add(slot);
  }

  #takeNumber(): number {
    const free = this.#freeNumbers.pop();
    if (free !== undefined) return free;
    this.#slots.push(undefined);
    return this.#slots.length - 1;
  }
}

function isAt(slot: ServerSlot, wish: BindRequest): boolean {
  const { address, protocol } = slot;
  return address.port === wish.port && protocol === wish.protocol && address.family === wish.family;
}
