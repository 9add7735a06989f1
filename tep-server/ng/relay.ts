/**
 * TEP-S between SIP proxies and their media gateway (TR 33.830 8.6; M-03, M-10): passes the ng protocol
 * on, marks descriptions for UEs that can use the tunnel, and opens the ways that their calls need.
 */
import type { NgAddress } from '../../config/address-kinds.ts';
import { now } from '../../io/clock.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import type { NgStatus } from '../../ops/status.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { prefixContains } from '../../wire/prefix.ts';
import type { ServerSettings } from '../settings.ts';
import type { Ways } from './call.ts';
import { type CallEnd, Calls } from './calls.ts';
import type { End } from './description.ts';
import type { Door, DoorParts } from './door.ts';
import { NgCounts } from './faults.ts';
import { HttpDoor } from './http-door.ts';
import { Interpreter, type MarkRules } from './interpreter.ts';
import { Survey } from './survey.ts';
import { TcpDoor } from './tcp-door.ts';
import { UdpDoor } from './udp-door.ts';
import type { IsBound } from './unbound-ways.ts';

export type NgEvent =
  | { readonly type: 'call-opened'; readonly callId: string; readonly ways: number }
  | { readonly type: 'call-closed'; readonly callId: string; readonly why: CallEnd }
  | { readonly type: 'gateway-answers'; readonly yes: boolean }
  | { readonly type: 'calls-remembered'; readonly calls: number; readonly ways: number };

export interface NgRelayParts {
  readonly settings: ServerSettings;
  /** The ways of a call from now on; how many of them could not be opened, where that is known at once. */
  readonly ways: (callId: string, ways: Ways) => number;
  readonly isBound: IsBound;
  readonly observe: (event: NgEvent) => void;
}

const DOORS: Readonly<
  Record<NgAddress['transport'], (parts: DoorParts) => Promise<Door | IoFault>>
> = {
  udp: (parts) => UdpDoor.open(parts),
  tcp: (parts) => TcpDoor.open(parts),
  http: (parts) => HttpDoor.open(parts),
};

export class NgRelay {
  readonly #parts: NgRelayParts;
  readonly #counts = new NgCounts();
  readonly #calls: Calls;
  readonly #interpreter: Interpreter;
  readonly #doors: { readonly transport: string; readonly door: Door }[] = [];
  #survey: Survey | undefined;
  #answers: boolean | undefined;
  /** Calls with ways that could not be opened, as they are now: several workers may say so. */
  readonly #refused = new Set<string>();

  private constructor(parts: NgRelayParts, rules: MarkRules) {
    this.#parts = parts;
    this.#calls = new Calls(
      {
        ways: (callId, ways) => {
          this.#refused.delete(callId);
          if (parts.ways(callId, ways) > 0) this.refused(callId);
        },
        opened: (callId, ways) => parts.observe({ type: 'call-opened', callId, ways }),
        crowdedOut: () => this.#counts.fault('call-crowded-out'),
        ended: (callId, why) => parts.observe({ type: 'call-closed', callId, why }),
      },
      parts.isBound,
    );
    this.#interpreter = new Interpreter(this.#calls, this.#counts, rules);
  }

  /** Undefined where the settings want none. */
  static async start(parts: NgRelayParts): Promise<NgRelay | IoFault | undefined> {
    const rules = rulesOf(parts.settings);
    const [first] = parts.settings['ng.rtpengine'];
    if (rules === undefined || first === undefined) return undefined;
    const relay = new NgRelay(parts, rules);
    const fault = await relay.#listen();
    if (fault === undefined) {
      relay.#ask(first);
      return relay;
    }
    await relay.stop();
    return fault;
  }

  status(): NgStatus {
    return {
      listening: this.#doors.map((one) => `${one.transport}://${formatEndpoint(one.door.local)}`),
      gatewayAnswers: this.#answers,
      peers: this.#doors.reduce((sum, { door }) => sum + door.peers, 0),
      calls: this.#calls.size,
      pinholes: this.#calls.ways,
      commands: Object.fromEntries(this.#counts.commands),
      faults: Object.fromEntries(this.#counts.faults),
    };
  }

  /** The ways that are open, for a worker that was not there when they were opened. */
  open(): Iterable<readonly [callId: string, ways: Ways]> {
    return this.#calls.open();
  }

  /** Ways of this call could not be opened. A worker may say so when they are closed already. */
  refused(callId: string): void {
    if (this.#refused.has(callId) || !this.#calls.isOpen(callId)) return;
    this.#refused.add(callId);
    this.#counts.fault('pinhole-refused');
  }

  renew(settings: ServerSettings): void {
    const rules = rulesOf(settings);
    if (rules !== undefined) this.#interpreter.renew(rules);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#survey?.stop(), ...this.#doors.map(({ door }) => door.close())]);
  }

  async #listen(): Promise<IoFault | undefined> {
    const { settings } = this.#parts;
    for (const { transport, at } of settings['ng.listen']) {
      const gateway = settings['ng.rtpengine'].find((one) => one.transport === transport);
      if (gateway === undefined) throw new RangeError(`no gateway for ${transport}`);
      const door = await DOORS[transport]({
        listen: at,
        gateway: gateway.at,
        command: (peer, octets) => this.#interpreter.command(peer, octets, now()),
        answer: (peer, octets) => this.#interpreter.answer(peer, octets, now()),
        fault: (reason) => this.#counts.fault(reason),
      });
      if (isIoFault(door)) return door;
      this.#doors.push({ transport, door });
    }
    return undefined;
  }

  #ask(gateway: NgAddress): void {
    const { settings, observe } = this.#parts;
    this.#survey = new Survey({
      gateway,
      calls: this.#calls,
      isOurs: (address) => {
        return settings['addresses.public'].some((prefix) => {
          return prefixContains(prefix, address, 0, address.length);
        });
      },
      answers: (yes) => {
        if (yes !== this.#answers) observe({ type: 'gateway-answers', yes });
        this.#answers = yes;
      },
      remembered: (calls) => {
        observe({ type: 'calls-remembered', calls, ways: this.#calls.ways });
      },
    });
  }
}

function rulesOf(settings: ServerSettings): MarkRules | undefined {
  const advertised = settings['ng.advertise'];
  if (settings['ng.listen'].length === 0 || advertised === undefined) return undefined;
  const { transport, at } = advertised;
  const mark = { port: at.port, transport, address: { family: at.family, address: at.address } };
  const rules = settings['media.allow'];
  const reaches = ({ at: { address, port }, protocol }: End) =>
    rules.some(({ prefix, ports, protocol: only = protocol }) => {
      const isPort = ports.first <= port && port <= ports.last;
      return only === protocol && isPort && prefixContains(prefix, address, 0, address.length);
    });
  return { mark, offersTowards: settings['ng.mark-offers'], reaches };
}
