/** One side of a simulated call: a socket for RTP and one for RTCP, as a telephone or a gateway has. */
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import type { DatagramReceiver, UdpSocket } from '../../io/udp-socket.ts';
import type { Endpoint } from '../../wire/address.ts';
import { Failure } from '../command.ts';
import type { MediaStream, SendOctets } from './stream.ts';

/** RTP, and RTCP one port above. */
export interface PortPair {
  readonly rtp: Endpoint;
  readonly rtcp: Endpoint;
}

const PAIR_TRIES = 200;

export class Party {
  readonly local: PortPair;
  readonly #rtp: UdpSocket;
  readonly #rtcp: UdpSocket;
  #sendRtp: SendOctets = () => {};
  #sendRtcp: SendOctets = () => {};

  constructor(rtp: UdpSocket, rtcp: UdpSocket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.local = { rtp: rtp.local, rtcp: rtcp.local };
  }

  /** Where this side sends to, as the other side's SDP told it. */
  connect({ rtp, rtcp }: PortPair): void {
    this.#sendRtp = (b) => this.#rtp.send(b, 0, b.length, rtp.address, 0, rtp.port);
    this.#sendRtcp = (b) => this.#rtcp.send(b, 0, b.length, rtcp.address, 0, rtcp.port);
  }

  /** Sends packet `n` of a stream, and the report that may go with it. */
  send(stream: MediaStream, n: number): void {
    stream.send(n, this.#sendRtp, this.#sendRtcp);
  }

  async close(): Promise<void> {
    await Promise.all([this.#rtp.close(), this.#rtcp.close()]);
  }
}

/** Where a side of the calls stands. */
export interface Host {
  /** Opens a socket there; port 0 takes any. */
  open(port: number, receive: DatagramReceiver): Promise<UdpSocket | IoFault>;
}

/** Opens both sockets on a host: an even port and the odd one above it (RFC 3550 11). */
export async function openParty(host: Host, incoming: MediaStream): Promise<Party> {
  for (let i = 0; i < PAIR_TRIES; i++) {
    const party = await tryOpen(host, incoming);
    if (party !== undefined) return party;
  }
  throw new Failure('no two neighbouring UDP ports are free');
}

async function tryOpen(host: Host, incoming: MediaStream): Promise<Party | undefined> {
  const rtp = orFail(await host.open(0, (payload) => incoming.receiveRtp(payload)));
  if (rtp.local.port % 2 === 0) {
    const rtcp = await host.open(rtp.local.port + 1, (payload) => incoming.receiveRtcp(payload));
    if (!isIoFault(rtcp)) return new Party(rtp, rtcp);
  }
  await rtp.close();
  return undefined;
}

/** What the system gave, or the end of the demo. */
export function orFail<T extends object>(outcome: T | IoFault): T {
  if (isIoFault(outcome)) throw new Failure(outcome.text);
  return outcome;
}
