/**
 * One way to a TEP-S for every caller: its name becomes addresses, one of them a TCP connection, where
 * wanted a CONNECT makes that a tunnel through a proxy, and where wanted TLS begins in it. Nothing
 * here throws for what a network does, only for wrong arguments: the result is a stream or a fault that says how far it came.
 */
import type { Duplex } from 'node:stream';
import { authority, markerProblem } from '../../framing/connect/request.ts';
import { isIoFault } from '../io-fault.ts';
import { Attempt } from './attempt.ts';
import { connectThrough } from './connect.ts';
import { openTcp } from './tcp.ts';
import { startTls } from './tls.ts';
import type { Dial, DialFault, ServerTarget, TransportOptions } from './types.ts';

export function dial(target: ServerTarget, options: TransportOptions, timeoutMs: number): Dial {
  if (target.tls && options.tls === undefined) throw new RangeError('TLS without its options');
  const problem = options.marker.map(markerProblem).find((text) => text !== undefined);
  if (problem !== undefined) throw new RangeError(problem);
  const attempt = new Attempt(timeoutMs);
  let stream: Duplex | undefined;
  const result = connect(target, options, attempt).then((outcome) => {
    attempt.over();
    if (isIoFault(outcome)) return outcome;
    stream = outcome;
    // Abandoned in the moment in which it was there.
    if (attempt.fault !== undefined) stream.destroy();
    return attempt.fault ?? outcome;
  });
  const abandon = () => {
    attempt.abandon();
    stream?.destroy();
  };
  return { result, abandon };
}

async function connect(
  target: ServerTarget,
  options: TransportOptions,
  attempt: Attempt,
): Promise<Duplex | DialFault> {
  const socket = await openTunnel(target, options, attempt);
  if (isIoFault(socket) || !target.tls || options.tls === undefined) return socket;
  return startTls(socket, target, options.tls, attempt);
}

/** TCP, all the way to the server: by a proxy where there is one. */
async function openTunnel(target: ServerTarget, options: TransportOptions, attempt: Attempt) {
  const { marker } = options;
  const there = authority(target.host, target.port);
  if (there === undefined) return nameFault(target);
  const proxy = options.connect === 'never' ? undefined : options.proxy;
  const { host, port } = proxy ?? target;
  const name = proxy === undefined ? there : `the proxy ${authority(host, port) ?? host}`;
  const open = () => openTcp({ name, host, port, wishes: options }, attempt);
  if (proxy === undefined && options.connect !== 'always') return open();
  const login = proxy?.login;
  return connectThrough({ name, authority: there, marker, login, open }, attempt);
}

function nameFault({ host, port }: ServerTarget): DialFault {
  const text = `${host}, port ${port}: no host and port that one can connect to`;
  return { type: 'io-fault', stage: 'resolve', code: 'EINVAL', text };
}
