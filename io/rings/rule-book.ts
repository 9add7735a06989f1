/**
 * The rules of a port, and the default routes that they lead to, kept as they should be. One change is
 * made after the other.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import { askAll } from './ask.ts';
import { leftoversIn } from './clashes.ts';
import { MADE_BY, type Place } from './place.ts';
import { isWithin, type Routing, rulesOf } from './rules.ts';
import { change, run } from './run.ts';

export const FAMILIES = [4, 6] as const;
export type Family = (typeof FAMILIES)[number];

/**
 * Next hops that nobody has: packets go to whatever is at the other end. One for each family, not each
 * destination a neighbour of its own: the neighbour table is small.
 */
const NEXT_HOPS = { 4: '169.254.1.1', 6: 'fe80::1' } as const;

/** TCP of applications goes on from the other tunnel end by Ethernet, not by an MTU of 65,535. */
const MAX_SEGMENT = { 4: 1_360, 6: 1_340 } as const;

export class RuleBook {
  readonly #place: Place;
  readonly #families: readonly Family[];
  /** Rules that should stand. */
  readonly #rules: Record<Family, readonly string[]> = { 4: [], 6: [] };
  #last: Promise<unknown> = Promise.resolve();

  constructor(place: Place, families: readonly Family[]) {
    this.#place = place;
    this.#families = families;
  }

  /** Rules as `routing` says from now on; those that stay are not touched. */
  set(routing: Routing): Promise<IoFault | undefined> {
    return this.#inTurn((family) => {
      const after = rulesOf(routing, this.#place, family);
      const before = this.#rules[family];
      this.#rules[family] = after;
      return this.#change(family, before, after);
    });
  }

  /** Makes again what somebody has removed; a fault when that cannot be. */
  repair(): Promise<IoFault | undefined> {
    return this.#inTurn(async (family) => {
      if (this.#rules[family].length === 0) return undefined;
      const answers = await askAll([
        [`-${family}`, 'rule', 'show'],
        [`-${family}`, 'route', 'show', 'table', String(this.#place.table)],
      ]);
      if (isIoFault(answers)) return answers;
      const [shown = [], routes = []] = answers;
      const found = { links: [], routes: [], rules: { 4: [], 6: [], [family]: shown } };
      const standing = leftoversIn(found, this.#place).rules[family];
      if (standing.length !== this.#rules[family].length) return this.#writeAnew(family, standing);
      if (routes.length > 0) return undefined;
      return change('ip', [`-${family}`, '-batch', '-'], this.#route(family));
    });
  }

  /** To be removed by who removes everything: nothing is repaired any more. */
  forget(): Promise<IoFault | undefined> {
    return this.#inTurn(async (family) => {
      this.#rules[family] = [];
      return undefined;
    });
  }

  async #change(
    family: Family,
    before: readonly string[],
    after: readonly string[],
  ): Promise<IoFault | undefined> {
    // Exceptions come first in `after`: nothing is diverted that should not be, not for a moment.
    const added = after
      .filter((rule) => !before.includes(rule))
      .map((rule) => `rule add ${rule}\n`);
    const gone = before.filter((rule) => !after.includes(rule)).map((rule) => `rule del ${rule}\n`);
    if (added.length + gone.length === 0) return undefined;
    // One that an added rule says more than is in its way (rules.ts).
    const isWider = after.some((wide) => before.some((narrow) => isWithin(narrow, wide)));
    const lines = isWider ? [...gone, ...added] : [...added, ...gone];
    const route = before.length === 0 ? this.#route(family) : '';
    return change('ip', [`-${family}`, '-batch', '-'], route + lines.join(''));
  }

  async #writeAnew(family: Family, standing: readonly number[]): Promise<IoFault | undefined> {
    await removeRules(family, standing);
    const lines = this.#rules[family].map((rule) => `rule add ${rule}\n`).join('');
    return change('ip', [`-${family}`, '-batch', '-'], this.#route(family) + lines);
  }

  #route(family: Family): string {
    const { name, table } = this.#place;
    const way = `via ${NEXT_HOPS[family]} dev ${name} onlink advmss ${MAX_SEGMENT[family]}`;
    return `route replace default ${way} table ${table} protocol ${MADE_BY}\n`;
  }

  #inTurn(work: (family: Family) => Promise<IoFault | undefined>): Promise<IoFault | undefined> {
    const turn = this.#last.then(async () => {
      for (const family of this.#families) {
        const fault = await work(family);
        if (fault !== undefined) return fault;
      }
      return undefined;
    });
    this.#last = turn;
    return turn;
  }
}

/** One rule of ours for each priority. One that somebody else removes meanwhile keeps no other. */
export async function removeRules(family: Family, priorities: readonly number[]): Promise<void> {
  if (priorities.length === 0) return;
  const lines = priorities.map((at) => `rule del priority ${at} protocol ${MADE_BY}\n`);
  await run('ip', [`-${family}`, '-force', '-batch', '-'], lines.join(''));
}
