/**
 * TLS on a connection that is there already. Certificate and host name are checked unless the
 * configuration says otherwise; the server's name is sent if it is a name, never an address (RFC 6066
 * clause 3).
 */
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { type IoFault, ioFault } from '../io-fault.ts';
import { keepRecordsShort } from '../tls-records.ts';
import type { Attempt } from './attempt.ts';
import type { ClientTls } from './client-tls.ts';
import type { SessionCache } from './session-cache.ts';
import { tlsProblem } from './tls-texts.ts';
import type { DialFault, ServerTarget } from './types.ts';

export function startTls(
  socket: Socket,
  target: ServerTarget,
  tls: ClientTls,
  attempt: Attempt,
): Promise<TLSSocket | DialFault> {
  const { context, checks, sessions } = tls;
  // The dot that ends a full name is no part of it in TLS.
  const name = (checks.serverName ?? target.host).replace(/\.$/, '');
  const key = `${name} ${target.host} ${target.port}`;
  const session = sessions.take(key);
  const step = {
    stage: 'tls',
    doing: `waiting for the TLS handshake with ${target.host}:${target.port}`,
    whenSlow: 'something on the way may hold TLS back, or no TLS is spoken there',
  } as const;
  return attempt.step<TLSSocket>(step, (finish) => {
    const stream = connect({ socket, ...demands(name), secureContext: context, session });
    const end = () => {
      stream.destroy();
      socket.destroy();
    };
    const fail = (fault: IoFault) => {
      finish({ ...fault, text: tlsProblem(fault, name, stream.getPeerCertificate()) });
      end();
    };
    // After the handshake an error shows as a close, and to whoever listens by then.
    stream.on('error', (error) => fail(ioFault(error)));
    stream.once('secureConnect', () => {
      if (checks.verify && !stream.authorized) {
        fail(certificateFault(stream.authorizationError));
        return;
      }
      keepRecordsShort(stream);
      keepSessions(stream, sessions, key);
      finish(stream);
    });
    return end;
  });
}

function demands(name: string): ConnectionOptions {
  return {
    // Judged after the handshake, where the certificate can still be looked at.
    rejectUnauthorized: false,
    host: name,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    ...(isIP(name) === 0 && { servername: name }),
  };
}

/** Node gives the code of what is wrong, although its types say an error. */
function certificateFault(problem: Error | string): IoFault {
  const code = String(problem);
  return { type: 'io-fault', code, text: `the certificate cannot be trusted: ${code}` };
}

/** Of a stream whose certificate was found right: TLS 1.3 hands tickets out later, TLS 1.2 has its one. */
function keepSessions(stream: TLSSocket, sessions: SessionCache, key: string): void {
  if (stream.getProtocol() === 'TLSv1.3') {
    stream.on('session', (octets: Buffer) => sessions.keep(key, octets, true));
    return;
  }
  const session = stream.getSession();
  if (session !== undefined) sessions.keep(key, session, false);
}
