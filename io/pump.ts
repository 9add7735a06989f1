/**
 * Keeps a tunnel end going: hands its outputs out, writes its octets to the streams, calls `timeout`
 * when it is time. Everything that happens in one turn of the event loop is settled together, at its end at
 * the latest, so packets that came together leave in one write.
 */
import type { Duplex } from 'node:stream';
import type { CloseOutput } from '../session/outputs.ts';
import type { TcpState } from '../session/tcp-state.ts';
import type { TunnelEnd } from '../session/tunnel-end.ts';
import { CarrierSampler } from './carrier-sampler.ts';
import { Alarm, now } from './clock.ts';
import type { PacketPort } from './packet-port.ts';
import { StreamLink } from './stream-link.ts';
import { TcpInfo } from './tcp-info.ts';

/** How long connections may take to end by themselves when everything is to stop. */
const STOP_MS = 5_000;

type PacketTurn = Pick<PacketPort, 'glance' | 'flush'>;

export class Pump<Output extends { readonly type: string }> {
  readonly #end: TunnelEnd<Output>;
  readonly #obey: (output: Output) => void;
  readonly #packets: PacketTurn;
  readonly #gone: (conn: number) => void;
  readonly #links = new Map<number, StreamLink>();
  readonly #tcp = new TcpInfo();
  readonly #sampler: CarrierSampler;
  readonly #alarm = new Alarm(() => this.touched());
  #settling: NodeJS.Immediate | undefined;
  #idle: (() => void) | undefined;
  #stopped = false;

  /**
   * `packets` are those that come and go in the turns that are settled. `gone` is told each connection that
   * has ended; its number is free again.
   */
  constructor(
    end: TunnelEnd<Output>,
    obey: (output: Output) => void,
    packets: PacketTurn,
    gone: (conn: number) => void = () => {},
  ) {
    this.#end = end;
    this.#sampler = new CarrierSampler(end);
    this.#obey = obey;
    this.#packets = packets;
    this.#gone = gone;
  }

  /** The stream is connection `conn` from now on; the caller has told the end so. */
  attach(conn: number, stream: Duplex): void {
    const touched = () => this.touched();
    const gone = (conn: number) => {
      this.#links.delete(conn);
      this.#sampler.gone(conn);
      this.#gone(conn);
      if (this.#links.size === 0) this.#idle?.();
    };
    this.#links.set(conn, new StreamLink(stream, conn, this.#end, touched, gone));
    this.touched();
  }

  /** The stream of a connection that goes on elsewhere, paused; for the end the connection is gone. */
  detach(conn: number): Duplex | undefined {
    return this.#links.get(conn)?.detach();
  }

  /** What the system knows of the connection; undefined where it tells nothing. */
  tcpState(conn: number): TcpState | undefined {
    const link = this.#links.get(conn);
    return link && this.#tcp.read(link.stream) ? this.#tcp.state() : undefined;
  }

  /** To be called after every verb: what follows from it is done at the end of this turn. */
  touched(): void {
    if (this.#stopped) return;
    this.#settling ??= setImmediate(() => {
      // What comes here is settled with the rest.
      this.#glance();
      this.#settling = undefined;
      this.#settle();
    });
  }

  /** No more is to come in this turn: what follows from the verbs is done now. */
  settle(): void {
    if (this.#settling === undefined || this.#stopped) return;
    clearImmediate(this.#settling);
    this.#settling = undefined;
    this.#settle();
  }

  /**
   * After the end was told to close: resolves when all connections are gone and the last outputs
   * were handed out.
   */
  async stop(): Promise<void> {
    this.#settle();
    if (this.#links.size > 0) {
      const limit = setTimeout(() => {
        for (const link of this.#links.values()) link.close(false);
      }, STOP_MS);
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      clearTimeout(limit);
      this.#settle();
    }
    this.#stopped = true;
    clearImmediate(this.#settling);
    this.#alarm.clear();
  }

  #glance(): void {
    const packets = this.#packets;
    if (packets.glance === undefined) return;
    // What has come out of the tunnel does not wait for what is about to go in.
    packets.flush();
    packets.glance();
  }

  #settle(): void {
    const end = this.#end;
    if (end.nextTimeout() <= now()) end.timeout(now());
    for (let output = end.poll(); output !== undefined; output = end.poll()) this.#act(output);
    this.#packets.flush();
    this.#sampler.sweep(now());
    for (let conn = end.writable(); conn >= 0; conn = end.writable()) this.#write(conn);
    this.#alarm.set(end.nextTimeout());
  }

  #write(conn: number): void {
    const link = this.#links.get(conn);
    if (link === undefined) return;
    link.flush();
    this.#sampler.wrote(conn, link, now());
  }

  #act(output: Output): void {
    if (isClose(output)) this.#links.get(output.conn)?.close(output.flush);
    this.#obey(output);
  }
}

function isClose(output: { readonly type: string }): output is CloseOutput {
  return output.type === 'close';
}
