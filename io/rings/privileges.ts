/**
 * Whether this process, and the `ip` and `nft` that it starts, may do what the port needs: CAP_NET_ADMIN
 * and CAP_NET_RAW, no more. A program that is started keeps only ambient capabilities (capabilities(7)),
 * unless it is root's.
 */
import { readFile } from 'node:fs/promises';
import { type IoFault, ioFault } from '../io-fault.ts';

const NEEDED = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n } as const;

/** Undefined when all is there. */
export async function privilegeFault(): Promise<IoFault | undefined> {
  try {
    return missing(await readFile('/proc/self/status', 'utf8'), process.geteuid?.() === 0);
  } catch (error) {
    if (error instanceof Error) return ioFault(error);
    throw error;
  }
}

/** `status` is the text of /proc/self/status. */
export function missing(status: string, isRoot: boolean): IoFault | undefined {
  const lacking = (set: string) => {
    const held = BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? 0}`);
    return Object.entries(NEEDED).filter(([, bit]) => ((held >> bit) & 1n) === 0n);
  };
  const own = lacking('CapEff').map(([name]) => name);
  if (own.length > 0) {
    return refused(
      `${own.join(' and ')} missing: run as root, or with AmbientCapabilities= in systemd`,
    );
  }
  const handedOn = isRoot ? [] : lacking('CapAmb').map(([name]) => name);
  if (handedOn.length === 0) return undefined;
  return refused(`${handedOn.join(' and ')} not ambient, so ip and nft would not have it`);
}

function refused(text: string): IoFault {
  return { type: 'io-fault', code: 'EPERM', text };
}
