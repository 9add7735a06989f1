/** A certificate for the names and addresses of TEP-S in a lab, signed by itself. */
import { join } from 'node:path';
import { SERVER_NAME } from '../../lab/sites.ts';
import { runTool } from '../../lab/tool.ts';
import type { Certificate } from './agents.ts';

export async function makeCertificate(folder: string): Promise<Certificate> {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  await runTool({
    program: 'openssl',
    args: [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', `/CN=${SERVER_NAME}`],
      ...['-addext', `subjectAltName=DNS:${SERVER_NAME}`],
    ],
  });
  return { certificate, key };
}
