/** TLS as TEP-C speaks it: whom it trusts, and the sessions that it can resume. */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { SessionCache } from './session-cache.ts';

export interface TlsChecks {
  /** False: any certificate will do. Who is on the way can then be the peer. */
  readonly verify: boolean;
  /** The name that the certificate must be for, where it is not the name that was dialled. */
  readonly serverName?: string | undefined;
}

/** One for all connections of an agent; a new one when files were read again. */
export class ClientTls {
  readonly context: SecureContext;
  readonly checks: TlsChecks;
  readonly sessions = new SessionCache();

  /** `options` as `tlsOptions` gives them. */
  constructor(options: SecureContextOptions, checks: TlsChecks) {
    this.context = createSecureContext(options);
    this.checks = checks;
  }
}
