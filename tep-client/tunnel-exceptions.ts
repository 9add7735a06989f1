/**
 * The addresses of the tunnel's own connections: where they are among the media addresses they must
 * not enter the tunnel. Names are looked up before each connection, for their addresses change.
 *
 * Those of earlier look-ups are kept, for a resolver may give another one of them to whoever asks next;
 * MAX_ADDRESSES at most, the oldest go.
 */
import { lookup } from 'node:dns/promises';
import type { Exception } from '../io/rings/rules.ts';
import { parseAddress } from '../wire/address.ts';
import type { Prefix } from '../wire/prefix.ts';

const MAX_ADDRESSES = 64;

/** A host that is connected to first: a server or a proxy. */
export interface Hop {
  readonly host: string;
  readonly port: number;
}

export class TunnelExceptions {
  readonly #changed: (except: readonly Exception[]) => Promise<void>;
  readonly #resolve: (host: string) => Promise<readonly string[]>;
  /** By address and port, the one used last at the end. */
  readonly #all = new Map<string, Exception>();

  constructor(
    changed: (except: readonly Exception[]) => Promise<void>,
    resolve: (host: string) => Promise<readonly string[]> = addressesOf,
  ) {
    this.#changed = changed;
    this.#resolve = resolve;
  }

  /** Resolves when a connection to there stays outside the tunnel. */
  async allow({ host, port }: Hop): Promise<void> {
    const addresses = await this.#resolve(host);
    const isNew = addresses.map((address) => this.#add(address, port)).includes(true);
    if (isNew) await this.#changed([...this.#all.values()]);
  }

  #add(address: string, port: number): boolean {
    const prefix = prefixOf(address);
    if (prefix === undefined) return false;
    const key = `${address} ${port}`;
    const isNew = !this.#all.delete(key);
    this.#all.set(key, { prefix, port });
    const [oldest] = this.#all.keys();
    if (this.#all.size > MAX_ADDRESSES && oldest !== undefined) this.#all.delete(oldest);
    return isNew;
  }
}

/** None when there is no such name, or no DNS: who connects says so. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch {
    return [];
  }
}

function prefixOf(text: string): Prefix | undefined {
  // Without the zone of a link-local address.
  const address = parseAddress(text.split('%', 1).join(''));
  return address && { family: address.length === 4 ? 4 : 6, address, length: address.length * 8 };
}
