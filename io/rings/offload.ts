/**
 * What the two interfaces do for their packets besides handing them over.
 *
 * Towards the port: nothing is left for later. The port reads packets as they are, so checksums are finished by the
 * kernel while it copies, which costs less than to read all octets once more. (Where this fails, the ends of the
 * tunnel finish them.)
 *
 * Towards the host: packets that were sent in one batch go up its network stack together. Without, the kernel stops
 * after each, takes that one through the stack up to the application, and comes back for the next. (Where this fails,
 * that is how it is.)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Libc } from '../kernel/libc.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;
const ETHTOOL_STSO = 0x1f;
const ETHTOOL_SGRO = 0x2c;

/** `struct ifreq`: 16 octets of name, then a pointer to the command, which follows here. */
const IFREQ_LEN = 40;
const OFF_DATA = 16;
/** `struct ethtool_value`: the command, and 1 for on, 0 for off. */
const COMMAND_LEN = 8;

/** A third of what the port may add to a packet's way at most. The interface has room for 256 packets meanwhile. */
const GATHER_NS = 100_000;

export function checksumsByKernel(calls: Libc, name: string): void {
  setFeature(calls, name, ETHTOOL_STXCSUM, 0);
}

/**
 * The first packet goes up at once, those that follow within GATHER_NS together. Only interfaces that do GRO
 * (here: for TCP; datagrams stay as they are) can wait, and a veth only for what its other end has not marked as
 * fit for TSO.
 */
export function gatherPackets(calls: Libc, near: string, far: string): void {
  if (!setGathering(calls, near)) return;
  setFeature(calls, far, ETHTOOL_STSO, 0);
  setFeature(calls, near, ETHTOOL_SGRO, 1);
}

/** False where this is not to be written: /sys is of another network namespace, or read-only. */
function setGathering(calls: Libc, name: string): boolean {
  const folder = `/sys/class/net/${name}`;
  try {
    const index = Number(readFileSync(`${folder}/ifindex`, 'utf8'));
    if (index !== calls.interfaceIndex(name)) return false;
    writeFileSync(`${folder}/gro_flush_timeout`, String(GATHER_NS));
    writeFileSync(`${folder}/napi_defer_hard_irqs`, '1');
    return true;
  } catch {
    return false;
  }
}

function setFeature(calls: Libc, name: string, feature: number, value: 0 | 1): void {
  const fd = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (typeof fd !== 'number') return;
  const request = new Uint8Array(new ArrayBuffer(IFREQ_LEN + COMMAND_LEN));
  request.set(Buffer.from(name));
  new Uint32Array(request.buffer, IFREQ_LEN).set([feature, value]);
  const command = calls.addressOf(request) + BigInt(IFREQ_LEN);
  new BigUint64Array(request.buffer, OFF_DATA, 1)[0] = command;
  calls.ioctl(fd, SIOCETHTOOL, request);
  calls.close(fd);
}
