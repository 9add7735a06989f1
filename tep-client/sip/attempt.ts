/** One way to the core, from the attempt to have it to its end. Once closed it tells nothing more. */
import type { Dial } from '../../io/dial/types.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import type { Message } from '../../sip/message.ts';
import { DatagramWay } from './datagram-way.ts';
import type { Rung } from './rungs.ts';
import { StreamWay } from './stream-way.ts';
import type { Way, WayEvents } from './way.ts';

export interface AttemptEvents {
  opened(attempt: Attempt): void;
  /** Something came back by it. */
  answers(attempt: Attempt): void;
  message(message: Message): void;
  bad(): void;
  refused(): void;
  failed(attempt: Attempt, fault: IoFault): void;
}

export interface AttemptParts {
  readonly dial: (rung: Rung) => Dial;
  /** Resolves when the connection itself is sure not to enter the tunnel. */
  readonly allow: (rung: Rung) => Promise<void>;
}

export class Attempt {
  readonly rung: Rung;
  /** When it is given up for its silence. */
  deadAtMs = Number.POSITIVE_INFINITY;
  readonly #parts: AttemptParts;
  readonly #events: AttemptEvents;
  #way: Way | undefined;
  #dial: Dial | undefined;
  #isOver = false;

  constructor(rung: Rung, parts: AttemptParts, events: AttemptEvents) {
    this.rung = rung;
    this.#parts = parts;
    this.#events = events;
    void this.#open();
  }

  /** Undefined as long as it is not open. */
  get way(): Way | undefined {
    return this.#way;
  }

  close(): void {
    this.#isOver = true;
    this.#way?.close();
    this.#way = undefined;
    this.#dial?.abandon();
    this.#dial = undefined;
  }

  async #open(): Promise<void> {
    await this.#parts.allow(this.rung);
    if (this.#isOver) return;
    const way = await this.#connect();
    this.#dial = undefined;
    if (this.#isOver) {
      if (!isIoFault(way)) way.close();
    } else if (isIoFault(way)) {
      this.#events.failed(this, way);
    } else {
      this.#way = way;
      this.#events.opened(this);
    }
  }

  async #connect(): Promise<Way | IoFault> {
    const { transport, host, port } = this.rung.server;
    const events = this.#wayEvents();
    if (transport === 'udp') {
      return DatagramWay.open(host, port, events, (address) => {
        const server = { transport: 'tcp', host: address, port } as const;
        return this.#parts.dial({ server, byProxy: false });
      });
    }
    this.#dial = this.#parts.dial(this.rung);
    const stream = await this.#dial.result;
    return isIoFault(stream) ? stream : new StreamWay(stream, events);
  }

  #wayEvents(): WayEvents {
    const events = this.#events;
    const unlessOver = (act: () => void) => {
      if (!this.#isOver) act();
    };
    return {
      message: (message) =>
        unlessOver(() => {
          events.answers(this);
          events.message(message);
        }),
      alive: () => unlessOver(() => events.answers(this)),
      bad: () => unlessOver(() => events.bad()),
      refused: () => unlessOver(() => events.refused()),
      gone: (fault) => unlessOver(() => events.failed(this, fault)),
    };
  }
}
