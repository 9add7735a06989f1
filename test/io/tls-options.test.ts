import test from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { type TlsSettings, tlsOptions } from '../../io/tls-options.ts';
import { TestAuthority } from '../certificates.ts';
import { peerOutput, peerTest } from '../peers.ts';

const MODERN: TlsSettings = { minVersion: 'TLSv1.2', legacyCiphers: 'none' };

function problem(settings: Partial<TlsSettings>): string {
  const options = tlsOptions({ ...MODERN, ...settings }, 'client');
  return isIoFault(options) ? options.text : '';
}

test('[R-18] by default: TLS 1.2 and 1.3, ephemeral keys, authenticated encryption', (t) => {
  for (const role of ['client', 'server'] as const) {
    const options = tlsOptions(MODERN, role);
    if (isIoFault(options)) return t.fail(options.text);
    t.is(options.minVersion, 'TLSv1.2');
    t.is(options.maxVersion, undefined);
    for (const suite of options.ciphers?.split(':') ?? [])
      t.regex(suite, /^(TLS_|ECDHE-).*(GCM|CHACHA20)/);
  }
});

test('[R-17] without encryption there is no TLS 1.3: a client is held at 1.2, a server is not', (t) => {
  const client = tlsOptions({ ...MODERN, legacyCiphers: 'null' }, 'client');
  const server = tlsOptions({ ...MODERN, legacyCiphers: 'null' }, 'server');
  t.like(client, { maxVersion: 'TLSv1.2' });
  t.is(isIoFault(server) ? '' : server.maxVersion, undefined);
  t.regex(
    problem({ minVersion: 'TLSv1.3', legacyCiphers: 'null' }),
    /set tls\.min-version to 1\.2/,
  );
});

peerTest('openssl', 'certificates and keys that cannot be used are told as such', async (t) => {
  const authority = await TestAuthority.make();
  const [mine, foreign] = [await authority.issue(), await authority.issue()];
  const args = ['pkey', '-aes256', '-passout', 'pass:x', '-in', mine.keyFile];
  const encrypted = await peerOutput('openssl', args);
  await authority.remove();
  const { certificate, key } = mine;
  t.is(problem({ certificate, key, ca: authority.certificate }), '');
  t.is(problem({ certificate: Buffer.from(certificate), key: Buffer.from(key) }), '');
  t.regex(problem({ certificate }), /belong together/);
  t.regex(problem({ key }), /belong together/);
  t.regex(
    problem({ certificate, key: foreign.key }),
    /tls\.key is not the key of tls\.certificate/,
  );
  t.regex(problem({ certificate, key: encrypted }), /without a passphrase/);
  t.regex(problem({ ca: 'no certificate' }), /tls\.ca: no PEM/);
  const broken = certificate.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  t.regex(problem({ certificate: broken, key }), /cannot be used/);
});
