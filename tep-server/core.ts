/**
 * One process's whole TEP-S, made from settings: users, policy, limits, front door, packet port and
 * tunnels. Where its connections come from is its owner's business: from listeners of its own, or from
 * the process that has them (workers/).
 */
import type { Socket } from 'node:net';
import type { AgentDeps } from '../config/running.ts';
import { deadlinesOf } from '../config/shared-keys.ts';
import { now } from '../io/clock.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { type NetworkWatch, watchNetwork } from '../io/network-watch.ts';
import { systemRandom } from '../io/random.ts';
import type { ServerStatus } from '../ops/status.ts';
import { version } from '../ops/version.ts';
import type { FlowProtocol } from '../session/outputs.ts';
import { Policy, type PolicyRule } from '../session/policy.ts';
import { SessionUsers } from '../session/session-users.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { ServerAgent } from './agent.ts';
import { addressesOf, doorOf, limitsOf } from './applied-settings.ts';
import { makeAuth, ServerAuth } from './auth.ts';
import { Drain } from './drain.ts';
import type { ListenAt } from './listeners.ts';
import { logServerEvent } from './log-events.ts';
import type { Ways } from './ng/call.ts';
import type { AgentPlacement, ServerEvent } from './options.ts';
import { ownRules } from './own-addresses.ts';
import { openPackets, type ServerPort } from './packets.ts';
import type { ServerSettings } from './settings.ts';
import { serverStatus } from './status.ts';

const SEED_LEN = 8;
/** Two for each stream of a call and end: 8,192 calls of two phones with tunnels. */
const MAX_PINHOLES = 65_536;

/** What all workers of a server share, so that a client need not know which of them it speaks to. */
export interface Secrets {
  readonly nonceSecret: Uint8Array;
  readonly ticketKeys: Buffer;
}

export interface CoreParts extends AgentDeps {
  readonly settings: ServerSettings;
  readonly secrets: Secrets;
  readonly listen: readonly ListenAt[];
  readonly placement?: AgentPlacement;
  /** Where no packet of a tunnel may go, besides the listeners. */
  readonly own?: readonly PolicyRule[];
  /** Told of each public address that a call gets, or gives back. */
  readonly publicAddress?: (address: Endpoint, protocol: FlowProtocol, isBound: boolean) => void;
}

interface Made {
  readonly agent: ServerAgent;
  readonly auth: ServerAuth | undefined;
  /** Users by the calls that are there. */
  readonly sessions: SessionUsers | undefined;
  readonly policy: Policy;
  readonly port: ServerPort;
}

export class ServerCore {
  readonly #parts: CoreParts;
  readonly #made: Made;
  readonly #startedMs = now();
  readonly #drain: Drain;
  #settings: ServerSettings;
  #listening: readonly Endpoint[] = [];
  #watch: NetworkWatch | undefined;

  private constructor(parts: CoreParts, made: Made, drain: Drain) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#made = made;
    this.#drain = drain;
  }

  /** Everything but its listeners is there when it resolves; or nothing, and why not. */
  static async make(parts: CoreParts): Promise<ServerCore | IoFault> {
    const { settings, secrets, listen, placement, publicAddress, log, failed } = parts;
    const auth = makeAuth(settings, secrets.nonceSecret);
    if ('type' in auth) return auth;
    const door = doorOf(settings, secrets.ticketKeys);
    if (isIoFault(door)) return door;
    const port = await openPackets(settings, failed);
    if (isIoFault(port)) return port;
    const rules = settings['media.allow'];
    const policy = new Policy({ rules, maxPinholes: MAX_PINHOLES, seed: systemRandom(SEED_LEN) });
    const drain = new Drain(() => agent.tunnels.tunnels().length);
    const observe = (event: ServerEvent) => {
      logServerEvent(log, event);
      if (event.type === 'bound' || event.type === 'released') {
        publicAddress?.(event.address, event.protocol, event.type === 'bound');
      }
      if (event.type === 'tunnel-closed') drain.look();
    };
    const agent = new ServerAgent({
      listen,
      ...(placement && { placement }),
      stunUdp: settings['stun-udp'],
      congestion: settings['transport.congestion'],
      door,
      packets: port,
      observe,
      tunnel: {
        ...{ auth, policy, addresses: addressesOf(settings), ...limitsOf(settings) },
        ...(settings.ports && { ports: settings.ports }),
        media: { deadlinesMs: deadlinesOf(settings) },
      },
    });
    const made = {
      ...{ agent, policy, port },
      auth: auth instanceof ServerAuth ? auth : undefined,
      sessions: 'users' in auth && auth.users instanceof SessionUsers ? auth.users : undefined,
    };
    return new ServerCore(parts, made, drain);
  }

  async listen(): Promise<readonly Endpoint[] | IoFault> {
    const listening = await this.#made.agent.start();
    if (!isIoFault(listening)) this.reachableAt(listening);
    return listening;
  }

  /** Where clients connect to: no packet of a tunnel may go there. */
  reachableAt(listening: readonly Endpoint[]): void {
    this.#listening = listening;
    this.#setOwn();
    // A listener for all addresses is at those too that the host gets later.
    this.#watch ??= watchNetwork(() => {
      this.#setOwn();
      this.#parts.log.debug('addresses of this host read again');
    });
  }

  /** Another process has given this address to a call, or has it back: no packet of a tunnel may go there. */
  setForeign(address: Endpoint, protocol: FlowProtocol, isBound: boolean): void {
    this.#made.policy.setForeign(address, protocol, isBound);
  }

  enter(socket: Socket, peer: Endpoint): void {
    this.#made.agent.enter(socket, peer);
  }

  /** The ways that a call needs through this TEP-S; how many of them cannot be opened. */
  setWays(call: string, { pinholes, users }: Ways): number {
    this.#made.sessions?.replace(call, users);
    return this.#made.policy.setPinholes(call, pinholes);
  }

  /** A connection that another process has let in already. */
  takeOver(socket: Socket, peer: Endpoint | undefined): void {
    this.#made.agent.takeOver(socket, peer);
  }

  status(): ServerStatus {
    const { agent, port } = this.#made;
    return serverStatus({
      agent,
      portKind: this.#settings['packets.port'],
      port: port.counters,
      common: {
        version: VERSION,
        pid: process.pid,
        startedMs: this.#startedMs,
        nowMs: now(),
        listening: this.#listening.map(formatEndpoint),
        draining: this.#drain.isOn,
        workers: this.#settings.workers,
      },
    });
  }

  /** All of it or, with a fault, nothing. Running tunnels notice no more than other limits. */
  reload(settings: ServerSettings): IoFault | undefined {
    const { agent, auth, policy } = this.#made;
    const door = doorOf(settings, this.#parts.secrets.ticketKeys);
    if (isIoFault(door)) return door;
    const fault = auth?.renew(settings);
    if (fault !== undefined) return fault;
    agent.renewDoor(door);
    agent.tunnels.limit(limitsOf(settings));
    policy.setRules(settings['media.allow']);
    this.#settings = settings;
    return undefined;
  }

  /** Takes nothing new; resolves when the last tunnel has ended, or the time for it is over. */
  drain(): Promise<void> {
    // A connection that is there already, but not authenticated, would still open a tunnel.
    this.#made.agent.tunnels.drain();
    // It resolves when the last connection has ended.
    void this.#made.agent.stopListening();
    return this.#drain.begin(this.#settings.drain);
  }

  async stop(): Promise<void> {
    this.#watch?.close();
    this.#drain.end();
    await this.#made.agent.stop();
  }

  #setOwn(): void {
    const controls = [...this.#settings['ng.listen'], ...this.#settings['ng.rtpengine']];
    this.#made.policy.setOwn([
      ...ownRules([...this.#listening, ...controls.map(({ at }) => at)]),
      ...(this.#parts.own ?? []),
    ]);
  }
}

const VERSION = version();
