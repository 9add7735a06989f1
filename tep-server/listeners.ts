/**
 * Where TEP-S listens: any number of addresses, or sockets that it was given when it was started. On
 * each port plain STUN by UDP is answered too, where that is wanted.
 *
 * A UDP socket for all addresses answers from the address that the route to the client suggests. On a
 * host with several addresses clients expect the one that they asked: such addresses are named singly.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { hostOf } from '../io/endpoints.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import type { PassedSocket } from '../io/systemd-sockets.ts';
import { listenTcp, type TcpListener } from '../io/tcp.ts';
import { setTcpOptions } from '../io/tcp-options.ts';
import { openUdp, type UdpSocket } from '../io/udp-socket.ts';
import type { Endpoint } from '../wire/address.ts';

export type ListenAt = Endpoint | PassedSocket;

/** A way that is gone is noticed by then, long before the peer is given up (tep-wire 7: 40 s). */
const USER_TIMEOUT_MS = 20_000;

export interface ListenersOptions {
  readonly at: readonly ListenAt[];
  readonly stunUdp: boolean;
  /** Congestion control of accepted connections; absent: the system's own choice. */
  readonly congestion: string | undefined;
  /** Nothing is read from accepted sockets: they go to another process. */
  readonly paused?: boolean;
  readonly accept: (socket: Socket, peer: Endpoint) => void;
  /** A datagram: the answer to it, or nothing. */
  readonly datagram: (payload: Uint8Array, from: Endpoint) => Uint8Array | undefined;
}

const ANY_IPV4 = new Uint8Array(4);
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #tcp: TcpListener[] = [];
  readonly #udp: UdpSocket[] = [];
  /** Answers by UDP that the system refused to send. */
  unsentAnswers = 0;

  private constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** All of them, or none and why not. */
  static async open(options: ListenersOptions): Promise<Listeners | IoFault> {
    const listeners = new Listeners(options);
    for (const at of options.at) {
      const fault = await listeners.#listen(at);
      if (fault === undefined) continue;
      await listeners.close();
      return fault;
    }
    return listeners;
  }

  /** The addresses that clients connect to, in the order in which they were asked for. */
  get local(): readonly Endpoint[] {
    return this.#tcp.map(({ local }) => local);
  }

  /** No new connections, no answers any more. Resolves when the connections that there are have ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#tcp, ...this.#udp].map((each) => each.close()));
  }

  async #listen(at: ListenAt): Promise<IoFault | undefined> {
    const { accept, stunUdp, congestion, paused = false } = this.#options;
    if ('fd' in at && at.kind === 'datagram') return stunUdp ? this.#answerStun(at) : undefined;
    const where = 'fd' in at ? at : { host: hostOf(at), port: at.port };
    const accepted = (socket: Socket, peer: Endpoint) => {
      setTcpOptions(socket, { userTimeoutMs: USER_TIMEOUT_MS, congestion });
      accept(socket, peer);
    };
    const listener = await listenTcp(where, accepted, { paused });
    if (isIoFault(listener)) return listener;
    this.#tcp.push(listener);
    // Who passes sockets passes those for UDP too.
    if (!stunUdp || 'fd' in at) return undefined;
    for (const local of socketsFor(listener.local)) {
      const fault = await this.#answerStun(local);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #answerStun(at: Endpoint | PassedSocket): Promise<IoFault | undefined> {
    const answer = (payload: Uint8Array, from: Endpoint) => {
      const octets = this.#options.datagram(payload, from);
      if (octets === undefined || isIoFault(socket)) return;
      const to = asSeenBy(socket, from);
      socket.send(octets, 0, octets.length, to, 0, from.port);
    };
    const socket = await openUdp(at, answer, () => {
      this.unsentAnswers += 1;
    });
    if (isIoFault(socket)) {
      return { ...socket, text: `stun-udp: ${socket.text}` };
    }
    this.#udp.push(socket);
    return undefined;
  }
}

/** A socket for both families wants IPv4 addresses in their IPv6 dress. */
function asSeenBy({ local }: UdpSocket, { family, address }: Endpoint): Uint8Array {
  return local.family === family ? address : Buffer.concat([MAPPED, address]);
}

/** TCP sockets for all addresses take both families, UDP sockets one. */
function socketsFor(local: Endpoint): Endpoint[] {
  const isAny = local.family === 6 && local.address.every((octet) => octet === 0);
  return isAny ? [local, { family: 4, address: ANY_IPV4, port: local.port }] : [local];
}
