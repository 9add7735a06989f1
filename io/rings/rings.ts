/**
 * The packet port `rings`: real interception by routing. A pair of interfaces joins the host to a packet
 * socket; policy routing sends media into it, and what is sent here arrives in the host as if it had been
 * received. Linux; CAP_NET_ADMIN and CAP_NET_RAW.
 *
 *     const port = await openRings({ routing: { kind: 'divert', to, except }, failed });
 *     if (isIoFault(port)) …        // nothing was left behind
 *     await port.close();           // the host is as it was
 */
import type { FlowProtocol } from '../../session/outputs.ts';
import type { Endpoint } from '../../wire/address.ts';
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { FileLock } from '../kernel/file-lock.ts';
import { type Libc, libc } from '../kernel/libc.ts';
import { watchInLoop } from '../kernel/loop-watch.ts';
import { hasWideAddresses } from '../kernel/message-vector.ts';
import { type PacedWatch, type WatchMaker, watchPaced } from '../kernel/paced-watch.ts';
import { type Watch, watchReadable } from '../kernel/poller.ts';
import { type CapturePort, type PacketReceiver, PortCounts } from '../packet-port.ts';
import { Captures } from './captures.ts';
import {
  type ChangeSource,
  type ChangeWatch,
  RULES,
  TABLES,
  watchChanges,
} from './change-watch.ts';
import { joining } from './fragments.ts';
import { lock } from './lock.ts';
import {
  openBell,
  openLinkSocket,
  openPacketSocket,
  type PacketSocket,
  socketError,
} from './packet-socket.ts';
import { DEFAULT_PLACE, FAR_MAC, farEnd, NEAR_MAC, type Place, placeFault } from './place.ts';
import { privilegeFault } from './privileges.ts';
import { ReceiveRing } from './receive-ring.ts';
import type { Routing } from './rules.ts';
import { SendBatch } from './send-batch.ts';
import { SendRing } from './send-ring.ts';
import { System } from './system.ts';
import { openXdpSocket, type XdpSocket } from './xdp-socket.ts';

const MSG_DONTWAIT = 0x40;
/** Packets handed out in one turn of the event loop. */
const MAX_PER_TURN = 256;

export interface RingsOptions extends Partial<Place> {
  /** What goes to the port. */
  readonly routing: Routing;
  /**
   * Called once, when an interface of the port was taken down or removed, or rules that were cannot be made
   * again: no packets come or go any more.
   * The port is to be closed, and another one may be opened.
   */
  readonly failed?: (fault: IoFault) => void;
}

/** Opens the port, or says what is in the way; then nothing of it is left. */
export async function openRings(options: RingsOptions): Promise<Rings | IoFault> {
  const place = { ...DEFAULT_PLACE, ...options };
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const fault = placeFault(place) ?? machineFault() ?? (await privilegeFault());
  if (fault !== undefined) return fault;
  const held = lock(place.name);
  if (isIoFault(held)) return held;
  const system = new System(place, calls);
  const inTheWay = await system.clear();
  const port = inTheWay ?? (await make(calls, place, system, held, options));
  if (!isIoFault(port)) return port;
  // Not where something is in the way: that is not ours to remove.
  if (inTheWay === undefined) await system.remove();
  held.release();
  return port;
}

async function make(
  calls: Libc,
  place: Place,
  system: System,
  held: FileLock,
  { routing, failed }: RingsOptions,
): Promise<Rings | IoFault> {
  const made = await system.makeLinks(routing.kind !== 'divert');
  if (made !== undefined) return made;
  const bell = openBell(calls, farEnd(place.name));
  if (typeof bell !== 'number') return bell;
  const socket = openPacketSocket(calls, farEnd(place.name));
  if (isIoFault(socket)) {
    calls.close(bell);
    return socket;
  }
  const link = openLinkSocket(calls, place.name);
  const raised = typeof link === 'number' ? await system.up(routing) : link;
  if (raised === undefined && typeof link === 'number') {
    // They were down when they were bound, which counts as an error.
    for (const fd of [bell, socket.fd, link]) socketError(calls, fd);
    const captures = routing.kind === 'capture';
    // Where the kernel has none, packets go by the other socket.
    const xdp = openXdpSocket(calls, farEnd(place.name));
    const sending = isIoFault(xdp) ? undefined : xdp;
    const rest = { sending, captures, failed: failed ?? (() => {}) };
    return new Rings({ calls, place, system, held, bell, socket, link, ...rest });
  }
  socket.close();
  calls.close(bell);
  if (typeof link === 'number') calls.close(link);
  return raised ?? { type: 'io-fault', code: 'EIO', text: 'no packet socket' };
}

/** Structures of sendmmsg are written for one word size (send-batch.ts). */
function machineFault(): IoFault | undefined {
  if (hasWideAddresses()) return undefined;
  const text = 'the packet port rings needs a 64-bit machine: set packets.port to sockets';
  return { type: 'io-fault', code: 'ENOTSUP', text };
}

interface Parts {
  readonly calls: Libc;
  readonly place: Place;
  readonly system: System;
  readonly held: FileLock;
  readonly bell: number;
  readonly socket: PacketSocket;
  readonly link: number;
  readonly sending: XdpSocket | undefined;
  /** Whether packets come by what is captured. */
  readonly captures: boolean;
  readonly failed: (fault: IoFault) => void;
}

export class Rings implements CapturePort {
  readonly #parts: Parts;
  readonly #counts = new PortCounts();
  readonly #ring: ReceiveRing;
  readonly #sender: SendBatch | SendRing;
  readonly #captures: Captures;
  #watch: PacedWatch | undefined;
  #linkWatch: Watch | undefined;
  readonly #changeWatches: ChangeWatch[] = [];
  #isStarted = false;
  #isOpen = true;
  #hasFailed = false;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { calls, place, sending, socket } = parts;
    this.#parts = parts;
    this.#ring = new ReceiveRing(
      socket.ring.bytes,
      (into) => {
        const received = calls.recv(socket.fd, into, MSG_DONTWAIT);
        return typeof received === 'number' ? received : -1;
      },
      this.#counts,
    );
    const [to, from] = [macOf(NEAR_MAC), macOf(FAR_MAC)];
    const batch = new SendBatch(calls, socket.fd, to, from, this.#counts);
    this.#sender =
      sending === undefined ? batch : new SendRing(calls, sending, to, from, batch, this.#counts);
    this.#captures = new Captures(place);
  }

  get counters(): PortCounts {
    const overruns = this.#isOpen ? this.#parts.socket.overruns() : 0;
    if (overruns > 0) this.#counts.drop('ring-overrun', overruns);
    return this.#counts;
  }

  start(receive: PacketReceiver, settle?: () => void): void {
    if (!this.#isOpen || this.#isStarted) throw new RangeError('the port was started already');
    this.#isStarted = true;
    const fault = this.#startWatching(joining(receive, this.#counts), settle);
    if (fault !== undefined) this.#fail(fault);
  }

  glance(): void {
    this.#watch?.glance();
  }

  send(b: Uint8Array, at: number, end: number): void {
    if (this.#isOpen) this.#sender.add(b, at, end);
    else this.#counts.drop('no-interface');
  }

  flush(): void {
    if (this.#isOpen) this.#sender.flush();
  }

  /** Other packets go to the port from now on; those that went before, and still do, are not interrupted. */
  async route(routing: Routing): Promise<IoFault | undefined> {
    return this.#isOpen ? this.#parts.system.route(routing) : CLOSED;
  }

  async capture(at: Endpoint, protocol: FlowProtocol): Promise<IoFault | undefined> {
    return this.#captures.add({ at, protocol });
  }

  async release(at: Endpoint, protocol: FlowProtocol): Promise<void> {
    await this.#captures.delete({ at, protocol });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.flush();
    // The last overruns.
    void this.counters;
    this.#isOpen = false;
    this.#ring.close();
    this.#stopWatching();
    const { bell, calls, held, link, sending, socket, system } = this.#parts;
    // Started, the watch has closed it.
    if (!this.#isStarted) calls.close(bell);
    await this.#captures.close();
    await system.remove();
    sending?.close();
    socket.close();
    calls.close(link);
    held.release();
  }

  #startWatching(receive: PacketReceiver, settle: () => void = () => {}): IoFault | undefined {
    const { calls, bell, link } = this.#parts;
    const failed = () => this.#lookAtLinks();
    const watchFor: WatchMaker = (look) => watchInLoop(calls, bell, look, failed);
    const take = () => this.#ring.drain(receive, MAX_PER_TURN);
    const whose = { take, fullBatch: MAX_PER_TURN, looked: settle };
    const watch = watchPaced(calls, watchFor, whose);
    if (isIoFault(watch)) return watch;
    this.#watch = watch;
    const linkWatch = watchReadable(link, () => {
      this.#lookAtLinks();
      this.#linkWatch?.arm();
    });
    if (isIoFault(linkWatch)) return linkWatch;
    this.#linkWatch = linkWatch;
    linkWatch.arm();
    return (
      this.#watchChanges(RULES, () => this.#parts.system.repair()) ??
      (this.#parts.captures ? this.#watchChanges(TABLES, () => this.#captures.repair()) : undefined)
    );
  }

  #watchChanges(
    source: ChangeSource,
    repair: () => Promise<IoFault | undefined>,
  ): IoFault | undefined {
    const watch = watchChanges(this.#parts.calls, source, async () => {
      const fault = await repair();
      if (fault !== undefined) this.#fail(fault);
    });
    if (isIoFault(watch)) return watch;
    this.#changeWatches.push(watch);
    return undefined;
  }

  #stopWatching(): void {
    this.#watch?.close();
    this.#linkWatch?.close();
    for (const watch of this.#changeWatches.splice(0)) watch.close();
  }

  #lookAtLinks(): void {
    const { calls, link, place, socket } = this.#parts;
    const isDown = socketError(calls, socket.fd) !== 0 || socketError(calls, link) !== 0;
    if (!isDown) return;
    const isGone = typeof calls.interfaceIndex(place.name) !== 'number';
    const text = `interface ${place.name} was ${isGone ? 'removed' : 'taken down'}`;
    this.#fail({ type: 'io-fault', code: isGone ? 'ENODEV' : 'ENETDOWN', text });
  }

  #fail(fault: IoFault): void {
    if (this.#hasFailed || !this.#isOpen) return;
    this.#hasFailed = true;
    this.#stopWatching();
    this.#parts.failed(fault);
  }
}

const CLOSED: IoFault = { type: 'io-fault', code: 'ECANCELED', text: 'the port is closed' };

function macOf(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}
