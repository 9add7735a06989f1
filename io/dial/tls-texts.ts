/** What errors of TLS mean to people, and what they can do. */
import type { PeerCertificate } from 'node:tls';
import type { IoFault } from '../io-fault.ts';

type Certificate = Pick<PeerCertificate, 'valid_from' | 'valid_to' | 'subjectaltname'>;

const UNKNOWN_AUTHORITY =
  'nobody that is trusted here vouches for its certificate: set tls.ca to the authority that issued it, ' +
  'and let the server send what its certificate was issued by';
const NO_COMMON_VERSION =
  'it speaks none of the TLS versions allowed here: check tls.min-version at both ends';
const NO_COMMON_SUITE =
  'no suite is allowed at both ends (tls.legacy-ciphers), or it wants a client certificate (tls.certificate, tls.key)';
const CLIENT_CERTIFICATE =
  'it does not accept our client certificate: check tls.certificate, and the authorities that the server trusts';
const NO_TLS = 'what answers does not speak TLS: check the port, or use tcp:// for a plain one';

const PROBLEMS: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_REVOKED: 'its certificate was revoked: who runs the server must get another one',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_UNEXPECTED_MESSAGE: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_COMMON_SUITE,
  ERR_SSL_NO_CIPHERS_AVAILABLE: NO_COMMON_SUITE,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: NO_COMMON_SUITE,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it wants a client certificate: set tls.certificate and tls.key',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'our client certificate has expired: renew it',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'our client certificate was revoked: get another one',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: CLIENT_CERTIFICATE,
  ECONNRESET:
    'the connection was closed during the handshake: a firewall may not let TLS through, no TLS is spoken ' +
    'there, or it does not accept our client certificate',
};

/** `certificate`: the peer's, as far as it is known. */
export function tlsProblem(
  { code, text }: IoFault,
  name: string,
  certificate: Partial<Certificate> | null,
): string {
  const problem = certificateProblem(code, name, certificate ?? {}) ?? PROBLEMS[code] ?? text;
  return `TLS with ${name}: ${problem}`;
}

function certificateProblem(
  code: string,
  name: string,
  { valid_from, valid_to, subjectaltname }: Partial<Certificate>,
): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `its certificate expired on ${valid_to ?? 'a day unknown'}: it must be renewed, unless the clock here is wrong`;
    case 'CERT_NOT_YET_VALID':
      return `its certificate is valid from ${valid_from ?? 'a day unknown'} on: check the clock here and there`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for ${subjectaltname ?? 'no name'}, not for ${name}: dial one of those, or set tls.server-name`;
    default:
      return undefined;
  }
}
