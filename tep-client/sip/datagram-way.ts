/** A way to the core by UDP: one socket, which hears nobody else; a connection beside it for what is too long. */
import { lookup } from 'node:dns/promises';
import type { Dial } from '../../io/dial/types.ts';
import { endpointOf } from '../../io/endpoints.ts';
import { type IoFault, ioFault, isIoFault } from '../../io/io-fault.ts';
import { openUdp, type UdpSocket } from '../../io/udp-socket.ts';
import { readDatagram } from '../../sip/message.ts';
import { PING } from '../../sip/stream.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { Beat } from './beat.ts';
import { LongRequests } from './long-requests.ts';
import type { Way, WayEvents } from './way.ts';

const ANY = { 4: '0.0.0.0', 6: '::' } as const;
/** Of the zeroes that some proxies send to keep a NAT open. */
const MAX_ZEROES = 4;

export class DatagramWay implements Way {
  readonly localAddress = undefined;
  readonly #socket: UdpSocket;
  readonly #to: Endpoint;
  readonly #beat = new Beat(
    () => this.send(PING),
    () => {},
  );

  readonly #long: LongRequests;
  /** That UDP passes is known: a TCP connection tells nothing of it. */
  #isHeard = false;

  private constructor(socket: UdpSocket, to: Endpoint, dial: () => Dial, events: WayEvents) {
    this.#socket = socket;
    this.#to = to;
    const byUdp = (octets: Uint8Array) => this.#send(octets);
    this.#long = new LongRequests({ dial, events, byUdp });
  }

  /** `dial`: by TCP to this address. */
  static async open(
    host: string,
    port: number,
    events: WayEvents,
    dial: (address: string) => Dial,
  ): Promise<Way | IoFault> {
    let way: DatagramWay | undefined;
    try {
      const { address } = await lookup(host);
      const core = endpointOf(address, port);
      const socket = await openUdp(
        endpointOf(ANY[core.family], 0),
        (payload, from) => {
          // Only the core speaks to this port.
          if (Buffer.compare(from.address, core.address) !== 0) return;
          if (way !== undefined) way.#isHeard = true;
          received(payload, events);
        },
        () => events.refused(),
      );
      if (isIoFault(socket)) return socket;
      way = new DatagramWay(socket, core, () => dial(address), events);
      return way;
    } catch (error) {
      return ioFault(error as Error);
    }
  }

  send(octets: Uint8Array): void {
    if (!this.#isHeard || !this.#long.take(octets)) this.#send(octets);
  }

  #send(octets: Uint8Array): void {
    const { address, port } = this.#to;
    this.#socket.send(octets, 0, octets.length, address, 0, port);
  }

  keep(seconds: number | undefined): void {
    // RFC 5626 has STUN on UDP, which few proxies answer; line ends keep the NAT open just as well.
    this.#beat.bound(seconds);
  }

  close(): void {
    this.#beat.close();
    this.#long.close();
    void this.#socket.close();
  }
}

function received(payload: Uint8Array, events: WayEvents): void {
  // What keeps a NAT open from the other side: line ends or nothing but zeroes.
  if (payload.length <= MAX_ZEROES && payload.every((octet) => octet === 0)) return;
  const message = readDatagram(payload, 0, payload.length);
  if (typeof message !== 'number') events.message(message);
  else if (message === FAULTS.SIP_EMPTY) events.alive();
  else events.bad();
}
