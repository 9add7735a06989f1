/**
 * The kernel's own word about changes of the network: a netlink socket that first asks for all that
 * there is, then listens. When messages were lost, because too many came at once, a new socket begins
 * again from the start; where there is none to be had, somebody else has to watch.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type Libc, libc } from '../kernel/libc.ts';
import { type Watch, watchReadable } from '../kernel/poller.ts';
import { NetworkState } from './network-state.ts';
import { ASK, askFor, readEvents } from './rtnetlink.ts';
import type { Teller } from './teller.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const MSG_DONTWAIT = 0x40;
const OFF_GROUPS = 8;
const ADDRESS_LEN = 12;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/** One read gets a whole datagram of the kernel, which is at most half as long. */
const RECEIVE_LEN = 65_536;

/** `lost` is called, once, when it can watch no longer. */
export function watchByNetlink(
  teller: Teller,
  lost: () => void,
  calls = libc(),
): { close(): void } | IoFault {
  if (isIoFault(calls)) return calls;
  const watch = new NetlinkWatch(calls, teller, lost);
  return watch.open() ?? watch;
}

class NetlinkWatch {
  readonly #calls: Libc;
  readonly #teller: Teller;
  readonly #lost: () => void;
  /** Nothing was read from this socket yet without an error. */
  #isFresh = true;
  readonly #buffer = new Uint8Array(RECEIVE_LEN);
  #fd = -1;
  #readable: Watch | undefined;
  #state = new NetworkState();
  /** What is still to be asked for; the kernel answers one question at a time. */
  #questions: Uint8Array[] = [];

  constructor(calls: Libc, teller: Teller, lost: () => void) {
    this.#calls = calls;
    this.#teller = teller;
    this.#lost = lost;
  }

  open(): IoFault | undefined {
    const fd = this.#calls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, 0);
    if (typeof fd !== 'number') return fd;
    this.#fd = fd;
    const bound = this.#calls.bind(fd, everyGroup());
    const readable = typeof bound === 'number' ? watchReadable(fd, () => this.#read()) : bound;
    if (isIoFault(readable)) {
      this.#calls.close(fd);
      return readable;
    }
    this.#readable = readable;
    this.#isFresh = true;
    this.#state = new NetworkState();
    this.#questions = [askFor(ASK.links), askFor(ASK.addresses), askFor(ASK.routes)];
    this.#ask();
    // The kernel answers at once: everything is known when the watch begins.
    this.#read();
    return undefined;
  }

  close(): void {
    this.#closeSocket();
    this.#teller.close();
  }

  #closeSocket(): void {
    if (this.#readable === undefined) return;
    this.#readable.close();
    this.#readable = undefined;
    this.#calls.close(this.#fd);
  }

  #ask(): void {
    const question = this.#questions.shift();
    if (question !== undefined) this.#calls.send(this.#fd, question, 0);
    else this.#teller.became(this.#state);
  }

  #read(): void {
    for (;;) {
      const length = this.#calls.recv(this.#fd, this.#buffer, MSG_DONTWAIT);
      if (typeof length !== 'number') {
        if (length.code === 'EAGAIN') this.#readable?.arm();
        else this.#again();
        return;
      }
      this.#isFresh = false;
      this.#take(this.#buffer.subarray(0, length));
    }
  }

  #take(datagram: Uint8Array): void {
    let isDone = false;
    for (const event of readEvents(datagram)) {
      this.#state.apply(event);
      isDone ||= event.type === 'done';
    }
    if (isDone) this.#ask();
    else if (this.#questions.length === 0) this.#teller.became(this.#state);
  }

  /** ENOBUFS: the kernel had more to say than we read in time. */
  #again(): void {
    const isHopeless = this.#isFresh;
    this.#closeSocket();
    if (isHopeless || this.open() !== undefined) this.#lost();
  }
}

/** struct sockaddr_nl: family 2, pad 2, port 4, groups 4. */
function everyGroup(): Uint8Array {
  const b = new Uint8Array(ADDRESS_LEN);
  new Uint16Array(b.buffer)[0] = AF_NETLINK;
  new Uint32Array(b.buffer)[OFF_GROUPS / 4] = GROUPS;
  return b;
}
