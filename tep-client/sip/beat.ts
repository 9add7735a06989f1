/**
 * Keeps a way to the core alive (R-04, R-05; RFC 5626 clause 4.4): pings when it is time, and knows whether a
 * pong is to be expected.
 */
import { Alarm, now } from '../../io/clock.ts';
import { FlowKeepAlive } from '../../sip/flow.ts';

/**
 * Between pings when the core asks for nothing else: proxies and NATs forget idle connections after 30 s and
 * more (RFC 5626 clause 4.4.1 leaves it to configuration).
 */
const KEEP_SECONDS = 25;

export class Beat {
  readonly #keep = new FlowKeepAlive(KEEP_SECONDS, Math.random, now());
  readonly #alarm = new Alarm(() => this.#ring());
  readonly #send: () => void;
  readonly #failed: () => void;
  /** A core that has never answered a ping may not know them: nothing follows from its silence. */
  #answers = false;

  constructor(send: () => void, failed: () => void) {
    this.#send = send;
    this.#failed = failed;
    this.#alarm.set(this.#keep.nextTimeout());
  }

  /** The core has consented to keep the flow alive, so that it knows pings. */
  expect(): void {
    this.#answers = true;
  }

  bound(seconds: number | undefined): void {
    this.#keep.setBound(seconds === undefined || seconds === 0 ? KEEP_SECONDS : seconds, now());
    this.#alarm.set(this.#keep.nextTimeout());
  }

  pong(): void {
    this.#answers = true;
    this.#keep.pong();
  }

  close(): void {
    this.#alarm.clear();
  }

  #ring(): void {
    const due = this.#keep.timeout(now());
    if (due === 'failed') {
      this.#failed();
      return;
    }
    if (due === 'ping') this.#send();
    if (!this.#answers) this.#keep.pong();
    this.#alarm.set(this.#keep.nextTimeout());
  }
}
