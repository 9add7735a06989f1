/**
 * Asks the server by UDP for our public address (M-05): whether UDP passes at all, and what it
 * would look like. Where it does not, the tunnel gives the address. Nothing waits for the result: it is
 * told, and whoever chooses between ways can use it.
 */
import { lookup } from 'node:dns/promises';
import { Alarm, now } from '../io/clock.ts';
import { endpointOf } from '../io/endpoints.ts';
import { isIoFault } from '../io/io-fault.ts';
import { systemRandom } from '../io/random.ts';
import { openUdp, type UdpSocket } from '../io/udp-socket.ts';
import { StunQuestion } from '../session/stun-question.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Hop } from './tunnel-exceptions.ts';

/** `not-asked`: the question would itself go into the tunnel. */
export type UdpState = 'asking' | 'passes' | 'unanswered' | 'not-asked';

const ANY = { 4: '0.0.0.0', 6: '::' } as const;

export class Discovery {
  state: UdpState = 'asking';
  /** Our address as the server sees it by UDP. */
  mapped: Endpoint | undefined;
  readonly #told: (discovery: Discovery) => void;
  readonly #question = new StunQuestion(systemRandom);
  readonly #alarm = new Alarm(() => this.#settle());
  #server: Endpoint | undefined;
  #socket: UdpSocket | undefined;
  #isOver = false;

  /**
   * `told` once, when the answer is there or none is to be expected. `isMedia`: whether UDP to there
   * goes into the tunnel.
   */
  constructor(
    server: Hop,
    told: (discovery: Discovery) => void,
    isMedia: (at: Endpoint) => boolean = () => false,
  ) {
    this.#told = told;
    void this.#start(server, isMedia);
  }

  close(): void {
    this.#isOver = true;
    this.#alarm.clear();
    void this.#socket?.close();
  }

  async #start({ host, port }: Hop, isMedia: (at: Endpoint) => boolean): Promise<void> {
    const server = await endpointAt(host, port);
    if (server === undefined) return this.#end('unanswered');
    if (isMedia(server)) return this.#end('not-asked');
    const socket = await openUdp(
      endpointOf(ANY[server.family], 0),
      (payload) => this.#received(payload),
      () => {},
    );
    if (isIoFault(socket)) return this.#end('unanswered');
    this.#server = server;
    this.#socket = socket;
    if (this.#isOver) await socket.close();
    else this.#settle();
  }

  #settle(): void {
    const { address, port } = this.#server ?? { address: new Uint8Array(0), port: 0 };
    for (let step = this.#question.poll(now()); step; step = this.#question.poll(now())) {
      if (step.type === 'silent') this.#end('unanswered');
      else this.#socket?.send(step.octets, 0, step.octets.length, address, 0, port);
    }
    if (!this.#isOver) this.#alarm.set(this.#question.nextTimeout());
  }

  #received(payload: Uint8Array): void {
    const mapped = this.#question.answer(payload, 0, payload.length);
    if (mapped === undefined) return;
    this.mapped = mapped;
    this.#end('passes');
  }

  #end(state: UdpState): void {
    if (this.#isOver) return;
    this.state = state;
    this.close();
    this.#told(this);
  }
}

async function endpointAt(host: string, port: number): Promise<Endpoint | undefined> {
  try {
    const { address } = await lookup(host);
    return endpointOf(address, port);
  } catch {
    return undefined;
  }
}
