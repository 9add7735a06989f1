import { once } from 'node:events';
import type { TLSSocket, TlsOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { dial } from '../../../io/dial/dial.ts';
import { DIRECT } from '../../../io/dial/types.ts';
import { TestAuthority } from '../../certificates.ts';
import { peerMissing } from '../../peers.ts';
import { dialled, first, LONG_MS, refused, timedOut } from './dialled.ts';
import { HOST, listen } from './listening.ts';
import { clientTls, listenTls } from './tls-server.ts';

let authority: TestAuthority;
let other: TestAuthority;

const missing = peerMissing('openssl');

/** Certificates are made by openssl. */
function tlsTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (missing === undefined) test(title, body);
  else test.skip(`${title} (${missing})`, body);
}

if (missing === undefined) {
  test.before(async () => {
    [authority, other] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  });
  test.after.always(() => Promise.all([authority.remove(), other.remove()]));
}

const trusting = () => clientTls({ ca: authority.certificate });

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only: TlsOptions = { minVersion: version, maxVersion: version };

  tlsTest(`[R-18] ${version}: octets both ways, certificate and name checked`, async (t) => {
    const server = await listenTls(t, await authority.issue(), only);
    const stream = await dialled<TLSSocket>(t, server.target, { tls: trusting() });
    t.is(stream.getProtocol(), version);
    t.true(stream.authorized);
    stream.write('up');
    const far = await server.stream(0);
    t.is(await first(far), 'up');
    far.write('down');
    t.is(await first(stream), 'down');
  });

  tlsTest(`[R-10] ${version}: further connections resume the session`, async (t) => {
    const server = await listenTls(t, await authority.issue(), only);
    const tls = trusting();
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      const stream = await dialled<TLSSocket>(t, server.target, { tls });
      reused.push(stream.isSessionReused());
      // Tickets of TLS 1.3 come before the first octet of the server.
      (await server.stream(i)).write('x');
      await first(stream);
      t.true(stream.authorized);
    }
    t.deepEqual(reused, [false, true, true]);
    // Others who trust, or name, something else begin anew.
    const fresh = await dialled<TLSSocket>(t, server.target, { tls: trusting() });
    t.false(fresh.isSessionReused());
    const byAddress = await dialled<TLSSocket>(t, { ...server.target, host: HOST }, { tls });
    t.false(byAddress.isSessionReused());
  });

  tlsTest(
    `${version}: a server that has said all may still be written to, and the reverse`,
    async (t) => {
      const server = await listenTls(t, await authority.issue(), only);
      const stream = await dialled<TLSSocket>(t, server.target, { tls: trusting() });
      const far = await server.stream(0);
      far.end('all I have to say');
      t.is(await first(stream), 'all I have to say');
      await once(stream, 'end');
      stream.end('x'.repeat(300_000));
      const got = await far.toArray();
      t.is(Buffer.concat(got).length, 300_000);
    },
  );

  tlsTest(`${version}: a server that wants a client certificate`, async (t) => {
    const wanting = { ...only, requestCert: true, ca: authority.certificate };
    const server = await listenTls(t, await authority.issue(), wanting);
    const own = await authority.issue({ names: 'DNS:client.example' });
    const tls = clientTls({ ...own, ca: authority.certificate });
    await dialled(t, server.target, { tls });
    const far = await server.stream(0);
    t.true(far.authorized);
    t.is(far.getPeerCertificate().subjectaltname, 'DNS:client.example');
  });
}

tlsTest('a server that does not get the client certificate that it wants', async (t) => {
  const wanting = { maxVersion: 'TLSv1.2', requestCert: true, ca: authority.certificate } as const;
  const server = await listenTls(t, await authority.issue(), wanting);
  const foreign = await other.issue();
  for (const tls of [trusting(), clientTls({ ...foreign, ca: authority.certificate })]) {
    const fault = await refused(server.target, { tls });
    t.is(fault.stage, 'tls');
    t.regex(fault.text, /client certificate/);
  }
});

tlsTest(
  'RFC 6066 3: the server gets the name that was dialled, and never an address',
  async (t) => {
    const names: unknown[] = [];
    const server = await listenTls(t, await authority.issue());
    for (const host of ['localhost', HOST]) {
      await dialled(t, { ...server.target, host }, { tls: trusting() });
    }
    const tls = clientTls({ ca: authority.certificate }, { serverName: 'localhost' });
    await dialled(t, { ...server.target, host: HOST }, { tls });
    for (let i = 0; i < 3; i++) names.push(Reflect.get(await server.stream(i), 'servername'));
    t.deepEqual(names, ['localhost', false, 'localhost']);
  },
);

const REFUSALS = [
  ['expired', { days: -3 }, 'CERT_HAS_EXPIRED', /expired on .* 20\d\d GMT: it must be renewed/],
  [
    'not yet valid',
    { startsInDays: 3, days: 5 },
    'CERT_NOT_YET_VALID',
    /valid from .* 20\d\d GMT on/,
  ],
  [
    'of another name',
    { names: 'DNS:other.example' },
    'ERR_TLS_CERT_ALTNAME_INVALID',
    /is for DNS:other\.example, not for localhost: .*tls\.server-name/,
  ],
] as const;

for (const [name, wishes, code, words] of REFUSALS) {
  tlsTest(
    `[R-18] a certificate that is ${name} is refused, unless nothing is checked`,
    async (t) => {
      const server = await listenTls(t, await authority.issue(wishes));
      const fault = await refused(server.target, { tls: trusting() });
      t.like(fault, { stage: 'tls', code });
      t.regex(fault.text, words);
      const tls = clientTls({}, { verify: false });
      const stream = await dialled<TLSSocket>(t, server.target, { tls });
      t.false(stream.authorized);
    },
  );
}

tlsTest(
  '[R-18] an authority that is not trusted, a certificate of nobody but itself',
  async (t) => {
    const server = await listenTls(t, await other.issue());
    for (const tls of [trusting(), clientTls({})]) {
      const fault = await refused(server.target, { tls });
      t.is(fault.stage, 'tls');
      t.regex(fault.text, /^TLS with localhost: nobody that is trusted here .* set tls\.ca/);
    }
  },
);

tlsTest('a session of a connection whose certificate was wrong is never resumed', async (t) => {
  const server = await listenTls(t, await authority.issue({ names: 'DNS:other.example' }), {
    maxVersion: 'TLSv1.2',
  });
  const tls = trusting();
  for (let i = 0; i < 2; i++) {
    t.is((await refused(server.target, { tls })).code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  }
});

tlsTest('[R-18] no version in common, no suite in common', async (t) => {
  const pair = await authority.issue({ rsa: true });
  const old = await listenTls(t, pair, {
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  });
  t.regex((await refused(old.target, { tls: trusting() })).text, /none of the TLS versions/);
  const twelve = await listenTls(t, pair, { maxVersion: 'TLSv1.2' });
  const modern = clientTls({ ca: authority.certificate, minVersion: 'TLSv1.3' });
  t.regex((await refused(twelve.target, { tls: modern })).text, /none of the TLS versions/);
  const cbc = await listenTls(t, pair, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' });
  t.regex(
    (await refused(cbc.target, { tls: trusting() })).text,
    /no suite is allowed at both ends/,
  );
});

tlsTest('[R-17] CBC and suites without encryption: by their switch, and not without', async (t) => {
  const pair = await authority.issue({ rsa: true });
  const ca = authority.certificate;
  const suite = async (legacyCiphers: 'cbc' | 'null', options: TlsOptions) => {
    const server = await listenTls(t, pair, options);
    const tls = clientTls({ ca, legacyCiphers });
    const stream = await dialled<TLSSocket>(t, server.target, { tls });
    stream.write('readable?');
    t.is(await first(await server.stream(0)), 'readable?');
    return stream.getCipher().standardName;
  };
  const cbc = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' } as const;
  t.is(await suite('cbc', cbc), 'TLS_RSA_WITH_AES_128_CBC_SHA');
  // A server that can do better is not made worse.
  t.regex(await suite('cbc', {}), /GCM|CHACHA/);
  const none = { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA:@SECLEVEL=0' } as const;
  t.is(await suite('null', none), 'TLS_RSA_WITH_NULL_SHA');
  t.regex(await suite('null', {}), /GCM|CHACHA/);
});

tlsTest(
  '[H-07] [H-08] through a proxy: no ClientHello before the 200, plain TLS behind it',
  async (t) => {
    const server = await listenTls(t, await authority.issue());
    let release: () => void = () => {};
    const proxy = await listen(t, async (peer) => {
      await peer.head();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      peer.say('HTTP/1.1 200 OK\r\n\r\n');
      await peer.join(server.port);
    });
    const options = { tls: trusting(), proxy: { host: HOST, port: proxy.port } };
    const dialling = dialled<TLSSocket>(t, server.target, options);
    while (proxy.heads.length === 0) await turn();
    for (let i = 0; i < 20; i++) await turn();
    t.is(proxy.peers[0]?.waiting, '');
    release();
    const stream = await dialling;
    stream.write('through');
    t.is(await first(await server.stream(0)), 'through');
    t.deepEqual(proxy.heads, [
      `CONNECT localhost:${server.port} HTTP/1.1\r\nHost: localhost:${server.port}\r\n\r\n`,
    ]);
  },
);

for (const [name, says] of [
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
  ['SMTP', '220 mail.example ESMTP\r\n'],
] as const) {
  tlsTest(`a server that speaks ${name} in place of TLS`, async (t) => {
    const server = await listen(t, async (peer) => {
      await peer.octets(1);
      peer.say(says);
    });
    const target = { host: HOST, port: server.port, tls: true };
    const fault = await refused(target, { tls: trusting() });
    t.is(fault.stage, 'tls');
    t.regex(fault.text, /does not speak TLS/);
  });
}

tlsTest('a connection that is closed, or falls silent, in the handshake', async (t) => {
  const closing = await listen(t, async (peer) => {
    await peer.octets(1);
    peer.socket.destroy();
  });
  const target = { host: HOST, port: closing.port, tls: true };
  const fault = await refused(target, { tls: trusting() });
  t.is(fault.stage, 'tls');
  t.regex(fault.text, /closed during the handshake/);

  const silent = await listen(t);
  const there = { host: HOST, port: silent.port, tls: true };
  t.like(await timedOut('tls', there, { tls: trusting() }), { stage: 'tls', code: 'ETIMEDOUT' });
  const second = await listen(t);
  const elsewhere = { host: HOST, port: second.port, tls: true };
  const { result, abandon } = dial(elsewhere, { ...DIRECT, tls: trusting() }, LONG_MS);
  while ((second.peers[0]?.waiting ?? '') === '') await turn();
  abandon();
  t.like(await result, { stage: 'tls', code: 'ECANCELED' });
  while (!second.peers.every(({ socket }) => socket.readableEnded || socket.destroyed))
    await turn();
});

tlsTest(
  'a write that fits into a segment is one record: the tunnel decides what travels together',
  async (t) => {
    const server = await listenTls(t, await authority.issue());
    let carried = Buffer.alloc(0);
    const wire = await listen(t, async (peer) => {
      await peer.join(server.port);
      peer.socket.on('data', (chunk) => {
        carried = Buffer.concat([carried, chunk]);
      });
    });
    const target = { ...server.target, port: wire.port };
    const stream = await dialled<TLSSocket>(t, target, { tls: trusting() });
    stream.write('after the handshake');
    const far = await server.stream(0);
    t.is(await first(far), 'after the handshake');
    carried = Buffer.alloc(0);
    stream.write(Buffer.alloc(1_300, 'x'));
    for (let got = 0; got < 1_300; ) got += (await once(far, 'data'))[0].length;
    // One header of five octets, then all the rest.
    t.is(carried.readUInt16BE(3), carried.length - 5);
  },
);

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
