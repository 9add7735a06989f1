/** Certificates for tests, made by openssl in a temporary folder: good ones, and all kinds of bad. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerOutput } from './peers.ts';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface CertificateWishes {
  readonly names?: string;
  /** Days from today on; negative: it ended so many days ago. */
  readonly days?: number;
  readonly startsInDays?: number;
  /** RSA, for suites that need it. */
  readonly rsa?: boolean;
}

const DAY_MS = 86_400_000;
const LOCAL = 'DNS:localhost,IP:127.0.0.1,IP:::1';
/** As much of a certification authority as `openssl ca` wants to have described. */
const CONFIGURATION = `[ca]
default_ca = test
[test]
dir = .
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

export class TestAuthority {
  readonly #folder: string;
  readonly file: string;
  readonly certificate: string;
  #count = 0;
  #latest: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, certificate: string) {
    this.#folder = folder;
    this.file = join(folder, 'ca.pem');
    this.certificate = certificate;
  }

  static async make(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'tep-certificates-'));
    await writeFile(join(folder, 'index'), '');
    await writeFile(join(folder, 'ca.cnf'), CONFIGURATION);
    await openssl(folder, [
      ...['req', '-x509', '-subj', '/CN=authority for tests', '-days', '2', '-out', 'ca.pem'],
      ...['-keyout', 'ca.key', '-nodes', ...keyKind(false)],
    ]);
    return new TestAuthority(folder, await readFile(join(folder, 'ca.pem'), 'utf8'));
  }

  /** One after the other: they share an index. */
  issue(wishes: CertificateWishes = {}): Promise<KeyPair> {
    const issued = this.#latest.then(() => this.#issue(wishes));
    this.#latest = issued.catch(() => {});
    return issued;
  }

  async remove(): Promise<void> {
    await this.#latest;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #issue({ names = LOCAL, days = 2, startsInDays = -1, rsa = false }: CertificateWishes) {
    const base = join(this.#folder, `leaf${this.#count++}`);
    await openssl(this.#folder, [
      ...['req', '-new', '-subj', '/CN=test', '-addext', `subjectAltName=${names}`],
      ...['-keyout', `${base}.key`, '-out', `${base}.csr`, '-nodes', ...keyKind(rsa)],
    ]);
    // A certificate that ended began before that.
    const begin = days < 0 ? days - 1 : startsInDays;
    await openssl(this.#folder, [
      ...['ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'],
      ...['-startdate', dateIn(begin), '-enddate', dateIn(Math.max(days, begin + 1))],
      ...['-in', `${base}.csr`, '-out', `${base}.pem`],
    ]);
    return this.#pair(base);
  }

  async #pair(base: string): Promise<KeyPair> {
    const certificateFile = `${base}.pem`;
    const keyFile = `${base}.key`;
    const certificate = await readFile(certificateFile, 'utf8');
    return { certificate, key: await readFile(keyFile, 'utf8'), certificateFile, keyFile };
  }
}

function openssl(folder: string, args: readonly string[]): Promise<string> {
  return peerOutput('openssl', args, folder);
}

function keyKind(rsa: boolean): string[] {
  return rsa
    ? ['-newkey', 'rsa:2048']
    : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
}

/** YYYYMMDDHHMMSSZ, as `openssl ca` takes it. */
function dateIn(days: number): string {
  const text = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${text.replace(/\D/g, '').slice(0, 14)}Z`;
}
