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

/** `struct ifreq`: 16 octets of name, then a pointer to the command. */
const IFREQ_LEN = 40;
const OFF_DATA = 16;

export function checksumsByKernel(calls: Libc, name: string): IoFault | undefined {
  const fd = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (typeof fd !== 'number') return fd;
  const command = new Uint8Array(Uint32Array.of(ETHTOOL_STXCSUM, 0).buffer);
  const request = new Uint8Array(IFREQ_LEN);
  request.set(Buffer.from(name));
  new BigUint64Array(request.buffer, OFF_DATA, 1)[0] = calls.addressOf(command);
  const done = calls.ioctl(fd, SIOCETHTOOL, request);
  calls.close(fd);
  return typeof done === 'number' ? undefined : done;
}
