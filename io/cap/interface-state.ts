/** Whether there is a network interface of that name, and whether it is up. */
import { isIoFault } from '../io-fault.ts';
import { libc } from '../kernel/libc.ts';

/** `unknown` where the system does not tell. */
export type InterfaceState = 'up' | 'down' | 'missing' | 'unknown';

/** Every interface at once, to libpcap. */
const ANY = 'any';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFFLAGS = 0x8913;
const IFREQ_LEN = 40;
const OFF_FLAGS = 16;
const MAX_NAME_LEN = 15;
const IFF_UP = 0x1;

export function interfaceState(name: string): InterfaceState {
  if (name === ANY) return 'up';
  const calls = libc();
  if (isIoFault(calls)) return 'unknown';
  if (Buffer.byteLength(name) > MAX_NAME_LEN) return 'missing';
  const fd = calls.socket(AF_INET, SOCK_DGRAM, 0);
  if (typeof fd !== 'number') return 'unknown';
  const request = Buffer.alloc(IFREQ_LEN);
  request.write(name);
  const asked = calls.ioctl(fd, SIOCGIFFLAGS, request);
  calls.close(fd);
  if (typeof asked !== 'number') return asked.code === 'ENODEV' ? 'missing' : 'unknown';
  const flags = new Uint16Array(request.buffer, request.byteOffset + OFF_FLAGS, 1);
  return ((flags[0] ?? 0) & IFF_UP) === 0 ? 'down' : 'up';
}
