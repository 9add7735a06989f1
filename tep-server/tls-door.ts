/**
 * TLS of the listener (tep-wire 1; TR 33.830 8.6 note 1): a connection that began with a ClientHello
 * becomes the stream of its contents. For other certificates, authorities or suites there is another
 * door; connections that are there keep what they were made with.
 *
 * Clients resume their sessions by tickets, which only the key that seals them can read: whoever shares
 * the key (workers of one server) takes each other's.
 *
 * Memory while a handshake lasts: some 60 KiB of OpenSSL, and at most 100 KiB of client certificates.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { keepRecordsShort } from '../io/tls-records.ts';

/** Of `tls.Server`. */
export const TICKET_KEYS_LEN = 48;
/** Of OpenSSL. */
const MAX_CONTEXT_NAME_LEN = 32;

export interface TlsDoorOptions {
  /** Certificate, key, versions and suites; `ca` are the authorities of clients. */
  readonly context: SecureContextOptions;
  /** Whether every client has to show a certificate of `ca`. */
  readonly requireCertificate: boolean;
  /** TICKET_KEYS_LEN secret octets. */
  readonly ticketKeys: Buffer;
}

export class TlsDoor {
  readonly #server: Server;
  /** Who waits for the end of a handshake, by the ends of its connection. */
  readonly #waiting = new Map<string, (stream: TLSSocket) => void>();

  constructor({ context, requireCertificate, ticketKeys }: TlsDoorOptions) {
    this.#server = createServer({
      ...context,
      ticketKeys,
      sessionIdContext: contextName(context, requireCertificate),
      requestCert: requireCertificate,
      rejectUnauthorized: requireCertificate,
    });
    this.#server.on('secureConnection', (stream) => this.#secured(stream));
    // What is wrong with a handshake ends its connection, which is what its owner sees.
    this.#server.on('tlsClientError', (_error, stream) => stream.destroy());
  }

  /**
   * `secured` gets the stream inside once the handshake is over. When it fails the socket closes. The
   * socket is paused, with the ClientHello in front.
   */
  accept(socket: Socket, secured: (stream: TLSSocket) => void): void {
    const key = keyOf(socket);
    this.#waiting.set(key, secured);
    socket.once('close', () => this.#waiting.delete(key));
    this.#server.emit('connection', socket);
  }

  #secured(stream: TLSSocket): void {
    const key = keyOf(stream);
    const secured = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (secured === undefined) {
      stream.destroy();
      return;
    }
    keepRecordsShort(stream);
    secured(stream);
  }
}

/** Sessions are resumed under the same demands only: a client is not asked for its certificate again. */
function contextName({ ca }: SecureContextOptions, requireCertificate: boolean): string {
  const demands = requireCertificate ? String(ca) : '';
  return createHash('sha256').update(demands).digest('hex').slice(0, MAX_CONTEXT_NAME_LEN);
}

/** The same for a socket and the stream inside it. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
