/** A TLS server on loopback, and certificates for it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { ClientTls, type TlsChecks } from '../../../io/dial/client-tls.ts';
import type { ServerTarget } from '../../../io/dial/types.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { type TlsSettings, tlsOptions } from '../../../io/tls-options.ts';
import type { KeyPair } from '../../certificates.ts';
import { HOST } from './listening.ts';

export interface TlsServer {
  readonly port: number;
  readonly target: ServerTarget;
  /** Those whose handshake came to its end. */
  readonly streams: TLSSocket[];
  /** That of number `n`, from 0: the client may be done before the server is. */
  stream(n: number): Promise<TLSSocket>;
}

export async function listenTls(
  t: ExecutionContext,
  { certificate, key }: KeyPair,
  options: TlsOptions = {},
): Promise<TlsServer> {
  const streams: TLSSocket[] = [];
  const server = createServer({ cert: certificate, key, allowHalfOpen: true, ...options });
  server.on('secureConnection', (stream) => {
    streams.push(stream);
    stream.on('error', () => {});
  });
  // A handshake that failed concerns the client's side of the test.
  server.on('tlsClientError', () => {});
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => {
    for (const stream of streams) stream.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const stream = async (n: number) => {
    for (;;) {
      const found = streams[n];
      if (found !== undefined) return found;
      await once(server, 'secureConnection');
    }
  };
  return { port, target: { host: 'localhost', port, tls: true }, streams, stream };
}

/** Modern suites, checked, unless told otherwise. */
export function clientTls(
  settings: Partial<TlsSettings>,
  checks: Partial<TlsChecks> = {},
): ClientTls {
  const options = tlsOptions(
    { minVersion: 'TLSv1.2', legacyCiphers: 'none', ...settings },
    'client',
  );
  if (isIoFault(options)) throw new Error(options.text);
  return new ClientTls(options, { verify: true, ...checks });
}
