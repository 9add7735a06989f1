/**
 * TEP-S: a tunnel server joined to TCP, TLS and a packet port. Decides nothing; who may enter, the front
 * door says, what is done and when, the machine in session/.
 *
 *     const agent = new ServerAgent({ listen: [at], packets, tunnel });
 *     const listening = await agent.start();     // the addresses, or why not
 *     await agent.stop();
 */
import type { Socket } from 'node:net';
import { now, turnMs } from '../io/clock.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { Pump } from '../io/pump.ts';
import { systemRandom } from '../io/random.ts';
import { FlowBook } from '../ops/flow-book.ts';
import type { QualityStatus } from '../ops/flow-quality.ts';
import type { Counters } from '../session/counters.ts';
import type { ServerEnd } from '../session/ends.ts';
import type { FlowProtocol, ServerOutput } from '../session/outputs.ts';
import { TunnelServer } from '../session/server.ts';
import type { TcpState } from '../session/tcp-state.ts';
import type { Endpoint } from '../wire/address.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import { FrontDoor } from './front-door.ts';
import { Listeners } from './listeners.ts';
import { DEFAULT_DOOR, type ServerAgentOptions } from './options.ts';
import type { DoorOptions, Guest } from './visit.ts';

type ListenEnd = Extract<ServerOutput, { type: 'listen-end' }>;

export class ServerAgent {
  readonly door: FrontDoor;
  readonly #options: ServerAgentOptions;
  readonly #end: TunnelServer;
  readonly #pump: Pump<ServerOutput>;
  #listeners: Listeners | undefined;
  /** Who is in, by connection. */
  readonly #guests = new Map<number, Guest>();
  readonly #flows = new FlowBook('source');
  /** Of each tunnel the connection that came last. */
  readonly #newest = new Map<number, number>();
  /** Connection numbers that are free again, and the first never used. */
  readonly #freeConns: number[] = [];
  #nextConn = 0;

  constructor(options: ServerAgentOptions) {
    this.#options = options;
    this.door = new FrontDoor(
      { ...DEFAULT_DOOR, ...options.door },
      {
        admit: (guest) => this.#admit(guest),
        turnedAway: (peer, reason) => options.observe?.({ type: 'turned-away', peer, reason }),
      },
    );
    this.#end = new TunnelServer(
      {
        ...options.tunnel,
        random: systemRandom,
        opensAddresses:
          'capture' in options.packets && options.tunnel.addresses.mode === 'reflexive',
        ...(options.placement && {
          placement: {
            ...options.placement,
            handOver: (conn, to, octets) => this.#handOver(conn, to, octets),
          },
        }),
      },
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
      (conn) => this.#gone(conn),
    );
    options.packets.start(
      (b, at, end) => {
        this.#end.packet(b, at, end, turnMs());
        this.#pump.touched();
      },
      () => this.#pump.settle(),
    );
  }

  get counters(): Counters {
    return this.#end.counters;
  }

  /** What may be asked of the tunnels and told to them while they run. */
  get tunnels(): Pick<ServerEnd, 'tunnels' | 'limit' | 'drain'> {
    return this.#end;
  }

  /** Answers by UDP that the system refused to send. */
  get unsentAnswers(): number {
    return this.#listeners?.unsentAnswers ?? 0;
  }

  /** Of the TCP connection: behind a proxy, that is the one with the proxy. */
  tcpState(conn: number): TcpState | undefined {
    return this.#pump.tcpState(conn);
  }

  /** Of the RTP stream that goes from this public port to the core. */
  quality(binding: number, roundTripMs: number | undefined): QualityStatus | undefined {
    return this.#flows.status(binding, roundTripMs, now());
  }

  /** Starts listening; gives the addresses that clients connect to. */
  async start(): Promise<readonly Endpoint[] | IoFault> {
    const { listen, stunUdp = false, congestion } = this.#options;
    const listeners = await Listeners.open({
      at: listen,
      stunUdp,
      congestion,
      accept: (socket, peer) => this.enter(socket, peer),
      datagram: (payload, from) => this.#end.datagram(payload, 0, payload.length, from),
    });
    if (isIoFault(listeners)) return listeners;
    this.#listeners = listeners;
    return listeners.local;
  }

  /** A connection from `peer` that somebody else has accepted. */
  enter(socket: Socket, peer: Endpoint): void {
    this.door.enter(socket, peer);
  }

  /** A connection that another process has let in already (front-door.ts). */
  takeOver(socket: Socket, peer: Endpoint | undefined): void {
    this.door.takeOver(socket, peer);
  }

  /** Who may enter from now on. */
  renewDoor(door: Partial<DoorOptions>): void {
    this.door.renew({ ...DEFAULT_DOOR, ...door });
  }

  /** No new connections. Tunnels go on over those that there are; resolves when the last is gone. */
  async stopListening(): Promise<void> {
    await this.#listeners?.close();
  }

  /** Ends all tunnels, their connections and the packet port. */
  async stop(): Promise<void> {
    const closed = this.stopListening();
    this.door.close();
    this.#end.stop(now());
    await this.#pump.stop();
    await closed;
    await this.#options.packets.close();
  }

  #admit(guest: Guest): void {
    const { stream, peer, dueMs } = guest;
    const conn = this.#freeConns.pop() ?? this.#nextConn++;
    this.#guests.set(conn, guest);
    this.#end.accepted(conn, peer, now(), dueMs);
    this.#pump.attach(conn, stream);
  }

  #handOver(conn: number, to: number, octets: Uint8Array): void {
    const guest = this.#guests.get(conn);
    if (guest === undefined) return;
    guest.place.authenticated();
    this.#pump.detach(conn);
    this.#options.placement?.handOver(guest, to, octets);
  }

  #gone(conn: number): void {
    this.#guests.delete(conn);
    this.#freeConns.push(conn);
  }

  #obey(output: ServerOutput): void {
    switch (output.type) {
      case 'connection-state':
        if (output.to === 'ready') this.#guests.get(output.conn)?.place.authenticated();
        break;
      case 'listen':
        void this.#listen(output.id, output.address, output.protocol);
        break;
      case 'listen-end':
        void this.#release(output);
        break;
      case 'tunnel-opened':
      case 'tunnel-joined':
        this.#newest.set(output.tunnel, output.conn);
        break;
      case 'tunnel-closed':
        this.#newest.delete(output.tunnel);
        break;
      case 'released':
        this.#flowEnds(output);
        break;
    }
    this.#options.observe?.(output);
  }

  #flowEnds({ tunnel, binding }: Extract<ServerOutput, { type: 'released' }>): void {
    const conn = this.#newest.get(tunnel);
    const tcp = conn === undefined ? undefined : this.tcpState(conn);
    const ended = this.#flows.end(binding, tcp?.rttMs);
    if (ended !== undefined) this.#options.observe?.(ended);
  }

  async #listen(id: number, address: Endpoint, protocol: FlowProtocol): Promise<void> {
    const opened = await this.#open(id, address, protocol);
    if (isIoFault(opened)) {
      this.#end.listenFailed(id, now());
      this.#options.observe?.({ type: 'listen-failed', id, fault: opened });
    } else {
      this.#end.listening(id, now());
    }
    this.#pump.touched();
  }

  async #open(id: number, address: Endpoint, protocol: FlowProtocol): Promise<Endpoint | IoFault> {
    const { packets } = this.#options;
    if (protocol === UDP && 'listen' in packets) return packets.listen(id, address);
    if ('capture' in packets) return (await packets.capture(address, protocol)) ?? address;
    const text = 'the packet port cannot open such an address';
    return { type: 'io-fault', code: 'EPROTONOSUPPORT', text };
  }

  async #release({ id, address, protocol }: ListenEnd): Promise<void> {
    const { packets } = this.#options;
    if ('capture' in packets) await packets.release(address, protocol);
    else if ('listen' in packets) await packets.release(id);
  }
}
