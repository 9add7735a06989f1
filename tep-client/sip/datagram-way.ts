/** A way to the core by UDP: one socket, which hears nobody else. */
import { lookup } from 'node:dns/promises';
import { endpointOf } from '../../io/endpoints.ts';
import { type IoFault, ioFault, isIoFault } from '../../io/io-fault.ts';
import { openUdp, type UdpSocket } from '../../io/udp-socket.ts';
import { readDatagram } from '../../sip/message.ts';
import { PING } from '../../sip/stream.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { Beat } from './beat.ts';
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

  private constructor(socket: UdpSocket, to: Endpoint) {
    this.#socket = socket;
    this.#to = to;
  }

  static async open(host: string, port: number, events: WayEvents): Promise<Way | IoFault> {
    try {
      const { address } = await lookup(host);
      const core = endpointOf(address, port);
      const socket = await openUdp(
        endpointOf(ANY[core.family], 0),
        (payload, from) => {
          // Only the core speaks to this port.
          if (Buffer.compare(from.address, core.address) === 0) received(payload, events);
        },
        () => events.refused(),
      );
      return isIoFault(socket) ? socket : new DatagramWay(socket, core);
    } catch (error) {
      return ioFault(error as Error);
    }
  }

  send(octets: Uint8Array): void {
    const { address, port } = this.#to;
    this.#socket.send(octets, 0, octets.length, address, 0, port);
  }

  keep(seconds: number | undefined): void {
    // RFC 5626 has STUN on UDP, which few proxies answer; line ends keep the NAT open just as well.
    this.#beat.bound(seconds);
  }

  close(): void {
    this.#beat.close();
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
