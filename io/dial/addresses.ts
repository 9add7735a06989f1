/** From a name to the addresses to try, in the order in which to try them. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { ioFault } from '../io-fault.ts';
import type { Attempt } from './attempt.ts';
import type { DialFault } from './types.ts';

/** Literal addresses are given back as they are. */
export function resolve(host: string, attempt: Attempt): Promise<readonly string[] | DialFault> {
  const step = {
    stage: 'resolve',
    doing: `looking up the name ${host}`,
    whenSlow: 'the DNS server does not answer: check the network and /etc/resolv.conf',
  } as const;
  return attempt.step<readonly string[]>(step, (finish) => {
    // The system's resolver: it knows /etc/hosts, and sorts by RFC 6724.
    lookup(host, { all: true, verbatim: true }, (error, found) => {
      if (error) finish({ ...ioFault(error), text: nameProblem(host, error) });
      else finish(interleaved(found.map(({ address }) => address)));
    });
    return () => {};
  });
}

/** RFC 8305 clause 4: the families in turn, beginning with that of the first address. */
export function interleaved(addresses: readonly string[]): string[] {
  const firstFamily = isIP(addresses[0] ?? '');
  const first = addresses.filter((address) => isIP(address) === firstFamily);
  const other = addresses.filter((address) => isIP(address) !== firstFamily);
  const order: string[] = [];
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    order.push(...first.slice(i, i + 1), ...other.slice(i, i + 1));
  }
  return order;
}

function nameProblem(host: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EAI_AGAIN') return `no DNS server answers for ${host}: check the network`;
  if (error.code === 'ENOTFOUND') return `there is no name ${host}: check its spelling`;
  return `the name ${host} cannot be looked up: ${error.message}`;
}
