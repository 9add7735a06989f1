/**
 * The life of an agent as a service: signals, status socket, log and systemd around what the agent does.
 *
 *     SIGHUP   reads the configuration again; a bad one changes nothing
 *     SIGTERM  lets calls end (drain), a second one ends at once
 *     SIGINT   ends at once
 */
import type { Keys, Values } from '../../config/key.ts';
import type { Running } from '../../config/running.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { type StatusSocket, serveStatus } from '../../io/status-socket.ts';
import { type Notice, notifier, watchdogMs } from '../../io/systemd.ts';
import type { Log } from '../../ops/log.ts';
import { version } from '../../ops/version.ts';
import { EXIT, type World } from '../command.ts';
import type { AgentKind } from './kind.ts';

/** How often `systemctl status` gets a new line; its watchdog is served as often as it wants. */
const SUMMARY_MS = 15_000;
/** Asked for again long before it is over. */
const EXTEND_TIMEOUT_USEC = 60_000_000;

export interface ServiceParts<T extends Keys> {
  readonly kind: AgentKind<T>;
  readonly settings: Values<T>;
  readonly statusPath: string | undefined;
  readonly log: Log;
  readonly world: World;
  /** Reads the configuration again; undefined when it is bad, which is logged already. */
  readonly reread: (before: Values<T>) => Reread<T> | undefined;
}

export interface Reread<T extends Keys> {
  readonly settings: Values<T>;
  /** The agent has taken them. */
  readonly taken: () => void;
}

export class Service<T extends Keys> {
  readonly #parts: ServiceParts<T>;
  readonly #notify: (notice: Notice) => void;
  readonly #cleanup: Array<() => void> = [];
  #settings: Values<T>;
  #running: Running<Values<T>> | undefined;
  #isDraining = false;
  #isStopping = false;
  #hasStarted: () => void = () => {};
  /** One reload after the other, the first when it has started: what was asked earlier counts too. */
  #reloading = new Promise<void>((resolve) => {
    this.#hasStarted = resolve;
  });
  #end: (fault: IoFault | undefined) => void = () => {};
  readonly #ended = new Promise<IoFault | undefined>((resolve) => {
    this.#end = resolve;
  });

  constructor(parts: ServiceParts<T>) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#notify = notifier(parts.world.env);
    this.#takeSignals();
  }

  /** From start to end; gives why it ended, undefined where it was asked to. */
  async run(): Promise<IoFault | undefined> {
    let status: StatusSocket | IoFault | undefined;
    try {
      status = await this.#serveStatus();
      if (status !== undefined && isIoFault(status)) return status;
      const running = await this.#start();
      if (isIoFault(running)) return this.#advised(running);
      const fault = await this.#ended;
      this.#notify({ STOPPING: 1, STATUS: 'stopping' });
      await running.stop();
      if (fault === undefined) this.#parts.log.info(`${this.#parts.kind.name} has ended`);
      return fault;
    } finally {
      for (const undo of this.#cleanup) undo();
      if (status !== undefined && !isIoFault(status)) await status.close();
    }
  }

  async #start(): Promise<Running<Values<T>> | IoFault> {
    const { kind, log } = this.#parts;
    const running = await kind.start(this.#settings, { log, failed: (fault) => this.#end(fault) });
    if (isIoFault(running)) return running;
    this.#running = running;
    this.#hasStarted();
    log.info(`${kind.name} is running`, { version: version() });
    this.#notify({ READY: 1, STATUS: kind.summary(await running.status()) });
    this.#repeat(SUMMARY_MS, () => void this.#tellSummary(running));
    const { env, process } = this.#parts.world;
    const watchdog = watchdogMs(env, process.pid);
    // Twice in the time that systemd gives, as sd_watchdog_enabled(3) recommends.
    if (watchdog) this.#repeat(watchdog / 2, () => this.#notify({ WATCHDOG: 1 }));
    return running;
  }

  /** The system does not say who has it. */
  #advised(fault: IoFault): IoFault {
    if (fault.code !== 'EADDRINUSE') return fault;
    return { ...fault, text: `${fault.text}: tep doctor ${this.#parts.kind.name} tells by whom` };
  }

  async #tellSummary(running: Running<Values<T>>): Promise<void> {
    this.#notify({ STATUS: this.#parts.kind.summary(await running.status()) });
  }

  async #serveStatus(): Promise<StatusSocket | IoFault | undefined> {
    const { kind, statusPath, world } = this.#parts;
    if (statusPath === undefined) return undefined;
    const starting = { agent: kind.name, pid: world.process.pid, starting: true };
    return serveStatus(statusPath, () => this.#running?.status() ?? starting);
  }

  #takeSignals(): void {
    const { process } = this.#parts.world;
    this.#cleanup.push(
      process.on('SIGHUP', () => {
        this.#reloading = this.#reloading.then(() => this.#reload());
      }),
      process.on('SIGTERM', () => this.#terminate()),
      process.on('SIGINT', () => this.#stopNow('SIGINT')),
    );
  }

  #repeat(everyMs: number, action: () => void): void {
    const timer = setInterval(action, everyMs).unref();
    this.#cleanup.push(() => clearInterval(timer));
  }

  #terminate(): void {
    const running = this.#running;
    if (this.#isDraining || running === undefined) {
      this.#stopNow('SIGTERM');
      return;
    }
    this.#isDraining = true;
    this.#parts.log.info('draining: calls may end, no new ones are taken', { signal: 'SIGTERM' });
    this.#notify({ STOPPING: 1, STATUS: 'draining', EXTEND_TIMEOUT_USEC });
    // However long the configuration lets calls go on.
    this.#repeat(SUMMARY_MS, () => this.#notify({ EXTEND_TIMEOUT_USEC }));
    void running.drain().then(() => this.#end(undefined));
  }

  #stopNow(signal: string): void {
    const { log, world } = this.#parts;
    // It hangs in stopping, and somebody has lost patience.
    if (this.#isStopping) world.process.exit(EXIT.FAILED);
    this.#isStopping = true;
    log.info('stopping at once', { signal });
    this.#end(undefined);
  }

  async #reload(): Promise<void> {
    const { log, reread } = this.#parts;
    if (this.#running === undefined) return;
    this.#notify({ RELOADING: 1 });
    const read = reread(this.#settings);
    const fault = read && (await this.#running.reload(read.settings));
    if (fault !== undefined) log.error('reload failed, nothing changed', { why: fault.text });
    else if (read !== undefined) {
      this.#settings = read.settings;
      read.taken();
    }
    this.#notify({ READY: 1 });
  }
}
