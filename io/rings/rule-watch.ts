/**
 * Tells when rules of routing have changed, whoever changed them (rtnetlink(7)): network managers exist
 * that remove, when they are restarted, every rule that is not their own.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import { watchReadable } from '../kernel/poller.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;
/** RTMGRP_IPV4_RULE, and the bit of RTNLGRP_IPV6_RULE. */
const GROUPS = 0x80 | 0x4_0000;
/** `struct sockaddr_nl`: family, pad, port, groups. */
const ADDRESS_LEN = 12;
const GROUPS_WORD = 2;
const RECEIVE_LEN = 32_768;
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
          // An overflow (ENOBUFS) ends it too: that something has changed is known.
          while (typeof calls.recv(fd, buffer, MSG_DONTWAIT) === 'number');
          timer ??= setTimeout(() => {
            timer = undefined;
            changed();
          }, SETTLE_MS);
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

function addressOfGroups(): Uint8Array {
  const b = new Uint8Array(ADDRESS_LEN);
  new Uint16Array(b.buffer)[0] = AF_NETLINK;
  new Uint32Array(b.buffer)[GROUPS_WORD] = GROUPS;
  return b;
}
