/**
 * The SIP sidecar as part of the agent: joins the machine in sip/sidecar/ to phones, core, tunnel and packet
 * port. Decides nothing that the machine or the ladder could.
 */
import { Alarm, CLOCK, now } from '../../io/clock.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import type { SipStatus } from '../../ops/status.ts';
import type { Message } from '../../sip/message.ts';
import type { MediaPolicy } from '../../sip/sidecar/call-media.ts';
import { bindKey } from '../../sip/sidecar/media-needs.ts';
import type { Asks, SidecarOutput } from '../../sip/sidecar/outputs.ts';
import type { Peer } from '../../sip/sidecar/phones.ts';
import { Sidecar } from '../../sip/sidecar/sidecar.ts';
import { type Endpoint, formatAddress, formatEndpoint } from '../../wire/address.ts';
import type { ClientAgent } from '../agent.ts';
import type { ClientEvent } from '../options.ts';
import type { ClientSettings } from '../settings.ts';
import type { Transport } from '../transport.ts';
import type { Hop } from '../tunnel-exceptions.ts';
import { CoreSide } from './core-side.ts';
import type { SipEvent } from './log-events.ts';
import { MediaResources, type StandInPlace } from './media.ts';
import { PhoneSide } from './phone-side.ts';
import { type Rung, rungName, sipTransport, targetOf } from './rungs.ts';

const KEY_LEN = 32;
const NAME_LEN = 6;

export interface SipServiceOptions {
  readonly listen: readonly Endpoint[];
  readonly rungs: readonly Rung[];
  readonly mostRegisteredMs: number;
  readonly policy: () => MediaPolicy;
  readonly transport: Transport;
  /** Resolves when a connection to there is sure not to enter the tunnel. */
  readonly allow: (hop: Hop) => Promise<void>;
  readonly agent: Pick<ClientAgent, 'bind' | 'release' | 'status'>;
  readonly sockets: Omit<StandInPlace, 'at'> | undefined;
  readonly isStatic: (ue: Endpoint, protocol: number) => boolean;
  readonly tell: (event: SipEvent) => void;
}

export class SipService {
  readonly #options: SipServiceOptions;
  readonly #phones: PhoneSide;
  readonly #sidecar: Sidecar;
  readonly #core: CoreSide;
  readonly #media: MediaResources;
  readonly #alarm = new Alarm(() => this.#ring());
  /** Connections of phones that registered by the way that there is. */
  readonly #registered = new Set<number>();
  #transport: Transport;
  #lastFault: string | undefined;

  private constructor(options: SipServiceOptions, phones: PhoneSide) {
    this.#options = options;
    this.#transport = options.transport;
    this.#phones = phones;
    const { locals } = phones;
    this.#sidecar = new Sidecar({
      locals: locals.flatMap((local) => [sentBy('UDP', local), sentBy('TCP', local)]),
      name: `tep-${Buffer.from(systemRandom(NAME_LEN)).toString('hex')}.invalid`,
      key: systemRandom(KEY_LEN),
      policy: options.policy,
      sentMs: () => this.#sentMs(),
      mostRegisteredMs: options.mostRegisteredMs,
    });
    this.#media = new MediaResources({
      agent: options.agent,
      place: options.sockets && { ...options.sockets, at: locals },
      isStatic: options.isStatic,
      settled: (key, mapped) => {
        this.#sidecar.settled(key, mapped, now());
        this.#obey();
      },
    });
    this.#core = this.#openCore();
    phones.start({
      message: (message, peer) => this.#fromPhone(message, peer),
      dropped: (reason) => this.#sidecar.count(reason),
      left: (conn) => {
        this.#registered.delete(conn);
        this.#sidecar.forgetPhone(conn);
      },
      isNeeded: (conn) => this.#sidecar.needsPhone(conn, now()),
    });
    options.tell({ type: 'listening', at: locals.map(formatEndpoint) });
  }

  static async start(options: SipServiceOptions): Promise<SipService | IoFault> {
    const phones = await PhoneSide.open(options.listen);
    return isIoFault(phones) ? phones : new SipService(options, phones);
  }

  /** Certificates and proxy of connections from now on; a fault changed nothing. */
  reload(settings: ClientSettings): IoFault | undefined {
    const transport = sipTransport(settings);
    if (isIoFault(transport)) return transport;
    this.#transport = transport;
    return undefined;
  }

  /** What happens to the tunnel and its bindings. */
  observe(event: ClientEvent): void {
    this.#media.observe(event);
  }

  networkChanged(gone: readonly string[]): void {
    this.#core.networkChanged(gone);
  }

  status(): SipStatus {
    const { state, sinceMs, rung } = this.#core;
    const at = now();
    return {
      listening: this.#phones.locals.map(formatEndpoint),
      core: {
        by: rungName(rung),
        state,
        sinceMs: Math.round(sinceMs),
        ...(this.#lastFault === undefined ? {} : { lastFault: this.#lastFault }),
      },
      registrations: this.#sidecar.registrations(at).map(({ aor, contact, expiresAtMs }) => {
        return { aor, contact, expiresMs: Math.round(expiresAtMs) };
      }),
      calls: this.#sidecar.calls,
      drops: Object.fromEntries(this.#sidecar.drops),
    };
  }

  /** New calls are refused from now on. */
  drain(): void {
    this.#sidecar.drain();
  }

  get calls(): number {
    return this.#sidecar.calls.all;
  }

  async stop(): Promise<void> {
    this.#alarm.clear();
    this.#core.close();
    await this.#phones.close();
  }

  #openCore(): CoreSide {
    const { rungs, allow, tell } = this.#options;
    const sidecar = this.#sidecar;
    return new CoreSide({
      rungs,
      clock: CLOCK,
      dial: ({ server, byProxy }) => {
        return this.#transport.dial(targetOf(server), byProxy ? 'as-set' : 'direct');
      },
      allow: ({ server, byProxy }) => {
        return allow(byProxy ? this.#transport.firstHop(targetOf(server)) : server);
      },
      events: {
        message: (message) => {
          sidecar.fromCore(message, now());
          this.#obey();
        },
        bad: () => sidecar.count('bad-octets'),
        refused: () => sidecar.count('slow-reader'),
        opened: (_, isAgain) => {
          sidecar.setCore(this.#core.transport);
          if (isAgain) this.#registerAgain();
        },
        proven: (rung) => {
          sidecar.setCore(this.#core.transport);
          tell({ type: 'proven', rung });
        },
        lost: (rung, fault) => {
          this.#lastFault = fault.text;
          tell({ type: 'lost', rung, fault });
        },
        again: ({ request, peer }) => this.#fromPhone(request, peer),
        unreachable: (held) => this.#unreachable(held),
      },
    });
  }

  #fromPhone(message: Message, peer: Peer): void {
    if (message.type === 'request' && !this.#core.isOpen) {
      this.#hold({ request: message, peer });
      this.#obey();
      return;
    }
    this.#sidecar.fromPhone(message, peer, now());
    this.#obey();
  }

  /** For the next way; phones by TCP would not ask again by themselves. */
  #hold(asks: Asks): void {
    if (!this.#core.hold(asks)) this.#sidecar.undeliverable(asks, now());
  }

  #unreachable(held: readonly Asks[]): void {
    this.#options.tell({ type: 'unreachable' });
    for (const asks of held) this.#sidecar.undeliverable(asks, now());
    this.#obey();
  }

  /** What the registrar knows leads to a connection that is gone. */
  #registerAgain(): void {
    const count = this.#sidecar.registrations(now()).length;
    if (count > 0) this.#options.tell({ type: 'register-again', count });
    for (const conn of this.#registered) this.#phones.end(conn);
    this.#registered.clear();
  }

  /** When the phone sent last from what is bound, by the key of the need. */
  #sentMs(): ReadonlyMap<string, number> {
    const { bindings } = this.#options.agent.status();
    return new Map(bindings.map(({ ue, protocol, sentMs }) => [bindKey(ue, protocol), sentMs]));
  }

  #obey(): void {
    const sidecar = this.#sidecar;
    for (let one = sidecar.poll(); one !== undefined; one = sidecar.poll()) this.#act(one);
    this.#alarm.set(sidecar.nextTimeout());
  }

  #act(output: SidecarOutput): void {
    switch (output.type) {
      case 'to-core':
        this.#toCore(output.octets, output.asks);
        break;
      case 'to-phone':
        if (!this.#phones.send(output.octets, output.peer)) this.#sidecar.count('no-phone');
        break;
      case 'need':
        this.#media.get(output.need);
        break;
      case 'unneeded':
        this.#media.giveBack(output.need);
        break;
      case 'ends':
        this.#media.know(output.ends);
        break;
      case 'keep':
        this.#core.keep(output.seconds);
        break;
      case 'registered':
      case 'unregistered':
        this.#options.tell(output);
        this.#noteRegistered(output.peer, output.type === 'registered');
        break;
      default:
        this.#options.tell(output);
    }
  }

  #toCore(octets: Uint8Array, asks: Asks | undefined): void {
    if (this.#core.send(octets, asks)) return;
    // The way broke while the message waited for its addresses.
    if (asks === undefined) this.#sidecar.count('no-core');
    else this.#hold(asks);
  }

  #noteRegistered(peer: Peer | undefined, isRegistered: boolean): void {
    if (peer?.transport !== 'TCP') return;
    if (isRegistered) this.#registered.add(peer.conn);
    else this.#registered.delete(peer.conn);
  }

  #ring(): void {
    this.#sidecar.timeout(now());
    this.#obey();
  }
}

function sentBy(transport: 'UDP' | 'TCP', { address, port }: Endpoint) {
  return { transport, host: formatAddress(address, 0, address.length), port };
}
