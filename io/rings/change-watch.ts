/**
 * Tells when somebody changes what a port needs of the system, whoever that is (netlink(7)): network
 * managers exist that remove, when they are restarted, all that is not their own, and a firewall that is
 * loaded anew begins with an empty ruleset.
 */
import { endianness } from 'node:os';
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import { watchReadable } from '../kernel/poller.ts';
import { MADE_BY } from './place.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const MSG_DONTWAIT = 0x40;
/** `struct sockaddr_nl`: family, pad, port, groups. */
const ADDRESS_LEN = 12;
const GROUPS_WORD = 2;
const RECEIVE_LEN = 32_768;
/** `struct nlmsghdr`: length, type; messages begin at multiples of 4. */
const HEADER_LEN = 16;
const OFF_TYPE = 4;
/** In `struct rtmsg`, which follows: who made the route. */
const OFF_PROTOCOL = HEADER_LEN + 5;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
/** NFT_MSG_DELTABLE of NFNL_SUBSYS_NFTABLES. */
const DELTABLE = 0x0a02;
const LITTLE_ENDIAN = endianness() === 'LE';
/** Changes come in swarms; what is to be done about them can wait for the end of one. */
const SETTLE_MS = 300;

export interface ChangeSource {
  readonly protocol: number;
  /** Bits of multicast groups. */
  readonly groups: number;
  /** Whether this message is one to be told of. */
  matters(message: DataView): boolean;
}

/**
 * NETLINK_ROUTE: rules of routing, and our routes that go. Routes of others come and go by the thousand on
 * some hosts: they are passed over here.
 */
export const RULES: ChangeSource = {
  protocol: 0,
  /** RTMGRP_IPV4_RULE and RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE and the bit of RTNLGRP_IPV6_RULE. */
  groups: 0x80 | 0x40 | 0x400 | 0x4_0000,
  matters(message) {
    if (message.byteLength <= OFF_PROTOCOL) return true;
    const type = typeOf(message);
    if (type === RTM_NEWROUTE) return false;
    return type !== RTM_DELROUTE || message.getUint8(OFF_PROTOCOL) === MADE_BY;
  },
};

/** NETLINK_NETFILTER, the bit of NFNLGRP_NFTABLES: tables that go. */
export const TABLES: ChangeSource = {
  protocol: 12,
  groups: 0x40,
  matters: (message) => typeOf(message) === DELTABLE,
};

export interface ChangeWatch {
  close(): void;
}

export function watchChanges(
  calls: Libc,
  source: ChangeSource,
  changed: () => void,
): ChangeWatch | IoFault {
  const fd = calls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, source.protocol);
  if (typeof fd !== 'number') return fd;
  const buffer = new Uint8Array(RECEIVE_LEN);
  let timer: NodeJS.Timeout | undefined;
  const bound = calls.bind(fd, addressOf(source.groups));
  const watch =
    typeof bound === 'number'
      ? watchReadable(fd, () => {
          if (takeAll(calls, fd, buffer, source)) {
            timer ??= setTimeout(() => {
              timer = undefined;
              changed();
            }, SETTLE_MS);
          }
          if (!isIoFault(watch)) watch.arm();
        })
      : bound;
  if (isIoFault(watch)) {
    calls.close(fd);
    return watch;
  }
  watch.arm();
  return {
    close: () => {
      clearTimeout(timer);
      watch.close();
      calls.close(fd);
    },
  };
}

/** Whether anything of what has come matters. After an overflow (ENOBUFS) nobody knows: it may. */
function takeAll(calls: Libc, fd: number, buffer: Uint8Array, source: ChangeSource): boolean {
  for (let matters = false; ; ) {
    const length = calls.recv(fd, buffer, MSG_DONTWAIT);
    if (typeof length !== 'number') return matters || length.code !== 'EAGAIN';
    matters ||= messagesIn(buffer, length).some((message) => source.matters(message));
  }
}

/** A datagram may hold several. */
function messagesIn({ buffer }: Uint8Array, end: number): DataView[] {
  const messages: DataView[] = [];
  for (let at = 0; at + HEADER_LEN <= end; ) {
    const length = new DataView(buffer, at).getUint32(0, LITTLE_ENDIAN);
    if (length < HEADER_LEN || at + length > end) break;
    messages.push(new DataView(buffer, at, length));
    at += (length + 3) & ~3;
  }
  return messages;
}

function typeOf(message: DataView): number {
  return message.getUint16(OFF_TYPE, LITTLE_ENDIAN);
}

function addressOf(groups: number): Uint8Array {
  const b = new Uint8Array(ADDRESS_LEN);
  new Uint16Array(b.buffer)[0] = AF_NETLINK;
  new Uint32Array(b.buffer)[GROUPS_WORD] = groups;
  return b;
}
