/**
 * TLS of both ends: certificates, versions and suites become what Node's TLS takes. TLS 1.2 and 1.3
 * only, ephemeral keys and authenticated encryption only (the profile of TS 33.210 clause 6.2, RFC
 * 8446 clause 9.1); older suites by an explicit switch.
 *
 * Certificates and keys are checked here once, so that a bad certificate is a value with a text at
 * the start or at a reload, and nothing that throws later.
 */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { type IoFault, ioFault } from './io-fault.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';
/**
 * `cbc`: suites with CBC and without forward secrecy are offered last: who gets the certificate's key
 * one day can read recordings. `null`: suites without encryption are preferred, everybody on the way
 * can read, and weak certificates are accepted; changes are noticed all the same.
 */
export type LegacyCiphers = 'none' | 'cbc' | 'null';

export interface TlsSettings {
  /** PEM of the authorities trusted in place of those that Node comes with. */
  readonly ca?: string | Buffer | undefined;
  /** PEM of the own certificate, with what it was issued by behind it, and of its key. */
  readonly certificate?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly minVersion: TlsVersion;
  readonly legacyCiphers: LegacyCiphers;
}

export type TlsRole = 'client' | 'server';

const MODERN = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const CBC = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA', 'AES128-SHA', 'AES256-SHA'];
const NULL = ['ECDHE-ECDSA-NULL-SHA', 'ECDHE-RSA-NULL-SHA', 'NULL-SHA256', 'NULL-SHA'];

/** OpenSSL has the suites without encryption at this security level only. */
const ANY_STRENGTH = '@SECLEVEL=0';

const CIPHERS: Readonly<Record<LegacyCiphers, string>> = {
  none: MODERN.join(':'),
  cbc: [...MODERN, ...CBC].join(':'),
  null: [...NULL, ...MODERN, ...CBC, ANY_STRENGTH].join(':'),
};

/** What both ends give to Node, once it is known to be usable. */
export function tlsOptions(settings: TlsSettings, role: TlsRole): SecureContextOptions | IoFault {
  const { ca, certificate: cert, key, minVersion, legacyCiphers } = settings;
  if ((cert === undefined) !== (key === undefined)) {
    return fault('tls.certificate and tls.key belong together: one of them is missing');
  }
  // A server leaves TLS 1.3 to those who come without the switch.
  const isCapped = legacyCiphers === 'null' && role === 'client';
  if (isCapped && minVersion !== 'TLSv1.2') {
    return fault('TLS 1.3 has no suite without encryption: set tls.min-version to 1.2');
  }
  for (const [name, pem] of Object.entries({ ca, certificate: cert, key })) {
    if (pem?.includes('-----BEGIN ') === false) return fault(`tls.${name}: no PEM in the file`);
  }
  return checked({
    minVersion,
    ciphers: CIPHERS[legacyCiphers],
    ...(isCapped && { maxVersion: 'TLSv1.2' }),
    ...(ca && { ca }),
    ...(cert && key && { cert, key }),
  });
}

function checked(options: SecureContextOptions): SecureContextOptions | IoFault {
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    return fault(contextProblem(error as Error));
  }
}

function contextProblem(error: Error): string {
  const { code, text } = ioFault(error);
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') {
    return 'tls.key is not the key of tls.certificate';
  }
  if (/passphrase|bad decrypt|PASSWORD|INTERRUPTED/i.test(`${code} ${text}`)) {
    return 'tls.key is encrypted: store it without a passphrase, readable by this program alone';
  }
  return `certificate, key or authorities cannot be used: ${text}`;
}

function fault(text: string): IoFault {
  return { type: 'io-fault', code: 'ETLS', text };
}
