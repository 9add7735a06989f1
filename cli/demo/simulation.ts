/** The demo's calls while they talk (setup.ts opens it all). */
import { now } from '../../io/clock.ts';
import type { ClientStatus, Drops, ServerStatus, Traffic } from '../../ops/status.ts';
import type { Endpoint } from '../../wire/address.ts';
import type { Agent } from './agent.ts';
import { PACKET_MS } from './media.ts';
import { Pacer } from './pacer.ts';
import type { Party } from './party.ts';
import type { MediaStream } from './stream.ts';

/**
 * The end: how long to wait for packets in flight when none comes any more. Counted in steps, because
 * the sockets are read in each of them: time passes also when the machine does not let us run.
 */
const QUIET_STEPS = 100;
const DRAIN_STEP_MS = 10;

export interface Call {
  readonly phone: Party;
  readonly gateway: Party;
  /** What the phone's SDP says after TEP-C: where the gateway sends to. */
  readonly publicAddress: Endpoint;
  readonly up: MediaStream;
  readonly down: MediaStream;
}

export interface OpenTunnel {
  readonly client: Agent<ClientStatus>;
  readonly server: Agent<ServerStatus>;
  /** Where TEP-S listens. */
  readonly listening: string;
  /** The TCP address of TEP-C as TEP-S sees it. */
  readonly outer: string;
  /** From the start of TEP-C to a tunnel that can carry packets, with authentication. */
  readonly openMs: number;
}

/** What the agents tell of the tunnel, both ways. */
export interface TunnelCounts {
  readonly client: Traffic;
  readonly server: Traffic;
  /** Packets that either agent refused to carry, by reason. */
  readonly drops: Drops;
}

const NOTHING: Traffic = { packets: 0, octets: 0 };

export class Simulation {
  readonly calls: readonly Call[];
  readonly tunnel: OpenTunnel;
  /** How long the calls have talked. */
  talkedMs = 0;
  counts: TunnelCounts = { client: NOTHING, server: NOTHING, drops: {} };
  readonly #pacer: Pacer;

  /** `packets` of each stream. */
  constructor(tunnel: OpenTunnel, calls: readonly Call[], packets: number) {
    this.calls = calls;
    this.tunnel = tunnel;
    this.#pacer = new Pacer({
      periodMs: PACKET_MS,
      packets,
      streams: 2 * calls.length,
      send: (stream, n) => this.#send(stream, n),
    });
  }

  /** Asks the agents. */
  async count(): Promise<void> {
    const { client, server } = this.tunnel;
    const [c, s] = await Promise.all([client.status(), server.status()]);
    if (c === undefined || s === undefined) return;
    const drops = [c.drops, c.port.drops, s.drops, s.port.drops].reduce(addDrops, {});
    this.counts = { client: sumOf(c.sent, c.received), server: sumOf(s.sent, s.received), drops };
  }

  /** Talks until all is said or `interrupt`, then waits for what is still on its way. */
  async run(interrupt: AbortSignal): Promise<void> {
    const stop = () => this.#pacer.stop();
    interrupt.addEventListener('abort', stop, { once: true });
    const startMs = now();
    const streams = this.#streams();
    for (const [i, stream] of streams.entries()) stream.begin(this.#pacer.offsetMs(i) + startMs);
    if (!interrupt.aborted) await this.#pacer.run(startMs);
    interrupt.removeEventListener('abort', stop);
    this.talkedMs = now() - startMs;
    await this.#drain();
    await this.count();
    for (const stream of streams) stream.end();
  }

  /** In the order of the pacer: both directions of a call after one another. */
  #streams(): MediaStream[] {
    return this.calls.flatMap(({ up, down }) => [up, down]);
  }

  #send(stream: number, n: number): void {
    const call = this.calls[stream >> 1];
    if (stream % 2 === 0) call?.phone.send(call.up, n);
    else call?.gateway.send(call.down, n);
  }

  async #drain(): Promise<void> {
    const streams = this.#streams();
    let arrived = -1;
    let quietSteps = 0;
    while (!streams.every((stream) => stream.complete) && quietSteps < QUIET_STEPS) {
      const total = streams.reduce((sum, s) => sum + s.stats.received + s.reportsReceived, 0);
      quietSteps = total === arrived ? quietSteps + 1 : 0;
      arrived = total;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
    }
  }
}

function sumOf(a: Traffic, b: Traffic): Traffic {
  return { packets: a.packets + b.packets, octets: a.octets + b.octets };
}

function addDrops(sum: Drops, more: Drops): Drops {
  const reasons = [...Object.keys(sum), ...Object.keys(more)];
  return Object.fromEntries(reasons.map((name) => [name, (sum[name] ?? 0) + (more[name] ?? 0)]));
}
