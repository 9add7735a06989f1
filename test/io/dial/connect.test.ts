import test from 'ava';
import { ProxyLogin } from '../../../framing/connect/login.ts';
import { DEFAULT_MARKER } from '../../../framing/connect/request.ts';
import { dial } from '../../../io/dial/dial.ts';
import { DIRECT, type ProxyTarget, type TransportOptions } from '../../../io/dial/types.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { dialled, first, LONG_MS, plain, refused, timedOut } from './dialled.ts';
import { closedPort, HOST, type Listening, listen, type Peer } from './listening.ts';

const PASSWORD = 'open sesame';
/** Nobody looks this name up but the proxy. */
const TARGET = { host: 'tep.example', port: 80, tls: false };
const OK = 'HTTP/1.1 200 Connection established\r\n\r\n';

function login(): ProxyLogin {
  return new ProxyLogin({ name: 'alice', password: PASSWORD }, (n) => new Uint8Array(n).fill(7));
}

function by(proxy: Listening, withLogin?: ProxyLogin): Partial<TransportOptions> {
  const target: ProxyTarget = { host: HOST, port: proxy.port, login: withLogin };
  return { proxy: target, marker: DEFAULT_MARKER };
}

/** Answers each request of a connection in turn, then goes on as an echo. */
async function answer(peer: Peer, ...answers: string[]): Promise<void> {
  for (const text of answers) {
    await peer.head();
    peer.say(text);
  }
}

function challenge(fields: string, content = 'who?'): string {
  return `HTTP/1.1 407 Proxy Authentication Required\r\n${fields}\r\nContent-Length: ${content.length}\r\n\r\n${content}`;
}

const BASIC = challenge('Proxy-Authenticate: Basic realm="p"');
const digest = (more = '') =>
  challenge(
    `Proxy-Authenticate: Digest realm="p", nonce="n", qop="auth", algorithm=SHA-256${more}`,
  );

test('[H-01] [H-05] [H-10] the request that a proxy gets, and octets both ways behind it', async (t) => {
  const proxy = await listen(t, (peer) => answer(peer, OK));
  const stream = await dialled(t, TARGET, by(proxy));
  t.deepEqual(proxy.heads, [
    'CONNECT tep.example:80 HTTP/1.1\r\nHost: tep.example:80\r\nUser-Agent: 3GPP-IMS-FS_FIRE/1.0\r\n\r\n',
  ]);
  stream.write('up');
  t.is(await proxy.peers[0]?.octets(2), 'up');
  proxy.peers[0]?.say('down');
  t.is(await first(stream), 'down');
});

test('[H-13] [H-07] not an octet before the positive answer, however late it is', async (t) => {
  let release: () => void = () => {};
  const proxy = await listen(t, async (peer) => {
    await peer.head();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    peer.say(OK);
  });
  const dialling = dialled(t, TARGET, by(proxy));
  while (proxy.heads.length === 0) await turn();
  for (let i = 0; i < 20; i++) await turn();
  t.is(proxy.peers[0]?.waiting, '');
  release();
  (await dialling).write('now');
  t.is(await proxy.peers[0]?.octets(3), 'now');
});

test('[H-11] 204 and 299, HTTP/1.0, a wrong length: what follows the head is the tunnel', async (t) => {
  for (const head of [
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 299 Fine\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  ]) {
    const proxy = await listen(t, (peer) => answer(peer, `${head}early octets`));
    const stream = await dialled(t, TARGET, by(proxy));
    t.is(await first(stream), 'early octets', head);
  }
});

test('an answer that comes octet by octet', async (t) => {
  const proxy = await listen(t, async (peer) => {
    await peer.head();
    for (const character of `${OK}x`) {
      peer.say(character);
      await turn();
    }
  });
  const stream = await dialled(t, TARGET, by(proxy));
  t.is(await first(stream), 'x');
});

test('[H-05] Basic when asked, on the same connection where the proxy keeps it', async (t) => {
  const proxy = await listen(t, (peer) => answer(peer, BASIC, OK));
  const known = login();
  await dialled(t, TARGET, by(proxy, known));
  t.is(proxy.peers.length, 1);
  t.notRegex(proxy.heads[0] ?? '', /authorization/i);
  t.regex(proxy.heads[1] ?? '', /\r\nProxy-Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=\r\n/);
  // The next connection does not have to be asked.
  const second = await listen(t, (peer) => answer(peer, OK));
  await dialled(t, TARGET, by(second, known));
  t.regex(second.heads[0] ?? '', /Proxy-Authorization: Basic/);
});

for (const [name, text] of [
  ['chunked content', chunked('Proxy-Authenticate: Basic realm="p"')],
  [
    'HTTP/1.0 that is kept',
    BASIC.replace('1.1 407', '1.0 407').replace('Content', 'Connection: keep-alive\r\nContent'),
  ],
] as const) {
  test(`[H-05] a 407 with ${name}: the next request goes over the same connection`, async (t) => {
    const proxy = await listen(t, (peer) => answer(peer, text, OK));
    await dialled(t, TARGET, by(proxy, login()));
    t.deepEqual([proxy.peers.length, proxy.heads.length], [1, 2]);
  });
}

for (const [name, text] of [
  ['Connection: close', BASIC.replace('Content', 'Connection: close\r\nContent')],
  ['Proxy-Connection: close', BASIC.replace('Content', 'Proxy-Connection: close\r\nContent')],
  ['HTTP/1.0', BASIC.replace('1.1 407', '1.0 407')],
  [
    'content without an end',
    `HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="p"\r\n\r\n${'x'.repeat(300_000)}`,
  ],
  ['octets that nobody asked for', `${BASIC}HTTP/1.1 200 OK\r\n\r\n`],
] as const) {
  test(`[H-05] a 407 with ${name}: the next request goes over a new connection`, async (t) => {
    const proxy = await listen(t, (peer, count) => answer(peer, count === 0 ? text : OK));
    await dialled(t, TARGET, by(proxy, login()));
    t.deepEqual([proxy.peers.length, proxy.heads.length], [2, 2]);
  });
}

test('[H-05] a 407 whose content comes late: not an octet before its end', async (t) => {
  let waiting = '';
  const proxy = await listen(t, async (peer) => {
    await peer.head();
    peer.say(BASIC.slice(0, -4));
    for (let i = 0; i < 20; i++) await turn();
    waiting = peer.waiting;
    peer.say(BASIC.slice(-4));
    await answer(peer, OK);
  });
  await dialled(t, TARGET, by(proxy, login()));
  t.is(waiting, '');
  t.deepEqual([proxy.peers.length, proxy.heads.length], [1, 2]);
});

test('[H-05] a proxy that closes behind its 407, or instead of the next answer', async (t) => {
  for (const closesLate of [false, true]) {
    const proxy = await listen(t, async (peer, count) => {
      await answer(peer, count === 0 ? BASIC : OK);
      if (count > 0) return;
      if (closesLate) await peer.head();
      peer.socket.end();
    });
    await dialled(t, TARGET, by(proxy, login()));
    t.is(proxy.peers.length, 2);
  }
});

test('[H-05] Digest: answered once, then counted; a nonce that is too old is renewed', async (t) => {
  const known = login();
  const proxy = await listen(t, (peer, count) =>
    count === 0 ? answer(peer, digest(), OK) : answer(peer, digest(', stale=true'), OK),
  );
  await dialled(t, TARGET, by(proxy, known));
  await dialled(t, TARGET, by(proxy, known));
  const sent = proxy.heads.map((head) =>
    /Proxy-Authorization: (\w+).*nc=(\d+)/.exec(head)?.slice(1),
  );
  t.deepEqual(sent, [
    undefined,
    ['Digest', '00000001'],
    ['Digest', '00000002'],
    ['Digest', '00000001'],
  ]);
  t.regex(proxy.heads[1] ?? '', /uri="tep\.example:80"/);
});

test('[H-12] wrong credentials: two requests, a clear text, no secret in it', async (t) => {
  for (const text of [BASIC, digest()]) {
    const proxy = await listen(t, (peer) => answer(peer, text, text, text, text, text));
    const fault = await refused(TARGET, by(proxy, login()));
    t.like(fault, { stage: 'proxy', code: 'HTTP 407' });
    t.regex(
      fault.text,
      /407 Proxy Authentication Required: user name or password of the proxy is wrong/,
    );
    t.notRegex(JSON.stringify(fault), /sesame|YWxpY2U/);
    t.is(proxy.heads.length, 2);
  }
});

test('[H-12] a proxy that says "too old" for ever is not asked for ever', async (t) => {
  const stale = digest(', stale=true');
  const proxy = await listen(t, (peer) => answer(peer, ...Array(50).fill(stale)));
  t.like(await refused(TARGET, by(proxy, login())), { stage: 'proxy', code: 'HTTP 407' });
  t.is(proxy.heads.length, 4);
});

test('[H-12] a proxy that wants credentials: none there, or of a kind that we do not know', async (t) => {
  const proxy = await listen(t, (peer) =>
    answer(peer, challenge('Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM')),
  );
  t.regex((await refused(TARGET, by(proxy))).text, /it wants a user/);
  t.regex(
    (await refused(TARGET, by(proxy, login()))).text,
    /it wants negotiate, ntlm; Basic and Digest/,
  );
});

for (const [status, words] of [
  ['401 Unauthorized', /user name or password/],
  ['403 Forbidden', /does not allow CONNECT to tep\.example:80.*443/],
  ['405 Method Not Allowed', /does not allow CONNECT/],
  ['404 Not Found', /does not do CONNECT/],
  ['429 Too Many Requests', /too many requests/],
  ['500 Unable to connect', /no way to tep\.example:80/],
  ['502 Bad Gateway', /no way to tep\.example:80/],
  ['503 Service Unavailable', /no way to/],
  ['504 Gateway Timeout', /no way to/],
  ['301 Moved Permanently', /no tunnel to/],
] as const) {
  test(`[H-12] the proxy answers ${status}: told, with what to do`, async (t) => {
    const proxy = await listen(t, (peer) =>
      answer(peer, `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`),
    );
    const fault = await refused(TARGET, by(proxy));
    t.like(fault, { stage: 'proxy', code: `HTTP ${status.slice(0, 3)}` });
    t.true(
      fault.text.startsWith(`the proxy 127.0.0.1:${proxy.port} answers ${status}: `),
      fault.text,
    );
    t.regex(fault.text, words);
  });
}

for (const [name, text, code, words] of [
  ['another protocol', '220 mail.example ESMTP\r\n', 'EPROTO', /does not speak HTTP/],
  ['half a head', 'HTTP/1.1 200 OK\r\n', 'EPROTO', /closes the connection in place of an answer/],
  ['nothing', '', 'EPROTO', /closes the connection in place of an answer/],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(9_000)}`, 'EPROTO', /without end/],
] as const) {
  test(`[H-12] the proxy says ${name}`, async (t) => {
    const proxy = await listen(t, async (peer) => {
      await peer.head();
      peer.socket.end(text);
    });
    const fault = await refused(TARGET, by(proxy));
    t.like(fault, { stage: 'proxy', code });
    t.regex(fault.text, words);
  });
}

test('[H-12] a proxy that resets, and one that is not there', async (t) => {
  const proxy = await listen(t, async (peer) => {
    await peer.head();
    peer.socket.resetAndDestroy();
  });
  t.like(await refused(TARGET, by(proxy)), { stage: 'proxy', code: 'ECONNRESET' });
  const port = await closedPort();
  const fault = await refused(TARGET, { proxy: { host: HOST, port } });
  t.like(fault, { stage: 'tcp', code: 'ECONNREFUSED' });
  t.true(fault.text.startsWith(`the proxy 127.0.0.1:${port}: nothing listens on port ${port}`));
});

test('[H-12] a proxy that never answers: given up in time, and when nobody wants it any more', async (t) => {
  const proxy = await listen(t, (peer) => peer.head());
  const fault = await timedOut('proxy', TARGET, by(proxy));
  t.like(fault, { stage: 'proxy', code: 'ETIMEDOUT' });
  t.regex(
    fault.text,
    /waiting for the answer of the proxy .* to CONNECT tep\.example:80: no result in \d+ ms/,
  );
  const other = await listen(t, (peer) => peer.head());
  const { result, abandon } = dial(TARGET, { ...DIRECT, ...by(other) }, LONG_MS);
  while (other.heads.length === 0) await turn();
  abandon();
  t.like(await result, { stage: 'proxy', code: 'ECANCELED' });
  while (!other.peers.every(({ socket }) => socket.destroyed || socket.readableEnded)) await turn();
});

test('[H-12] a proxy that drips its answer is given up in time', async (t) => {
  const proxy = await listen(t, async (peer) => {
    await peer.head();
    while (!peer.socket.destroyed) {
      peer.say('HTTP/1.1 100 Continue\r\n\r\n');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  t.like(await timedOut('proxy', TARGET, by(proxy)), { stage: 'proxy', code: 'ETIMEDOUT' });
});

test('[H-09] no proxy, no CONNECT; `never`: none although there is a proxy', async (t) => {
  const proxy = await listen(t, (peer) => answer(peer, OK));
  const server = await listen(t);
  for (const options of [{}, { ...by(proxy), connect: 'never' as const }]) {
    const stream = await dialled(t, plain(server.port), options);
    stream.write('straight');
    const peer = await nth(server, server.peers.length === 0 ? 0 : server.peers.length - 1);
    t.is(await peer.octets(8), 'straight');
  }
  t.is(proxy.peers.length, 0);
});

test('[H-03] `always`: without a proxy, the server itself gets the CONNECT and its marker', async (t) => {
  const server = await listen(t, (peer) => answer(peer, OK));
  await dialled(t, plain(server.port), { connect: 'always', marker: DEFAULT_MARKER });
  const there = `127.0.0.1:${server.port}`;
  t.deepEqual(server.heads, [
    `CONNECT ${there} HTTP/1.1\r\nHost: ${there}\r\nUser-Agent: 3GPP-IMS-FS_FIRE/1.0\r\n\r\n`,
  ]);
  const other = await listen(t, (peer) =>
    answer(peer, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  );
  const fault = await refused(plain(other.port), { connect: 'always' });
  t.true(fault.text.startsWith(`127.0.0.1:${other.port} answers 404 Not Found: `), fault.text);
});

test('IPv6 literals stand in brackets', async (t) => {
  const proxy = await listen(t, (peer) => answer(peer, OK));
  await dialled(t, { host: '2001:db8::1', port: 443, tls: false }, by(proxy));
  t.regex(
    proxy.heads[0] ?? '',
    /^CONNECT \[2001:db8::1\]:443 HTTP\/1\.1\r\nHost: \[2001:db8::1\]:443\r\n/,
  );
});

test('[H-06] one CONNECT for each connection', async (t) => {
  const proxy = await listen(t, (peer) => answer(peer, OK));
  for (let i = 0; i < 3; i++) t.false(isIoFault(await dialled(t, TARGET, by(proxy))));
  t.deepEqual([proxy.peers.length, proxy.heads.length], [3, 3]);
});

function chunked(fields: string): string {
  return `HTTP/1.1 407 Who\r\n${fields}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwho?\r\n0\r\n\r\n`;
}

async function nth(listening: Listening, n: number): Promise<Peer> {
  for (;;) {
    const peer = listening.peers[n];
    if (peer !== undefined) return peer;
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
