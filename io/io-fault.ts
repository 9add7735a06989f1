/** Why the operating system would not do something: a value, because it happens in normal life. */

export interface IoFault {
  readonly type: 'io-fault';
  /** The name that the system gives it: `EADDRINUSE`, `ECONNREFUSED`, … */
  readonly code: string;
  /** One line for people. */
  readonly text: string;
}

export function ioFault(error: Error): IoFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN';
  return { type: 'io-fault', code, text: error.message };
}

export function isIoFault(value: object): value is IoFault {
  return 'type' in value && value.type === 'io-fault';
}
