/** Why a connection that had been made broke off, for people. */
import { ioFault } from '../io-fault.ts';
import { tlsProblem } from './tls-texts.ts';
import type { DialFault } from './types.ts';

export function streamFault(error: Error): DialFault {
  const fault = ioFault(error);
  if (fault.code.startsWith('ERR_SSL_') || fault.code.startsWith('ERR_TLS_')) {
    return { ...fault, stage: 'tls', text: tlsProblem(fault, 'the server', null) };
  }
  return { ...fault, stage: 'tcp', text: `the connection broke off: ${fault.text}` };
}
