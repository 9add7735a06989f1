/** The dial against OpenSSL's own server: what it does not let pass, and what it says about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { whenBroken } from '../../io/dial/broken.ts';
import type { ClientTls } from '../../io/dial/client-tls.ts';
import { dial } from '../../io/dial/dial.ts';
import { DIRECT, type DialFault, type ServerTarget } from '../../io/dial/types.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { type CertificateWishes, type KeyPair, TestAuthority } from '../certificates.ts';
import { dialled, first, LONG_MS, refused } from '../io/dial/dialled.ts';
import { listen } from '../io/dial/listening.ts';
import { clientTls } from '../io/dial/tls-server.ts';
import { peerMissing, peerTest } from '../peers.ts';
import { freePorts } from './ports.ts';
import { HOST } from './proxies.ts';

let authority: TestAuthority;
let other: TestAuthority;

if (peerMissing('openssl') === undefined) {
  test.before(async () => {
    [authority, other] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  });
  test.after.always(() => Promise.all([authority.remove(), other.remove()]));
}

const trusting = () => clientTls({ ca: authority.certificate });

/** Sends every line back, reversed. */
async function serve(
  t: ExecutionContext,
  { certificateFile, keyFile }: KeyPair,
  ...options: readonly string[]
): Promise<ServerTarget> {
  const [port = 0] = await freePorts(1, HOST);
  const files = ['-cert', certificateFile, '-key', keyFile];
  const where = ['-accept', `${HOST}:${port}`];
  const child = spawn('openssl', ['s_server', ...where, ...files, '-rev', ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ACCEPT')) break;
  }
  child.stdout.resume();
  return { host: 'localhost', port, tls: true };
}

async function reversed(stream: TLSSocket, text: string): Promise<string> {
  stream.write(`${text}\n`);
  return (await first(stream)).trim();
}

for (const [option, version] of [
  ['-tls1_2', 'TLSv1.2'],
  ['-tls1_3', 'TLSv1.3'],
] as const) {
  peerTest(
    'openssl',
    `[R-18] [R-10] s_server ${option}: lines both ways, session resumed`,
    async (t) => {
      const target = await serve(t, await authority.issue(), option);
      const tls = trusting();
      for (const isReused of [false, true, true]) {
        const stream = await dialled<TLSSocket>(t, target, { tls });
        t.is(await reversed(stream, 'abc'), 'cba');
        t.is(stream.getProtocol(), version);
        t.is(stream.isSessionReused(), isReused);
        stream.destroy();
      }
    },
  );

  peerTest('openssl', `s_server ${option} wants a client certificate`, async (t) => {
    const verify = ['-Verify', '1', '-verify_return_error', '-CAfile', authority.file];
    const target = await serve(t, await authority.issue(), option, ...verify);
    const tls = clientTls({ ...(await authority.issue()), ca: authority.certificate });
    const stream = await dialled<TLSSocket>(t, target, { tls });
    t.is(await reversed(stream, 'abc'), 'cba');
    stream.destroy();
    t.regex(await whyNot(target, trusting()), /wants a client certificate.*tls\.certificate/);
    const foreign = clientTls({ ...(await other.issue()), ca: authority.certificate });
    t.regex(await whyNot(target, foreign), /does not accept our client certificate/);
  });
}

/** Why a connection is of no use: TLS 1.3 says so only when it seems to be made. */
async function whyNot(target: ServerTarget, tls: ClientTls): Promise<string> {
  const stream = await dial(target, { ...DIRECT, tls }, LONG_MS).result;
  if (isIoFault(stream)) return stream.text;
  const { text } = await new Promise<DialFault>((resolve) => whenBroken(stream, resolve));
  return text;
}

peerTest('openssl', '[R-18] s_server -tls1_1: nothing that old is spoken', async (t) => {
  const old = ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0'];
  const target = await serve(t, await authority.issue({ rsa: true }), ...old);
  t.regex((await refused(target, { tls: trusting() })).text, /none of the TLS versions/);
});

for (const [name, wishes, code] of [
  ['expired', { days: -3 }, 'CERT_HAS_EXPIRED'],
  ['not yet valid', { startsInDays: 3, days: 5 }, 'CERT_NOT_YET_VALID'],
  ['of another name', { names: 'DNS:other.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
] as ReadonlyArray<readonly [string, CertificateWishes, string]>) {
  peerTest('openssl', `[R-18] s_server with a certificate that is ${name}`, async (t) => {
    const target = await serve(t, await authority.issue(wishes));
    t.like(await refused(target, { tls: trusting() }), { stage: 'tls', code });
  });
}

peerTest('openssl', '[R-18] s_server with a certificate of an unknown authority', async (t) => {
  const target = await serve(t, await other.issue());
  t.regex((await refused(target, { tls: trusting() })).text, /nobody that is trusted here/);
});

for (const [legacyCiphers, cipher, standardName, isReadable] of [
  ['cbc', 'AES128-SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA', false],
  ['null', 'NULL-SHA', 'TLS_RSA_WITH_NULL_SHA', true],
  ['null', 'NULL-SHA256', 'TLS_RSA_WITH_NULL_SHA256', true],
  ['null', 'ECDHE-RSA-NULL-SHA', 'TLS_ECDHE_RSA_WITH_NULL_SHA', true],
] as const) {
  peerTest(
    'openssl',
    `[R-17] [M-09] s_server with ${cipher} alone, and the switch for it`,
    async (t) => {
      const only = ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`];
      const target = await serve(t, await authority.issue({ rsa: true }), ...only);
      t.regex(
        (await refused(target, { tls: trusting() })).text,
        /no suite is allowed at both ends/,
      );
      let wire = '';
      const relay = await listen(t, async (peer) => {
        await peer.join(target.port);
        peer.socket.on('data', (chunk) => {
          wire += chunk.toString('latin1');
        });
      });
      const tls = clientTls({ ca: authority.certificate, legacyCiphers });
      const stream = await dialled<TLSSocket>(t, { ...target, port: relay.port }, { tls });
      t.is(await reversed(stream, 'can you read this'), 'siht daer uoy nac');
      t.is(stream.getCipher().standardName, standardName);
      t.is(wire.includes('can you read this'), isReadable);
    },
  );
}
