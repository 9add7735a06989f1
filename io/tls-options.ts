/**
 * TLS of both ends: PEM files, versions and suites become what Node's TLS takes. TLS 1.2 and 1.3
 * only, ephemeral keys and authenticated encryption only (the profile of TS 33.210 clause 6.2, RFC
 * 8446 clause 9.1); older suites by an explicit switch.
 *
 * What stands in the files is checked here once, so that a bad certificate is a value with a text at
 * the start or at a reload, and nothing that throws later.
 */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { type IoFault, ioFault, isIoFault } from './io-fault.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';
export type LegacyCiphers = 'none' | 'cbc' | 'null';

/** What the switch does, for help, log and `tep doctor`. */
export const LEGACY_MEANING: Readonly<Record<LegacyCiphers, string>> = {
  none: 'only ephemeral keys and authenticated encryption',
  cbc:
    'suites with CBC and without forward secrecy (TLS_RSA_WITH_AES_128_CBC_SHA) are offered last: ' +
    'who gets the key of the certificate can read recordings',
  null:
    'suites without encryption (TLS_RSA_WITH_NULL_SHA) are preferred: everybody on the way can read ' +
    'what passes; it cannot be changed unnoticed. TLS 1.2 only; weak certificates are accepted',
};

export interface TlsSettings {
  /** PEM file of the authorities trusted in place of the public ones. */
  readonly ca?: string | undefined;
  /** PEM files of the own certificate, with what it was issued by behind it, and of its key. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
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

/** Reads the files and checks that they fit together. */
export async function readTls(
  settings: TlsSettings,
  role: TlsRole,
): Promise<SecureContextOptions | IoFault> {
  const ca = await readPem(settings.ca);
  const cert = await readPem(settings.certificate);
  const key = await readPem(settings.key);
  for (const file of [ca, cert, key]) if (typeof file === 'object') return file;
  const options = tlsOptions(settings, role);
  if (isIoFault(options)) return options;
  return checked({ ...options, ...pem('ca', ca), ...pem('cert', cert), ...pem('key', key) });
}

/** Versions and suites alone. */
export function tlsOptions(
  { minVersion, legacyCiphers }: Pick<TlsSettings, 'minVersion' | 'legacyCiphers'>,
  role: TlsRole,
): SecureContextOptions | IoFault {
  const ciphers = CIPHERS[legacyCiphers];
  // A server leaves TLS 1.3 to those who come without the switch.
  if (legacyCiphers !== 'null' || role === 'server') return { minVersion, ciphers };
  if (minVersion === 'TLSv1.2') return { minVersion, maxVersion: 'TLSv1.2', ciphers };
  return fault('TLS 1.3 has no suite without encryption: set tls.min-version to TLSv1.2');
}

async function readPem(file: string | undefined): Promise<string | undefined | IoFault> {
  if (file === undefined) return undefined;
  try {
    const text = await readFile(file, 'latin1');
    return text.includes('-----BEGIN ') ? text : fault(`${file}: no PEM file`);
  } catch (error) {
    return ioFault(error as Error);
  }
}

function pem(name: 'ca' | 'cert' | 'key', text: string | undefined | IoFault) {
  return typeof text === 'string' ? { [name]: text } : {};
}

function checked(options: SecureContextOptions): SecureContextOptions | IoFault {
  if ((options.cert === undefined) !== (options.key === undefined)) {
    return fault('tls.certificate and tls.key belong together: one of them is missing');
  }
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
