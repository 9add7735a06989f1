/** Whether a certificate and its key can be used, and for how long. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { LoadedFile } from '../../config/file-kinds.ts';
import { type Finding, Findings } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

export interface CertificateFiles {
  readonly 'tls.certificate': LoadedFile | undefined;
  readonly 'tls.key': LoadedFile | undefined;
}

export function certificateFindings(files: CertificateFiles, nowMs: number): Finding[] {
  const certificate = files['tls.certificate'];
  if (certificate === undefined) return [];
  const findings = new Findings('certificate');
  const read = readCertificate(certificate);
  if (typeof read === 'string') {
    findings.problem(`${certificate.path}: ${read}`, 'tls.certificate must be a PEM certificate');
    return findings.list;
  }
  judgeDates(read, certificate.path, nowMs, findings);
  judgeKey(read, files['tls.key'], findings);
  return findings.list;
}

function readCertificate({ octets }: LoadedFile): X509Certificate | string {
  try {
    return new X509Certificate(octets);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function judgeDates(
  certificate: X509Certificate,
  path: string,
  nowMs: number,
  findings: Findings,
): void {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const daysLeft = Math.floor((to - nowMs) / DAY_MS);
  if (nowMs > to) {
    findings.problem(`${path} expired on ${day(to)}`, 'renew it, then reload the agent (SIGHUP)');
  } else if (nowMs < from) {
    findings.problem(
      `${path} is not valid before ${day(from)}`,
      'look at the clock of this machine, or wait',
    );
  } else if (daysLeft < SOON_DAYS) {
    findings.warning(
      `${path} expires in ${daysLeft} days, on ${day(to)}`,
      'renew it, then reload the agent (SIGHUP)',
    );
  } else findings.ok(`${path} is valid until ${day(to)}`);
}

function judgeKey(
  certificate: X509Certificate,
  key: LoadedFile | undefined,
  findings: Findings,
): void {
  if (key === undefined) return;
  try {
    if (certificate.checkPrivateKey(createPrivateKey(key.octets))) {
      findings.ok(`${key.path} is the key of the certificate`);
    } else {
      findings.problem(
        `${key.path} is not the key of the certificate`,
        'tls.certificate and tls.key must belong together',
      );
    }
  } catch {
    findings.problem(
      `${key.path} is no private key that can be used`,
      'it must be PEM without a passphrase, and hold the key only',
    );
  }
}
