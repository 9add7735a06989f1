/**
 * Tells when rules of routing have changed, whoever changed them, or a route of ours has gone
 * (rtnetlink(7)): network managers exist that remove, when they are restarted, all that is not their own.
 * Routes of others come and go by the thousand on some hosts: they are passed over here.
 */
import { endianness } from 'node:os';
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import { watchReadable } from '../kernel/poller.ts';
import { MADE_BY } from './place.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;
/** RTMGRP_IPV4_RULE and RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE and the bit of RTNLGRP_IPV6_RULE. */
const GROUPS = 0x80 | 0x40 | 0x400 | 0x4_0000;
/** `struct sockaddr_nl`: family, pad, port, groups. */
const ADDRESS_LEN = 12;
const GROUPS_WORD = 2;
const RECEIVE_LEN = 32_768;
/** `struct nlmsghdr`: length, type; then `struct rtmsg` with who made the route. */
const HEADER_LEN = 16;
const OFF_TYPE = 4;
const OFF_PROTOCOL = HEADER_LEN + 5;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const LITTLE_ENDIAN = endianness() === 'LE';
/** Rules change in swarms; what is to be done about it can wait for the end of one. */
const SETTLE_MS = 300;

export interface RuleWatch {
  close(): void;
}

export function watchRules(calls: Libc, changed: () => void): RuleWatch | IoFault {
  const fd = calls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  if (typeof fd !== 'number') return fd;
  const buffer = new Uint8Array(RECEIVE_LEN);
  let timer: NodeJS.Timeout | undefined;
  const bound = calls.bind(fd, addressOfGroups());
  const watch =
    typeof bound === 'number'
      ? watchReadable(fd, () => {
          if (takeAll(calls, fd, buffer)) {
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
function takeAll(calls: Libc, fd: number, buffer: Uint8Array): boolean {
  for (let matters = false; ; ) {
    const length = calls.recv(fd, buffer, MSG_DONTWAIT);
    if (typeof length !== 'number') return matters || length.code !== 'EAGAIN';
    matters ||= isOurs(new DataView(buffer.buffer, 0, length));
  }
}

/** Multicast messages of rtnetlink come one in a datagram. */
function isOurs(message: DataView): boolean {
  if (message.byteLength <= OFF_PROTOCOL) return true;
  const type = message.getUint16(OFF_TYPE, LITTLE_ENDIAN);
  if (type === RTM_NEWROUTE) return false;
  return type !== RTM_DELROUTE || message.getUint8(OFF_PROTOCOL) === MADE_BY;
}

function addressOfGroups(): Uint8Array {
  const b = new Uint8Array(ADDRESS_LEN);
  new Uint16Array(b.buffer)[0] = AF_NETLINK;
  new Uint32Array(b.buffer)[GROUPS_WORD] = GROUPS;
  return b;
}
