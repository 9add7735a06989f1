/**
 * Keeps the sets of the nftables table (capture-table.ts) as they should be. Changes that come while `nft`
 * runs wait for its end and go together into the next run: one takes some milliseconds, for one change or
 * for a thousand.
 */
import type { IoFault } from '../io-fault.ts';
import { type Capture, changeElements, lookAtTable, replaceTable } from './capture-table.ts';
import type { Place } from './place.ts';
import { change } from './run.ts';

export class Captures {
  readonly #place: Place;
  /** All that should be in the sets, by their text. */
  readonly #wanted = new Map<string, Capture>();
  /** Commands for the next run, and who waits for it. */
  #commands = '';
  #waiters: Array<(outcome: IoFault | undefined) => void> = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Undefined when packets for it come from now on. */
  async add(one: Capture): Promise<IoFault | undefined> {
    const command = changeElements(this.#place, 'add', one);
    this.#wanted.set(command, one);
    const fault = await this.#change(command);
    if (fault !== undefined) this.#wanted.delete(command);
    return fault;
  }

  async delete(one: Capture): Promise<void> {
    // What is not in the sets cannot be taken out: the run would fail as a whole.
    if (!this.#wanted.delete(changeElements(this.#place, 'add', one))) return;
    await this.#change(changeElements(this.#place, 'delete', one));
  }

  /** Makes the table again when somebody has removed it; a fault when that cannot be. */
  repair(): Promise<IoFault | undefined> {
    return this.#isClosed ? Promise.resolve(undefined) : this.#change(lookAtTable(this.#place));
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  #change(command: string): Promise<IoFault | undefined> {
    if (this.#isClosed) {
      return Promise.resolve({ type: 'io-fault', code: 'ECANCELED', text: 'the port is closed' });
    }
    return new Promise((resolve) => {
      this.#commands += command;
      this.#waiters.push(resolve);
      this.#running ??= this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    // Whatever is asked for in this turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiters.length > 0) {
      const commands = this.#commands;
      const waiters = this.#waiters;
      this.#commands = '';
      this.#waiters = [];
      const outcome = await this.#run(commands);
      for (const resolve of waiters) resolve(outcome);
    }
    this.#running = undefined;
  }

  /** The administrator's `flush ruleset` takes our table too: then all of it is made again. */
  async #run(commands: string): Promise<IoFault | undefined> {
    const fault = await change('nft', ['-f', '-'], commands);
    if (fault === undefined) return undefined;
    return change('nft', ['-f', '-'], replaceTable(this.#place, [...this.#wanted.values()]));
  }
}
