/**
 * Turns off what an interface promises to do for its packets later: nothing comes later here, the port
 * reads them as they are. Checksums are then finished by the kernel while it copies, which costs less
 * than to read all octets once more. (Where this fails, the ends of the tunnel finish them.)
 */
import type { IoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;

/** `struct ifreq`: 16 octets of name, then a pointer to the command, which follows here. */
const IFREQ_LEN = 40;
const OFF_DATA = 16;
/** `struct ethtool_value`: the command, and 0 for off. */
const COMMAND_LEN = 8;

export function checksumsByKernel(calls: Libc, name: string): IoFault | undefined {
  const fd = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (typeof fd !== 'number') return fd;
  const request = new Uint8Array(new ArrayBuffer(IFREQ_LEN + COMMAND_LEN));
  request.set(Buffer.from(name));
  new Uint32Array(request.buffer, IFREQ_LEN)[0] = ETHTOOL_STXCSUM;
  const command = calls.addressOf(request) + BigInt(IFREQ_LEN);
  new BigUint64Array(request.buffer, OFF_DATA, 1)[0] = command;
  const done = calls.ioctl(fd, SIOCETHTOOL, request);
  calls.close(fd);
  return typeof done === 'number' ? undefined : done;
}
