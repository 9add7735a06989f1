/** A certificate for names of hosts in a lab, signed by itself: who trusts it needs no other. */
import { join } from 'node:path';
import { runTool } from './tool.ts';

/** Names of files. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export async function makeCertificate(
  folder: string,
  names: readonly string[],
): Promise<Certificate> {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  await runTool({
    program: 'openssl',
    args: [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', `/CN=${names[0]}`],
      ...['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`],
    ],
  });
  return { certificate, key };
}
