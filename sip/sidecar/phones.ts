/**
 * The phones beside us, as they showed themselves: what an INVITE of the network names is a Contact that a
 * phone gave, and only to these is anything sent.
 *
 * Memory: MAX_CONTACTS contacts; the one that was silent longest goes.
 */
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../wire/address.ts';
import { detached } from '../detached.ts';
import { countOf } from '../fields.ts';
import { header, type Message } from '../message.ts';
import { nameAddrs } from '../name-addr.ts';
import { readUri, type Uri } from '../uri.ts';

/** How a phone is spoken to. */
export interface Peer {
  readonly transport: 'UDP' | 'TCP';
  readonly address: Endpoint;
  /** Where it spoke to us: its outbound proxy. */
  readonly local: Endpoint;
  /** Which of our sockets or connections it used. */
  readonly conn: number;
}

export const MAX_CONTACTS = 256;
const DEFAULT_PORT = 5060;

interface Contact {
  readonly user: string | undefined;
  readonly peer: Peer;
}

export class Phones {
  /** By user, host and port; the one that showed itself last at the end. */
  readonly #contacts = new Map<string, Contact>();
  /** What was learnt last: as a rule there is one phone, which says the same in every message. */
  #latest: { readonly text: string; readonly peer: Peer } | undefined;

  learn(message: Message, peer: Peer): void {
    const text = header(message, 'contact');
    if (text === undefined) return;
    const isOnly = countOf(message.fields, 'contact') === 1;
    const latest = this.#latest;
    if (isOnly && text === latest?.text && isSame(peer, latest.peer)) return;
    this.#latest = isOnly ? { text: detached(text), peer } : undefined;
    for (const { uri: text } of nameAddrs(message, 'contact') ?? []) {
      const uri = readUri(text);
      if (uri === undefined) continue;
      const key = keyOf(uri);
      this.#contacts.delete(key);
      const user = uri.user === undefined ? undefined : detached(uri.user);
      this.#contacts.set(detached(key), { user, peer });
    }
    // Looked at only then: what was taken out stays in the way of whoever begins at the front.
    while (this.#contacts.size > MAX_CONTACTS) {
      const [oldest = ''] = this.#contacts.keys();
      this.#contacts.delete(oldest);
    }
  }

  /** A connection is gone: nobody can be reached by it. */
  forget(conn: number): void {
    this.#latest = undefined;
    for (const [key, { peer }] of this.#contacts) {
      if (peer.transport === 'TCP' && peer.conn === conn) this.#contacts.delete(key);
    }
  }

  /**
   * Whom a request of the network is for. Proxies that stand before a NAT write the address that they
   * saw into the Contact, so that only its user is left; where there is one phone, it is meant.
   */
  find(uri: Uri): Peer | undefined {
    const exact = this.#contacts.get(keyOf(uri));
    if (exact !== undefined) return exact.peer;
    const all = [...this.#contacts.values()].reverse();
    const named = all.find(({ user }) => user !== undefined && user === uri.user);
    const [only, ...more] = new Set(all.map(({ peer }) => peerKey(peer)));
    const alone = only !== undefined && more.length === 0 ? all[0] : undefined;
    return (named ?? alone)?.peer;
  }
}

function isSame(a: Peer, b: Peer): boolean {
  return a.transport === b.transport && a.conn === b.conn && sameEndpoint(a.address, b.address);
}

function keyOf({ user = '', host, port = DEFAULT_PORT }: Uri): string {
  return `${user} ${host} ${port}`;
}

export function peerKey({ transport, conn, address }: Peer): string {
  return `${transport} ${conn} ${formatEndpoint(address)}`;
}
