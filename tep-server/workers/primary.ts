/**
 * TEP-S in several processes: this one listens and gives each connection to a worker, always the same
 * for one address, so that what an address may do before it is authenticated is counted in one place.
 * Which worker has the tunnels of a user, the workers know by themselves (session/placement.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentDeps, Running } from '../../config/running.ts';
import { now } from '../../io/clock.ts';
import { type IoFault, ioFault, isIoFault } from '../../io/io-fault.ts';
import type { ServerStatus } from '../../ops/status.ts';
import { countedHost } from '../../session/counted-host.ts';
import { SOFTWARE } from '../../session/options.ts';
import { placeOfUser } from '../../session/placement.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { prefixContains } from '../../wire/prefix.ts';
import { answerDatagram } from '../../wire/stun/binding.ts';
import type { Secrets } from '../core.ts';
import { type ListenAt, Listeners } from '../listeners.ts';
import { logNgEvent } from '../log-events.ts';
import { NgRelay } from '../ng/relay.ts';
import type { ServerSettings } from '../settings.ts';
import { type CallWays, sent } from './messages.ts';
import { readOut } from './passing.ts';
import { PublicAddresses } from './public-addresses.ts';
import { summed } from './summed-status.ts';
import { WorkerProcess } from './worker-process.ts';

export interface PrimaryParts extends AgentDeps {
  readonly settings: ServerSettings;
  readonly secrets: Secrets;
  readonly listen: readonly ListenAt[];
}

/** Workers end their draining by themselves; one that hangs is not waited for any longer than this. */
const DRAIN_SLACK_MS = 1_000;
/** Whoever asks for the status waits 5 s (io/status-socket.ts). */
const STATUS_MS = 2_000;
/** It reads files and derives keys of users. */
const RELOAD_MS = 15_000;

export class Primary implements Running<ServerSettings> {
  readonly #parts: PrimaryParts;
  readonly #folder: string;
  readonly #workers: WorkerProcess[];
  readonly #startedMs = now();
  #settings: ServerSettings;
  #listeners: Listeners | undefined;
  #isDraining = false;
  #inTurn = 0;
  readonly #publicAddresses: PublicAddresses;
  /** Connections that no worker could take. */
  #refused = 0;
  #relay: NgRelay | undefined;
  /** What workers are told at the end of this turn. Which of them has the tunnels of a call, no one knows. */
  #ways = new Map<string, CallWays[1]>();

  private constructor(parts: PrimaryParts, folder: string) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#folder = folder;
    this.#publicAddresses = new PublicAddresses((message, from) => {
      // In other modes they know by their shares of what is public.
      if (parts.settings['addresses.mode'] !== 'reflexive') return;
      for (const [index, worker] of this.#workers.entries()) {
        if (index !== from) worker.tell(message);
      }
    });
    this.#workers = Array.from({ length: parts.settings.workers }, (_, index) => {
      return this.#worker(index);
    });
  }

  static async start(parts: PrimaryParts): Promise<Primary | IoFault> {
    const folder = await ownFolder();
    if (typeof folder !== 'string') return folder;
    const primary = new Primary(parts, folder);
    const fault =
      (await primary.#startWorkers()) ?? (await primary.#listen()) ?? (await primary.#startRelay());
    if (fault === undefined) return primary;
    await primary.stop();
    return fault;
  }

  async status(): Promise<ServerStatus> {
    const asked = this.#workers.map((worker) => worker.ask({ type: 'status' }, STATUS_MS));
    const answers = (await Promise.all(asked)).filter(isStatus);
    return summed(answers, {
      startedMs: this.#startedMs,
      nowMs: now(),
      workers: this.#workers.length,
      silentWorkers: this.#workers.length - answers.length,
      draining: this.#isDraining,
      listening: (this.#listeners?.local ?? []).map(formatEndpoint),
      turnedAway: {
        ...(this.#refused > 0 && { 'no-worker': this.#refused }),
        ...(this.#listeners?.unsentAnswers && {
          'stun-udp-unsent': this.#listeners.unsentAnswers,
        }),
      },
      ...(this.#relay && { ng: this.#relay.status() }),
    });
  }

  /**
   * All workers judge the same settings in the same way: what one refuses, all do. One that hangs takes them
   * when it goes on.
   */
  async reload(settings: ServerSettings): Promise<IoFault | undefined> {
    const question = { type: 'reload', ...sent(settings) } as const;
    const answers = await Promise.all(
      this.#workers.map((worker) => worker.ask(question, RELOAD_MS)),
    );
    const fault = answers.find((answer) => answer !== undefined && isIoFault(answer));
    if (fault !== undefined) return fault as IoFault;
    this.#settings = settings;
    this.#relay?.renew(settings);
    return undefined;
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    void this.#listeners?.close();
    const drained = Promise.all(this.#workers.map((worker) => worker.ask({ type: 'drain' })));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, this.#settings.drain + DRAIN_SLACK_MS);
    });
    await Promise.race([drained, late]);
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    const closed = Promise.all([this.#listeners?.close(), this.#relay?.stop()]);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await closed;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startWorkers(): Promise<IoFault | undefined> {
    const faults = await Promise.all(this.#workers.map((worker) => worker.start()));
    return faults.find((fault) => fault !== undefined);
  }

  async #listen(): Promise<IoFault | undefined> {
    const listeners = await Listeners.open({
      at: this.#parts.listen,
      stunUdp: this.#settings['stun-udp'],
      congestion: this.#settings['transport.congestion'],
      paused: true,
      accept: (socket, peer) => this.#accept(socket, peer),
      datagram: (payload, from) => answerDatagram(payload, 0, payload.length, from, SOFTWARE),
    });
    if (isIoFault(listeners)) return listeners;
    this.#listeners = listeners;
    for (const worker of this.#workers) this.#tellListening(worker);
    return undefined;
  }

  async #startRelay(): Promise<IoFault | undefined> {
    const relay = await NgRelay.start({
      settings: this.#settings,
      ways: (callId, ways) => {
        if (this.#ways.size === 0) setImmediate(() => this.#tellWays());
        this.#ways.set(callId, ways);
        return 0;
      },
      isBound: (address, protocol) => this.#publicAddresses.has(address, protocol),
      observe: (event) => logNgEvent(this.#parts.log, event),
    });
    if (relay !== undefined && isIoFault(relay)) return relay;
    this.#relay = relay;
    return undefined;
  }

  #tellWays(): void {
    const calls = [...this.#ways];
    this.#ways = new Map();
    for (const worker of this.#workers) worker.tell({ type: 'ways', calls });
  }

  #worker(index: number): WorkerProcess {
    const { log, secrets } = this.#parts;
    return new WorkerProcess({
      index,
      log,
      start: () => {
        const count = this.#workers.length;
        const common = { type: 'start', index, count, secrets, folder: this.#folder } as const;
        return { ...common, ...sent(this.#settings) };
      },
      started: (worker) => this.#begun(worker, index),
      publicAddress: (message) => this.#publicAddresses.take(index, message),
      waysRefused: (callIds) => {
        for (const callId of callIds) this.#relay?.refused(callId);
      },
      died: () => this.#publicAddresses.forget(index),
      handOver: ({ to, peer, received: before }, socket) => {
        // Node has begun to read it.
        const received = readOut(socket, before);
        const given = this.#workers[to]?.give({ type: 'connection', peer, received }, socket);
        if (given !== true) this.#refuse(socket);
      },
    });
  }

  /** One that was started again may have begun with settings from before a reload. */
  #begun(worker: WorkerProcess, index: number): void {
    if (this.#settings['addresses.mode'] === 'reflexive') {
      for (const message of this.#publicAddresses.ofOthers(index)) worker.tell(message);
    }
    this.#tellListening(worker);
    if (this.#relay) worker.tell({ type: 'ways', calls: [...this.#relay.open()] });
    if (this.#listeners) void worker.ask({ type: 'reload', ...sent(this.#settings) });
  }

  #tellListening(worker: WorkerProcess): void {
    if (this.#listeners) worker.tell({ type: 'listening', at: this.#listeners.local });
  }

  #accept(socket: Socket, peer: Endpoint): void {
    // A reset on the way.
    socket.on('error', () => {});
    const first = this.#placeFor(peer);
    const count = this.#workers.length;
    for (let i = 0; i < count; i++) {
      const worker = this.#workers[(first + i) % count];
      if (worker?.give({ type: 'connection', peer }, socket) === true) return;
    }
    this.#refuse(socket);
  }

  /** All connections of a balancer come from its address: they go to the workers in turn. */
  #placeFor({ address }: Endpoint): number {
    const isBalancer = this.#settings['proxy-protocol.from'].some((prefix) =>
      prefixContains(prefix, address, 0, address.length),
    );
    if (isBalancer) return this.#inTurn++ % this.#workers.length;
    return placeOfUser(countedHost(address), this.#workers.length);
  }

  #refuse(socket: Socket): void {
    this.#refused += 1;
    socket.destroy();
  }
}

/** Only this user may open the sockets in it. */
function ownFolder(): Promise<string | IoFault> {
  return mkdtemp(join(tmpdir(), 'tep-server-')).catch((error: Error) => {
    const { code, text } = ioFault(error);
    return { type: 'io-fault', code, text: `workers need a folder for temporary files: ${text}` };
  });
}

function isStatus(answer: object | undefined): answer is ServerStatus {
  return answer !== undefined && 'agent' in answer;
}
