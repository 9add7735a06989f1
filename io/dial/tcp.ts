/** A TCP connection to a host by name, to a TEP-S or to a proxy. */
import type { Socket } from 'node:net';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { setTcpOptions, type TcpWishes } from '../tcp-options.ts';
import { resolve } from './addresses.ts';
import type { Attempt } from './attempt.ts';
import { type RaceLost, race } from './race.ts';
import type { DialFault } from './types.ts';

export interface TcpWay {
  /** How texts call the host: `the proxy 10.0.0.1:3128`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly wishes: TcpWishes;
}

export async function openTcp(way: TcpWay, attempt: Attempt): Promise<Socket | DialFault> {
  const { name, host, port, wishes } = way;
  const addresses = await resolve(host, attempt);
  if (isIoFault(addresses)) return addresses;
  const step = {
    stage: 'tcp',
    doing: `connecting to ${name}`,
    whenSlow: 'a firewall may drop it without a word: try another port, or a proxy',
  } as const;
  return attempt.step<Socket>(step, (finish) =>
    race({ addresses, port }, (outcome) => {
      if ('failures' in outcome) finish(lostFault(name, port, outcome));
      else {
        setTcpOptions(outcome, wishes);
        finish(outcome);
      }
    }),
  );
}

function lostFault(name: string, port: number, { failures }: RaceLost): IoFault {
  const code = failures.at(0)?.fault.code ?? 'EHOSTUNREACH';
  const tried = failures.map(({ fault }) => fault.text).join('; ');
  return { type: 'io-fault', code, text: `${name}: ${tcpProblem(code, port)} (${tried})` };
}

function tcpProblem(code: string, port: number): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens on port ${port} there, or a firewall refuses it`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'there is no way to it: check the network, and what the firewall allows';
    case 'EADDRNOTAVAIL':
      return 'this machine has no free port left for it';
    case 'EACCES':
    case 'EPERM':
      return 'a rule of this machine forbids it';
    case 'ETIMEDOUT':
      return 'it does not answer: a firewall may drop it without a word';
    default:
      return 'no connection';
  }
}
