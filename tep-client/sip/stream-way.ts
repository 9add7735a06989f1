/**
 * A way to the core by TCP or TLS. Cuts what comes into messages.
 *
 * Memory: 2 × MAX_MESSAGE_LEN received, MAX_UNSENT to be sent.
 */
import type { Duplex } from 'node:stream';
import { whenBroken } from '../../io/dial/broken.ts';
import type { IoFault } from '../../io/io-fault.ts';
import { PING, SipStream } from '../../sip/stream.ts';
import { faultName } from '../../wire/faults.ts';
import { Beat } from './beat.ts';
import type { Way, WayEvents } from './way.ts';

const MAX_UNSENT = 1024 * 1024;

export class StreamWay implements Way {
  readonly localAddress: string | undefined;
  readonly #stream: Duplex;
  readonly #events: WayEvents;
  readonly #input = new SipStream('pongs');
  readonly #beat = new Beat(
    () => this.send(PING),
    () => this.#end({ type: 'io-fault', code: 'ETIMEDOUT', text: 'no answer to keep-alives' }),
  );
  #isOver = false;

  constructor(stream: Duplex, events: WayEvents) {
    this.#stream = stream;
    this.#events = events;
    if ('localAddress' in stream) this.localAddress = String(stream.localAddress);
    let why: IoFault = {
      type: 'io-fault',
      code: 'ECONNRESET',
      text: 'the core ended the connection',
    };
    whenBroken(stream, (fault) => {
      why = fault;
    });
    stream.on('data', (chunk: Uint8Array) => this.#received(chunk));
    stream.once('end', () => this.#end(why));
    stream.on('error', () => {});
    stream.once('close', () => this.#end(why));
    stream.resume();
  }

  send(octets: Uint8Array): void {
    if (this.#stream.writableLength > MAX_UNSENT) this.#events.refused();
    else this.#stream.write(octets);
  }

  keep(seconds: number | undefined): void {
    if (seconds !== undefined) this.#beat.expect();
    this.#beat.bound(seconds);
  }

  close(): void {
    this.#isOver = true;
    this.#beat.close();
    this.#stream.destroy();
  }

  #received(chunk: Uint8Array): void {
    if (this.#isOver) return;
    const input = this.#input;
    input.append(chunk, 0, chunk.length);
    for (let event = input.next(); event !== undefined && !this.#isOver; event = input.next()) {
      if (event.type === 'message') this.#events.message(event.message);
      else this.#pong();
    }
    if (input.fault === 0 || this.#isOver) return;
    this.#events.bad();
    const text = `the core sends what is no SIP (${faultName(input.fault)})`;
    this.#end({ type: 'io-fault', code: 'EPROTO', text });
  }

  #pong(): void {
    this.#beat.pong();
    this.#events.alive();
  }

  #end(fault: IoFault): void {
    if (this.#isOver) return;
    this.close();
    this.#events.gone(fault);
  }
}
