/**
 * What a port changes in the system, and takes back: a pair of interfaces, a routing table, rules, an
 * nftables table. Nothing else is touched. Each step is one run of `ip` or `nft` that reads its commands
 * from stdin, so that they can be read here as they would be typed.
 *
 *     host ── tep0 ═══ tep0p ── packet socket
 *
 * Neither end has an address of use, or asks for a neighbour (NOARP: the far end has another hardware address
 * than packets are sent to, so the IP of the host leaves alone what arrives there).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type IoFault, ioFault, isIoFault } from '../io-fault.ts';
import type { Libc } from '../kernel/libc.ts';
import { askAll } from './ask.ts';
import { dropTable, replaceTable } from './capture-table.ts';
import { clashIn, type Found, type Leftovers, leftoversIn } from './clashes.ts';
import { checksumsByKernel, gatherPackets } from './offload.ts';
import { FAR_MAC, farEnd, NEAR_MAC, type Place } from './place.ts';
import { FAMILIES, type Family, RuleBook, removeRules } from './rule-book.ts';
import type { Routing } from './rules.ts';
import { change, run } from './run.ts';

export const MTU = 65_535;

/**
 * The dummy address of RFC 7600. An interface without any fails every reverse path check; one of scope
 * host is no source of anything.
 */
const DUMMY = '192.0.0.8/32';

export class System {
  readonly #place: Place;
  readonly #calls: Libc;
  readonly #families: readonly Family[] = FAMILIES.filter(isSpoken);
  readonly #book: RuleBook;
  #hasTable = false;

  constructor(place: Place, calls: Libc) {
    this.#place = place;
    this.#calls = calls;
    this.#book = new RuleBook(place, this.#families);
  }

  /** Removes what a predecessor left; a fault when something is in the way that is not ours. */
  async clear(): Promise<IoFault | undefined> {
    const found = await this.#look();
    if (isIoFault(found)) return found;
    return clashIn(found, this.#place) ?? this.#remove(leftoversIn(found, this.#place));
  }

  /** A fault when something is in the way that is not ours; nothing is changed. */
  async check(): Promise<IoFault | undefined> {
    const found = await this.#look();
    return isIoFault(found) ? found : clashIn(found, this.#place);
  }

  /** Makes the two interfaces, down: `up` follows when somebody reads the far one. */
  async makeLinks(forwards: boolean): Promise<IoFault | undefined> {
    const { name } = this.#place;
    const far = farEnd(name);
    const quiet = this.#families.includes(6) ? 'addrgenmode none' : '';
    const address = isReversePathChecked() ? `addr add ${DUMMY} dev ${name} scope host` : '';
    const made = await change(
      'ip',
      ['-batch', '-'],
      `link add name ${name} address ${NEAR_MAC} mtu ${MTU} type veth peer name ${far} address ${FAR_MAC} mtu ${MTU}
link set dev ${name} arp off multicast off gso_max_segs 1 ${quiet}
link set dev ${far} arp off multicast off gso_max_segs 1 ${quiet}
${address}
`,
    );
    if (made !== undefined) return made;
    checksumsByKernel(this.#calls, name);
    gatherPackets(this.#calls, name, far);
    return this.#configure(forwards);
  }

  /** Packets begin to come. */
  async up(routing: Routing): Promise<IoFault | undefined> {
    const { name } = this.#place;
    const links = `link set dev ${farEnd(name)} up\nlink set dev ${name} up\n`;
    const raised = await change('ip', ['-batch', '-'], links);
    if (raised !== undefined) return raised;
    if (routing.kind === 'capture') {
      const made = await change('nft', ['-f', '-'], replaceTable(this.#place, []));
      if (made !== undefined) return made;
      this.#hasTable = true;
    }
    return this.#book.set(routing);
  }

  /** Rules as `routing` says from now on; those that stay are not touched. */
  route(routing: Routing): Promise<IoFault | undefined> {
    return this.#book.set(routing);
  }

  /** Makes again what somebody has removed of routes and rules; a fault when that cannot be. */
  repair(): Promise<IoFault | undefined> {
    return this.#book.repair();
  }

  /** Takes everything back that stands, whatever of it is there still. */
  async remove(): Promise<void> {
    await this.#book.forget();
    const found = await this.#look();
    if (!isIoFault(found)) await this.#remove(leftoversIn(found, this.#place));
  }

  /** Rules first: traffic finds its old way before the new one ends. */
  async #remove({ rules, links }: Leftovers): Promise<IoFault | undefined> {
    for (const family of FAMILIES) await removeRules(family, rules[family]);
    const hasMore = links.length + rules[4].length + rules[6].length > 0;
    if (this.#hasTable || hasMore) await run('nft', ['-f', '-'], dropTable(this.#place));
    this.#hasTable = false;
    // Removing one end removes the other.
    const [link] = links;
    return link === undefined ? undefined : change('ip', ['link', 'del', 'dev', link], '');
  }

  async #look(): Promise<Found | IoFault> {
    const { name, table } = this.#place;
    const questions = [
      ['link', 'show', 'dev', name],
      ['link', 'show', 'dev', farEnd(name)],
      ['-4', 'route', 'show', 'table', String(table)],
      ['-6', 'route', 'show', 'table', String(table)],
      ['-4', 'rule', 'show'],
      ['-6', 'rule', 'show'],
    ];
    const answers = await askAll(questions);
    if (isIoFault(answers)) return answers;
    const [near, far, routes4, routes6, rules4, rules6] = answers;
    return {
      links: [...(near ?? []), ...(far ?? [])],
      routes: [...(routes4 ?? []), ...(routes6 ?? [])],
      rules: { 4: rules4 ?? [], 6: rules6 ?? [] },
    };
  }

  #configure(forwards: boolean): IoFault | undefined {
    const { name } = this.#place;
    // The stricter of `all` and the interface counts, and 2, "by any interface", is above 1, "by this
    // one". Sources are addresses of elsewhere: never by this one. With no check at all, none here.
    const wanted: [string, string][] = [
      [`ipv4/conf/${name}/rp_filter`, isReversePathChecked() ? '2' : '0'],
      // The media gateway may be an address of this host.
      [`ipv4/conf/${name}/accept_local`, '1'],
      [`ipv4/conf/${name}/forwarding`, forwards ? '1' : '0'],
      [`ipv4/conf/${name}/send_redirects`, '0'],
    ];
    if (this.#families.includes(6)) {
      wanted.push(
        [`ipv6/conf/${name}/disable_ipv6`, '0'],
        [`ipv6/conf/${name}/accept_ra`, '0'],
        [`ipv6/conf/${farEnd(name)}/disable_ipv6`, '1'],
      );
    }
    for (const [setting, value] of wanted) {
      const fault = set(setting, value);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

function isSpoken(family: Family): boolean {
  return family === 4 || existsSync('/proc/sys/net/ipv6/conf/all');
}

function isReversePathChecked(): boolean {
  return readSetting('ipv4/conf/all/rp_filter') !== '0';
}

function readSetting(setting: string): string {
  return readFileSync(`/proc/sys/net/${setting}`, 'utf8').trim();
}

/** A container may show settings that it does not let be written: right ones are left alone. */
function set(setting: string, value: string): IoFault | undefined {
  try {
    if (readSetting(setting) !== value) writeFileSync(`/proc/sys/net/${setting}`, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code } = ioFault(error);
    return { type: 'io-fault', code, text: `net/${setting} must be ${value}: ${error.message}` };
  }
}
