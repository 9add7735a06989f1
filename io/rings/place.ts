/**
 * What the packet port `rings` calls its things in the system. Everything that it makes can be told from
 * what is not its own: by these numbers, by the hardware addresses of its interfaces and by the mark that
 * `ip` shows as `proto 84`. That is how it finds what a predecessor that was killed left behind.
 */
import type { IoFault } from '../io-fault.ts';

export interface Place {
  /** The interface of the host; the far end, which the port reads and writes, is `<name>p`. */
  readonly name: string;
  readonly table: number;
  /** The first of three priorities of rules: exceptions, what goes to the port, the way past both. */
  readonly priority: number;
  /** One bit of the packet mark, for `capture` only. */
  readonly mark: number;
}

/** 7480: port 80 and the letters t, p of a telephone's keys are as good as anything that is rare. */
export const DEFAULT_PLACE: Place = {
  name: 'tep0',
  table: 7480,
  priority: 7480,
  mark: 0x1000_0000,
};

/** `protocol` of our routes and rules (rtnetlink(7)): who made them. Free for use above 16. */
export const MADE_BY = 84;

/** Locally administered; the middle is "tep". The last octet tells the two ends apart. */
const MAC_PREFIX = '02:74:65:70:00:';
export const NEAR_MAC = `${MAC_PREFIX}00`;
export const FAR_MAC = `${MAC_PREFIX}01`;

/** A letter first, so that it is also the name of an nftables table; an interface name has 15 octets. */
const NAME = /^[a-z][a-z0-9]{0,13}$/;
const MAX_TABLE = 2 ** 31 - 1;
/** The rule for the table `main`: what goes past it never comes to a rule of ours. */
const MAIN_PRIORITY = 32_766;

export function farEnd(name: string): string {
  return `${name}p`;
}

export function isOurMac(address: string): boolean {
  return address.startsWith(MAC_PREFIX);
}

/** Undefined when the settings can be used. */
export function placeFault(place: Place): IoFault | undefined {
  const { name, table, priority, mark } = place;
  if (!NAME.test(name)) {
    return wrong(`interface "${name}": 1 to 14 small letters and digits, a letter first`);
  }
  if (!isWhole(table, 1, MAX_TABLE) || (table >= 253 && table <= 255)) {
    return wrong(`table ${table}: a number from 1, and not one of the system's (253 to 255)`);
  }
  if (!isWhole(priority, 1, MAIN_PRIORITY - 3)) {
    return wrong(`priority ${priority}: 1 to ${MAIN_PRIORITY - 3}, before the rule for table main`);
  }
  const isBit = isWhole(mark, 1, 2 ** 31) && (mark & (mark - 1)) === 0;
  return isBit ? undefined : wrong(`mark ${mark}: one single bit of 32`);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function wrong(text: string): IoFault {
  return { type: 'io-fault', code: 'EINVAL', text };
}
