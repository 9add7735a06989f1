/**
 * Gets what the media of calls need: public addresses from the tunnel, and sockets on this machine that
 * stand for the core's addresses.
 *
 * Memory: as many stand-ins as `Holdings` has entries, two sockets each.
 */
import { isIoFault } from '../../io/io-fault.ts';
import type { UdpSockets } from '../../io/udp-sockets.ts';
import type { Mapped } from '../../sdp/addresses.ts';
import type { Ends } from '../../sip/sidecar/call-media.ts';
import {
  type BindNeed,
  bindKey,
  type Need,
  type StandInNeed,
} from '../../sip/sidecar/media-needs.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { PROTOCOL as TCP } from '../../wire/tcp.ts';
import type { ClientAgent } from '../agent.ts';
import type { Bound, ClientEvent } from '../options.ts';

/** Ephemeral ports are even half of the time, and the next one is free as a rule. */
const PAIR_TRIES = 8;

export type Settled = (key: string, mapped: readonly Mapped[] | undefined) => void;

export interface StandInPlace {
  readonly sockets: UdpSockets;
  /** Above the numbers of all other sockets of the port. */
  readonly firstId: number;
  /** Addresses at which phones can reach them. */
  readonly at: readonly Endpoint[];
}

export interface MediaResourcesOptions {
  readonly agent: Pick<ClientAgent, 'bind' | 'release'>;
  /** Undefined: packets are taken off the routes. */
  readonly place: StandInPlace | undefined;
  /** Bound by the configuration, so not ours to give back. */
  readonly isStatic: (ue: Endpoint, protocol: number) => boolean;
  readonly settled: Settled;
}

export class MediaResources {
  readonly #options: MediaResourcesOptions;
  readonly #bound = new Set<string>();
  /** Sockets by the address that they stand for; undefined while they are being opened. */
  readonly #standIns = new Map<string, readonly number[] | undefined>();
  /** The same, socket by socket. */
  readonly #sockets = new Map<string, number>();
  #nextId: number;

  constructor(options: MediaResourcesOptions) {
    this.#options = options;
    this.#nextId = options.place?.firstId ?? 0;
  }

  get(need: Need): void {
    if (need.type === 'bind') void this.#bind(need);
    else void this.#open(need);
  }

  giveBack(need: Need): void {
    if (need.type === 'stand-in') {
      void this.#close(need);
      return;
    }
    this.#bound.delete(need.key);
    const { isStatic, agent } = this.#options;
    if (!isStatic(need.ue, need.protocol)) agent.release(need.ue, need.protocol);
  }

  /** Packets to the stand-in of `core` come from `ue`, by whatever local address the phone sends. */
  know({ ue, core }: Ends): void {
    const id = this.#sockets.get(formatEndpoint(core));
    if (id !== undefined) this.#options.place?.sockets.know(id, ue);
  }

  /** What was granted may change, or be lost, while a call lasts. */
  observe(event: ClientEvent): void {
    const { settled } = this.#options;
    if (event.type === 'bound' && event.changed) {
      const key = bindKey(event.ue, event.protocol);
      if (this.#bound.has(key)) settled(key, mappedBy(event));
    } else if (event.type === 'bind-failed') {
      const key = bindKey(event.ue, event.protocol);
      if (this.#bound.delete(key)) settled(key, undefined);
    } else if (event.type === 'closed') {
      for (const key of this.#bound) settled(key, undefined);
      this.#bound.clear();
    }
  }

  async #bind({ key, ue, protocol, pair, carries }: BindNeed): Promise<void> {
    const answer = await this.#options.agent.bind(ue, { protocol, pair, carries });
    if (answer.type !== 'bound' || (pair && !answer.pair)) {
      this.#options.settled(key, undefined);
      return;
    }
    this.#bound.add(key);
    this.#options.settled(key, mappedBy(answer));
  }

  async #open(need: StandInNeed): Promise<void> {
    const { place, settled } = this.#options;
    const at = place?.at.find(({ family }) => family === need.rtp.family);
    if (place === undefined || at === undefined) {
      settled(need.key, undefined);
      return;
    }
    this.#standIns.set(need.key, undefined);
    const opened = await this.#openPair(place.sockets, { ...at, port: 0 }, need);
    if (opened === undefined) {
      this.#standIns.delete(need.key);
      settled(need.key, undefined);
      return;
    }
    const ids = opened.map(({ id }) => id);
    const isWanted = this.#standIns.has(need.key);
    this.#standIns.set(need.key, ids);
    for (const { id, mapped } of opened) this.#sockets.set(formatEndpoint(mapped.local), id);
    if (isWanted)
      settled(
        need.key,
        opened.map(({ mapped }) => mapped),
      );
    else await this.#close(need);
  }

  async #close({ key, rtp, rtcp }: StandInNeed): Promise<void> {
    const ids = this.#standIns.get(key) ?? [];
    this.#standIns.delete(key);
    for (const face of [rtp, rtcp])
      if (face !== undefined) this.#sockets.delete(formatEndpoint(face));
    await Promise.all(ids.map((id) => this.#options.place?.sockets.release(id)));
  }

  /** RTP on an even port and RTCP on the next one, where that can be had: some phones know nothing else. */
  async #openPair(sockets: UdpSockets, at: Endpoint, { rtp, rtcp }: StandInNeed) {
    for (let left = PAIR_TRIES; left >= 0; left--) {
      const first = await this.#listen(sockets, at, rtp);
      if (isIoFault(first)) return undefined;
      if (rtcp === undefined) return [first];
      const { port } = first.mapped.public;
      if (port % 2 === 0 || left === 0) {
        const beside = left === 0 ? at : { ...at, port: port + 1 };
        const second = await this.#listen(sockets, beside, rtcp);
        if (!isIoFault(second)) return [first, second];
      }
      await sockets.release(first.id);
    }
    return undefined;
  }

  async #listen(sockets: UdpSockets, at: Endpoint, face: Endpoint) {
    const id = this.#nextId;
    this.#nextId += 1;
    const local = await sockets.listen(id, at, face);
    if (isIoFault(local)) return local;
    const mapped: Mapped = { local: face, public: local, transport: 'udp' };
    return { id, mapped };
  }
}

function mappedBy({ ue, address, protocol, pair }: Bound): Mapped[] {
  const transport = protocol === TCP ? 'tcp' : 'udp';
  const first: Mapped = { local: ue, public: address, transport };
  if (!pair) return [first];
  const next = (one: Endpoint) => ({ ...one, port: one.port + 1 });
  return [first, { local: next(ue), public: next(address), transport }];
}
