/**
 * TEP-C: a tunnel client joined to TCP and to a packet port. Decides nothing; what is done and when,
 * the machine in session/ says.
 *
 *     const server = { host: 'tep.example', port: DEFAULT_PORT, tls: false };
 *     const agent = new ClientAgent({ dial: () => dial(server, DIRECT, 10_000), packets, tunnel });
 *     const answer = await agent.bind(phone);    // `bound`: the address for the SDP
 *     await agent.stop();
 */
import type { Duplex } from 'node:stream';
import { now, turnMs } from '../io/clock.ts';
import { whenBroken } from '../io/dial/broken.ts';
import type { Dial } from '../io/dial/types.ts';
import { isIoFault } from '../io/io-fault.ts';
import { Pump } from '../io/pump.ts';
import { systemRandom } from '../io/random.ts';
import { FlowBook } from '../ops/flow-book.ts';
import type { QualityStatus } from '../ops/flow-quality.ts';
import { TunnelClient } from '../session/client.ts';
import type { ClientMemory } from '../session/client-memory.ts';
import { type ClientTunnelStatus, leastRoundTripMs } from '../session/client-status.ts';
import type { Counters } from '../session/counters.ts';
import type { BindWishes } from '../session/ends.ts';
import type { ClientPolicy } from '../session/options.ts';
import type { ClientOutput, FlowProtocol } from '../session/outputs.ts';
import type { TcpState } from '../session/tcp-state.ts';
import { type Endpoint, formatAddress, formatEndpoint } from '../wire/address.ts';
import { FAULTS } from '../wire/faults.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import type { BindFailed, Bound, ClientAgentOptions, Closed, Opened } from './options.ts';

const STOPPED: Closed = { type: 'closed', why: 'asked', code: 0, reason: 'stopped' };

type BindAnswer = Bound | BindFailed | Closed;

/** An attempt to connect. `isStale`: it was made in another network and is to be made again. */
interface Dialling {
  readonly dial: Dial;
  isStale: boolean;
}

export class ClientAgent {
  readonly #options: ClientAgentOptions;
  readonly #end: TunnelClient;
  readonly #pump: Pump<ClientOutput>;
  readonly #flows = new FlowBook('destination');
  readonly #dials = new Map<number, Dialling>();
  /** The address of this machine that each connection has. */
  readonly #localAddresses = new Map<number, string>();
  /** Who waits for the answer to `open`, and to `bind` by UE address and protocol. */
  #openWaiters: Array<(answer: Opened | Closed) => void> = [];
  readonly #bindWaiters = new Map<string, Array<(answer: BindAnswer) => void>>();

  #isStopped = false;

  constructor(options: ClientAgentOptions) {
    this.#options = options;
    this.#end = new TunnelClient(
      { ...options.tunnel, random: systemRandom },
      {
        packet: (b, start, end, binding, atMs) => {
          this.#flows.packet(b, start, end, binding, atMs);
          options.packets.send(b, start, end);
        },
      },
    );
    this.#pump = new Pump(
      this.#end,
      (output) => this.#obey(output),
      options.packets,
      (conn) => this.#localAddresses.delete(conn),
    );
    options.packets.start(
      (b, at, end) => this.#packet(b, at, end),
      () => this.#pump.settle(),
    );
  }

  get counters(): Counters {
    return this.#end.counters;
  }

  status(): ClientTunnelStatus {
    return this.#end.status();
  }

  /** Of the TCP connection: through a proxy, that is the one with the proxy. */
  tcpState(conn: number): TcpState | undefined {
    return this.#pump.tcpState(conn);
  }

  /** Of the RTP stream that comes for this binding. */
  quality(binding: number, roundTripMs: number | undefined): QualityStatus | undefined {
    return this.#flows.status(binding, roundTripMs, now());
  }

  /** What a successor needs to resume the tunnel: a secret. */
  memory(): ClientMemory | undefined {
    return this.#end.memory();
  }

  /** Before anything else: resumes the tunnel of a predecessor. */
  resume(memory: ClientMemory): void {
    this.#end.resume(memory, now());
    this.#pump.touched();
  }

  configure(policy: ClientPolicy): void {
    this.#end.configure(policy);
  }

  /**
   * Addresses, or routes, of this machine went and came. Connections without an address are given up, and
   * attempts that may hang on one begin anew.
   */
  networkChanged(gone: readonly string[], fresh: readonly string[]): void {
    for (const dialling of this.#dials.values()) {
      dialling.isStale = true;
      dialling.dial.abandon();
    }
    const change = {
      isCutOff: (conn: number) => gone.includes(this.#localAddresses.get(conn) ?? ''),
      isGone: (address: Uint8Array) => gone.includes(textOf(address)),
      isNew: (address: Uint8Array) => fresh.includes(textOf(address)),
    };
    this.#end.networkChanged(change, now());
    this.#pump.touched();
  }

  /** Opens the tunnel: resolves when it is usable, or is known not to become so. */
  open(): Promise<Opened | Closed> {
    if (this.#isStopped) return Promise.resolve(STOPPED);
    return new Promise((resolve) => {
      this.#openWaiters.push(resolve);
      this.#end.open(now());
      this.#pump.touched();
    });
  }

  /** Gets a public address for `ue`, opening the tunnel where needed. */
  bind(ue: Endpoint, wishes: BindWishes = {}): Promise<BindAnswer> {
    if (this.#isStopped) return Promise.resolve(STOPPED);
    return new Promise((resolve) => {
      const key = keyOf(ue, wishes.protocol ?? UDP);
      const waiters = this.#bindWaiters.get(key) ?? [];
      this.#bindWaiters.set(key, [...waiters, resolve]);
      this.#end.bind(ue, wishes, now());
      this.#pump.touched();
    });
  }

  release(ue: Endpoint, protocol: FlowProtocol = UDP): void {
    this.#end.release(ue, protocol, now());
    const answer: BindFailed = { type: 'bind-failed', ue, protocol, code: 0, reason: 'released' };
    this.#answerBind(keyOf(ue, protocol), answer);
    this.#pump.touched();
  }

  /** Ends the tunnel, its connections and the packet port. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#end.close(now());
    for (const conn of this.#dials.keys()) this.#abandon(conn);
    await this.#pump.stop();
    await this.#options.packets.close();
    this.#answerAll(STOPPED);
  }

  #packet(b: Uint8Array, at: number, end: number): void {
    // The first packet of a flow would open the tunnel again.
    if (this.#isStopped) this.#end.counters.drop(FAULTS.NO_TUNNEL);
    else this.#end.packet(b, at, end, turnMs());
    this.#pump.touched();
  }

  #obey(output: ClientOutput): void {
    switch (output.type) {
      case 'connect':
        void this.#connect(output.conn, output.stripe, output.joins);
        break;
      case 'close':
        this.#abandon(output.conn);
        break;
      case 'opened':
        this.#answerOpen(output);
        break;
      case 'bound':
        this.#answerBind(keyOf(output.ue, output.protocol), output);
        break;
      case 'bind-failed':
        this.#endFlows();
        this.#answerBind(keyOf(output.ue, output.protocol), output);
        break;
      case 'released':
        this.#endFlows();
        break;
      case 'closed':
        this.#endFlows();
        this.#answerAll(output);
        break;
    }
    this.#options.observe?.(output);
  }

  /** Those whose binding is not there any more. */
  #endFlows(): void {
    const status = this.#end.status();
    const left = new Set(status.bindings.map(({ number }) => number));
    for (const ended of this.#flows.keep(left, leastRoundTripMs(status.connections))) {
      this.#options.observe?.(ended);
    }
  }

  async #connect(conn: number, stripe: number, joins: boolean): Promise<void> {
    const dialling = { dial: this.#options.dial(conn, stripe, joins), isStale: false };
    this.#dials.set(conn, dialling);
    const stream = await dialling.dial.result;
    this.#dials.delete(conn);
    if (!isIoFault(stream) && !stream.destroyed) {
      this.#attach(conn, stream);
    } else if (dialling.isStale) {
      await this.#connect(conn, stripe, joins);
    } else {
      // Or gone before anybody listened for its close.
      this.#end.disconnected(conn, now());
      if (isIoFault(stream)) {
        this.#options.observe?.({ type: 'connect-failed', conn, fault: stream });
      }
    }
    this.#pump.touched();
  }

  #attach(conn: number, stream: Duplex): void {
    whenBroken(stream, (fault) => {
      this.#options.observe?.({ type: 'connection-broken', conn, fault });
    });
    if ('localAddress' in stream) this.#localAddresses.set(conn, String(stream.localAddress));
    this.#end.connected(conn, now());
    this.#pump.attach(conn, stream);
  }

  #abandon(conn: number): void {
    const dialling = this.#dials.get(conn);
    if (dialling === undefined) return;
    dialling.isStale = false;
    dialling.dial.abandon();
  }

  #answerOpen(answer: Opened | Closed): void {
    const waiters = this.#openWaiters;
    this.#openWaiters = [];
    for (const resolve of waiters) resolve(answer);
  }

  #answerBind(key: string, answer: BindAnswer): void {
    const waiters = this.#bindWaiters.get(key) ?? [];
    this.#bindWaiters.delete(key);
    for (const resolve of waiters) resolve(answer);
  }

  #answerAll(closed: Closed): void {
    this.#answerOpen(closed);
    for (const key of [...this.#bindWaiters.keys()]) this.#answerBind(key, closed);
  }
}

function keyOf(ue: Endpoint, protocol: FlowProtocol): string {
  return `${protocol} ${formatEndpoint(ue)}`;
}

function textOf(address: Uint8Array): string {
  return formatAddress(address, 0, address.length);
}
