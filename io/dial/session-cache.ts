/**
 * TLS sessions to resume, by server. A ticket of TLS 1.3 is used once, so that nobody on the way
 * can tell that two connections come from the same client (RFC 8446 appendix C.4); a session of TLS
 * 1.2 as often as the server likes. A session remembers that its certificate was right, therefore
 * a cache belongs to one set of authorities and checks.
 */

/** Per server: as many as a tunnel has stripes. */
const MAX_SESSIONS = 8;
const MAX_SERVERS = 16;

interface Session {
  readonly octets: Buffer;
  readonly once: boolean;
}

export class SessionCache {
  /** The latest used last. */
  readonly #servers = new Map<string, Session[]>();

  keep(server: string, octets: Buffer, once: boolean): void {
    const before = once ? (this.#servers.get(server) ?? []) : [];
    this.#servers.delete(server);
    this.#servers.set(server, [...before, { octets, once }].slice(-MAX_SESSIONS));
    for (const oldest of this.#servers.keys()) {
      if (this.#servers.size <= MAX_SERVERS) break;
      this.#servers.delete(oldest);
    }
  }

  /** The newest; a ticket is then gone. */
  take(server: string): Buffer | undefined {
    const sessions = this.#servers.get(server);
    const newest = sessions?.at(-1);
    if (newest?.once === true) sessions?.pop();
    return newest?.octets;
  }
}
