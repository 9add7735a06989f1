/**
 * TEP-S: a tunnel server joined to TCP and to a packet port. Decides nothing; what is done and when,
 * the machine in session/ says.
 *
 *     const agent = new ServerAgent({ host: '::', port: 80, packets, tunnel });
 *     const listening = await agent.start();     // the address, or why not
 *     await agent.stop();
 */
import type { Duplex } from 'node:stream';
import { now } from '../io/clock.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { Pump } from '../io/pump.ts';
import { systemRandom } from '../io/random.ts';
import { listenTcp, type TcpListener } from '../io/tcp.ts';
import { openUdp, type UdpSocket } from '../io/udp-socket.ts';
import type { Counters } from '../session/counters.ts';
import type { FlowProtocol, ServerOutput } from '../session/outputs.ts';
import { TunnelServer } from '../session/server.ts';
import type { Endpoint } from '../wire/address.ts';
import { FrontDoor } from './front-door.ts';
import { DEFAULT_MAX_CONNECTIONS, type ServerAgentOptions } from './options.ts';

const UDP = 17;

type ListenEnd = Extract<ServerOutput, { readonly type: 'listen-end' }>;

export class ServerAgent {
  readonly #options: ServerAgentOptions;
  readonly #end: TunnelServer;
  readonly #pump: Pump<ServerOutput>;
  readonly #door = new FrontDoor();
  #listener: TcpListener | undefined;
  #stun: UdpSocket | undefined;
  /** Connection numbers that are free again, and the first never used. */
  readonly #freeConns: number[] = [];
  #nextConn = 0;

  constructor(options: ServerAgentOptions) {
    this.#options = options;
    this.#end = new TunnelServer(
      {
        ...options.tunnel,
        random: systemRandom,
        opensAddresses:
          'capture' in options.packets && options.tunnel.addresses.mode === 'reflexive',
      },
      { packet: (b, start, end) => options.packets.send(b, start, end) },
    );
    this.#pump = new Pump(
      this.#end,
      (output) => this.#obey(output),
      () => options.packets.flush(),
      (conn) => this.#freeConns.push(conn),
    );
    options.packets.start((b, at, end) => {
      this.#end.packet(b, at, end, now());
      this.#pump.touched();
    });
  }

  get counters(): Counters {
    return this.#end.counters;
  }

  /** Starts listening; gives the address that clients connect to. */
  async start(): Promise<Endpoint | IoFault> {
    const { host, port, maxConnections = DEFAULT_MAX_CONNECTIONS } = this.#options;
    const listener = await listenTcp({ host, port, maxConnections }, (stream, peer) => {
      this.#accept(stream, peer);
    });
    if (isIoFault(listener)) return listener;
    this.#listener = listener;
    return this.#options.stunUdp ? this.#startStun(listener.local) : listener.local;
  }

  /** Ordinary STUN clients are answered by UDP on the port of the listener. */
  async #startStun(local: Endpoint): Promise<Endpoint | IoFault> {
    const socket = await openUdp(local, (payload, from) => {
      const answer = this.#end.datagram(payload, 0, payload.length, from);
      if (answer) this.#stun?.send(answer, 0, answer.length, from.address, 0, from.port);
    });
    if (isIoFault(socket)) {
      await this.#listener?.close();
      return socket;
    }
    this.#stun = socket;
    return local;
  }

  /** Ends all tunnels, their connections and the packet port. */
  async stop(): Promise<void> {
    const closed = this.#listener?.close();
    this.#door.close();
    await this.#stun?.close();
    this.#end.stop(now());
    await this.#pump.stop();
    await closed;
    await this.#options.packets.close();
  }

  #accept(stream: Duplex, peer: Endpoint): void {
    this.#door.enter({
      stream,
      admit: () => this.#admit(stream, peer),
      turnedAway: (speech) => this.#options.observe?.({ type: 'turned-away', peer, speech }),
    });
  }

  #admit(stream: Duplex, peer: Endpoint): void {
    const conn = this.#freeConns.pop() ?? this.#nextConn++;
    this.#end.accepted(conn, peer, now());
    this.#pump.attach(conn, stream);
  }

  #obey(output: ServerOutput): void {
    switch (output.type) {
      case 'listen':
        void this.#listen(output.id, output.address, output.protocol);
        break;
      case 'listen-end':
        void this.#release(output);
        break;
    }
    this.#options.observe?.(output);
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
