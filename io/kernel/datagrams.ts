/**
 * Many UDP sockets by system calls of our own. What is to be sent from one socket leaves in one call;
 * what has arrived at any of them shows in one epoll that they share, and is received in as few calls.
 *
 * Memory: two vectors for BATCH datagrams. Their pages are not there before a datagram lies in them.
 */
import type { Endpoint, Family } from '../../wire/address.ts';
import type { DatagramEvents, Datagrams } from '../datagrams.ts';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { EPOLL_CTL_ADD, EPOLLIN, EpollEvents, epollEvent } from './epoll-events.ts';
import { type Libc, libc } from './libc.ts';
import {
  endpointIn,
  hasWideAddresses,
  MAX_DATAGRAM_LEN,
  MessageVector,
  socketName,
} from './message-vector.ts';
import { type PacedWatch, type WatchMaker, watchPaced } from './paced-watch.ts';
import { watchReadable } from './poller.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;

const BATCH = 64;
const MAX_READY = 64;
/** Datagrams taken before the event loop gets its turn. */
const MAX_TAKEN = 1024;

/**
 * Room for 1,300 datagrams of RTP, which the kernel accounts with 768 octets each. Unprivileged, it
 * gives as much of it as net.core.rmem_max allows.
 */
const RECEIVE_BUFFER = 1 << 20;

interface Seat {
  readonly id: number;
  readonly fd: number;
  readonly family: Family;
  /** Who sent last: media streams have one sender. */
  sender: Endpoint | undefined;
}

export function openKernelDatagrams(events: DatagramEvents): KernelDatagrams | IoFault {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  if (!hasWideAddresses()) {
    return { type: 'io-fault', code: 'ENOSYS', text: 'addresses are not of 64 bits here' };
  }
  const epoll = calls.epollCreate();
  if (typeof epoll !== 'number') return epoll;
  return new KernelDatagrams(calls, epoll, events);
}

export class KernelDatagrams implements Datagrams {
  readonly #calls: Libc;
  readonly #epoll: number;
  readonly #events: DatagramEvents;
  readonly #ready = new EpollEvents(MAX_READY);
  readonly #seats = new Map<number, Seat>();
  readonly #in: MessageVector;
  readonly #out: MessageVector;
  /** Whose datagrams wait in `#out`, and how many. */
  #sending: Seat | undefined;
  #waiting = 0;
  #watch: PacedWatch | undefined;
  #hasEnded = false;

  constructor(calls: Libc, epoll: number, events: DatagramEvents) {
    this.#calls = calls;
    this.#epoll = epoll;
    this.#events = events;
    this.#in = new MessageVector(calls, BATCH);
    this.#out = new MessageVector(calls, BATCH);
  }

  async open(id: number, at: Endpoint): Promise<Endpoint | IoFault> {
    if (this.#hasEnded) return { type: 'io-fault', code: 'ECANCELED', text: 'closed already' };
    const watching = this.#startWatching();
    if (watching !== undefined) return watching;
    const domain = at.family === 4 ? AF_INET : AF_INET6;
    const fd = this.#calls.socket(domain, SOCK_DGRAM_CLOEXEC, 0);
    if (typeof fd !== 'number') return fd;
    const local = this.#prepare(id, fd, at);
    if (isIoFault(local)) this.#calls.close(fd);
    else this.#seats.set(id, { id, fd, family: at.family, sender: undefined });
    this.#stopWatching();
    return local;
  }

  send(
    id: number,
    b: Uint8Array,
    from: number,
    to: number,
    address: Uint8Array,
    addressAt: number,
    port: number,
  ): void {
    const seat = this.#seats.get(id);
    if (seat === undefined) return;
    if (to - from > MAX_DATAGRAM_LEN) {
      this.#events.refused(id);
      return;
    }
    if (this.#sending !== seat || this.#waiting === BATCH) this.flush();
    this.#sending = seat;
    this.#out.put(this.#waiting, seat.family, b, from, to, address, addressAt, port);
    this.#waiting += 1;
  }

  flush(): void {
    const seat = this.#sending;
    const waiting = this.#waiting;
    this.#waiting = 0;
    if (seat === undefined) return;
    for (let at = 0; at < waiting; ) {
      const sent = this.#calls.sendMany(seat.fd, this.#out.from(at), waiting - at, MSG_DONTWAIT);
      // The first one could not be sent, whatever the reason: nothing may hold up those behind it.
      if (typeof sent !== 'number') this.#events.refused(seat.id);
      at += typeof sent === 'number' ? sent : 1;
    }
  }

  async close(id: number): Promise<void> {
    const seat = this.#seats.get(id);
    if (seat === undefined) return;
    // What waits may be another socket's: that stays until its flush.
    if (this.#sending === seat) {
      this.flush();
      this.#sending = undefined;
    }
    this.#seats.delete(id);
    this.#calls.close(seat.fd);
    this.#stopWatching();
  }

  async end(): Promise<void> {
    for (const id of [...this.#seats.keys()]) await this.close(id);
    // Once only: its number is soon somebody else's.
    if (!this.#hasEnded) this.#calls.close(this.#epoll);
    this.#hasEnded = true;
  }

  #startWatching(): IoFault | undefined {
    if (this.#watch !== undefined) return undefined;
    const watchFor: WatchMaker = (look) => watchReadable(this.#epoll, look);
    const take = () => this.#take();
    const watch = watchPaced(this.#calls, watchFor, { take, fullBatch: MAX_TAKEN });
    if (isIoFault(watch)) return watch;
    this.#watch = watch;
    return undefined;
  }

  /** When there is no socket: watched any longer, it would keep the process alive. */
  #stopWatching(): void {
    if (this.#seats.size > 0) return;
    this.#watch?.close();
    this.#watch = undefined;
  }

  #prepare(id: number, fd: number, at: Endpoint): Endpoint | IoFault {
    const calls = this.#calls;
    if (at.family === 6) {
      const only = calls.setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      if (typeof only !== 'number') return only;
    }
    const forced = calls.setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
    if (typeof forced !== 'number') calls.setOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    const name = socketName(at);
    const bound = calls.bind(fd, name);
    if (typeof bound !== 'number') return bound;
    const named = calls.localName(fd, name);
    if (typeof named !== 'number') return named;
    const added = calls.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, epollEvent(EPOLLIN, id));
    return typeof added === 'number' ? endpointIn(name, at.family) : added;
  }

  /** Takes what has arrived, at most MAX_TAKEN; gives how much it was. */
  #take(): number {
    let taken = 0;
    for (let isMore = true; isMore && taken < MAX_TAKEN; ) {
      const ready = this.#calls.epollNow(this.#epoll, this.#ready.octets);
      if (typeof ready !== 'number') return taken;
      isMore = ready === MAX_READY;
      for (let i = 0; i < ready; i++) {
        const n = this.#takeFrom(this.#seats.get(this.#ready.number(i)));
        if (n === BATCH) isMore = true;
        taken += n;
      }
    }
    return taken;
  }

  #takeFrom(seat: Seat | undefined): number {
    if (seat === undefined) return 0;
    const vector = this.#in;
    const n = this.#calls.receiveMany(seat.fd, vector.headers, BATCH, MSG_DONTWAIT);
    if (typeof n !== 'number') return 0;
    for (let i = 0; i < n; i++) {
      seat.sender = vector.sender(i, seat.family, seat.sender);
      const at = vector.payloadAt(i);
      const end = at + vector.receivedLength(i);
      this.#events.received(seat.id, vector.octets, at, end, seat.sender);
    }
    vector.makeReady(n);
    return n;
  }
}
