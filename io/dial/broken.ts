/** Why a connection that had been made broke off, for people. */
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type IoFault, ioFault } from '../io-fault.ts';
import { tlsProblem } from './tls-texts.ts';
import type { DialFault } from './types.ts';

/** Tells of an error, and of a server that ends the connection before it has said anything. */
export function whenBroken(stream: Duplex, tell: (fault: DialFault) => void): void {
  let hasSpoken = false;
  stream.once('data', () => {
    hasSpoken = true;
  });
  stream.once('end', () => {
    if (!hasSpoken) tell(withoutWord(stream, 'ECONNRESET'));
  });
  stream.once('error', (error) => {
    const fault = ioFault(error);
    const isReset = fault.code === 'ECONNRESET' || fault.code === 'EPIPE';
    tell(isReset && !hasSpoken ? withoutWord(stream, fault.code) : faultOf(fault));
  });
}

/** In TLS 1.3 a server says only after the handshake that it does not like our certificate. */
function faultOf(fault: IoFault): DialFault {
  if (!/^ERR_(?:SSL|TLS)_/.test(fault.code)) {
    return { ...fault, stage: 'tcp', text: `the connection broke off: ${fault.text}` };
  }
  return { ...fault, stage: 'tls', text: tlsProblem(fault, 'the server', null) };
}

function withoutWord(stream: Duplex, code: string): DialFault {
  const isTls = stream instanceof TLSSocket;
  const mayWant = isTls ? 'want a client certificate (tls.certificate, tls.key), ' : '';
  const text = `the server ended the connection without a word: it may ${mayWant}have too many connections, or be no TEP-S`;
  return { type: 'io-fault', stage: isTls ? 'tls' : 'tcp', code, text };
}
