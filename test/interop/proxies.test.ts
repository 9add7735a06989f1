/** TEP-C and TEP-S with proxies as companies run them between the two. */
import type { ExecutionContext } from 'ava';
import { ProxyLogin } from '../../framing/connect/login.ts';
import { DEFAULT_MARKER } from '../../framing/connect/request.ts';
import type { TransportOptions } from '../../io/dial/types.ts';
import { systemRandom } from '../../io/random.ts';
import { TICKET_KEYS_LEN, TlsDoor } from '../../tep-server/tls-door.ts';
import { TestAuthority } from '../certificates.ts';
import { openCall, openPair, type PairOptions } from '../daemon/pair.ts';
import { plain, refused } from '../io/dial/dialled.ts';
import { closedPort } from '../io/dial/listening.ts';
import { clientTls } from '../io/dial/tls-server.ts';
import { peerTest } from '../peers.ts';
import {
  HOST,
  type ProxyWishes,
  type RealProxy,
  SQUID_PASSWORD,
  startSquid,
  startTinyproxy,
  TINYPROXY_PASSWORD,
  USER,
} from './proxies.ts';

function login(password: string): ProxyLogin {
  return new ProxyLogin({ name: USER, password }, systemRandom);
}

function by(proxy: RealProxy, known?: ProxyLogin): Partial<TransportOptions> {
  return { proxy: { host: HOST, port: proxy.port, login: known }, marker: DEFAULT_MARKER };
}

/** A datagram each way through a tunnel with these stripes, each behind the proxy. */
async function callThrough(t: ExecutionContext, options: PairOptions): Promise<void> {
  const pair = await openPair({ stripes: 2, ...options });
  const { phone, gateway, standIn, close } = await openCall(pair);
  await pair.serverSays.first('tunnel-joined', ({ stripe }) => stripe === 1);
  phone.say('up', standIn);
  const { from } = await gateway.hear('up');
  gateway.say('down', from);
  await phone.hear('down');
  t.is(pair.server.counters.dropped, 0);
  await close();
  await pair.stop();
}

type Start = (t: ExecutionContext, wishes: ProxyWishes) => Promise<RealProxy>;

for (const [program, start, auth, password] of [
  ['squid', startSquid, undefined, ''],
  ['squid', startSquid, 'basic', SQUID_PASSWORD],
  ['squid', startSquid, 'digest', SQUID_PASSWORD],
  ['tinyproxy', startTinyproxy, undefined, ''],
  ['tinyproxy', startTinyproxy, 'basic', TINYPROXY_PASSWORD],
] as ReadonlyArray<readonly [string, Start, ProxyWishes['auth'], string]>) {
  const name = `${program}, ${auth ?? 'open'}`;

  peerTest(
    program,
    `[H-05] [H-06] [H-13] [M-22] a call through ${name}, plain and in TLS`,
    async (t) => {
      const authority = await TestAuthority.make();
      const { certificate: cert, key } = await authority.issue();
      const tls = clientTls({ ca: authority.certificate }, { serverName: 'localhost' });
      await authority.remove();
      const ticketKeys = Buffer.alloc(TICKET_KEYS_LEN, 1);
      const tlsDoor = new TlsDoor({
        context: { cert, key },
        requireCertificate: false,
        ticketKeys,
      });
      for (const extra of [{}, { tls }]) {
        const transport = async ({ port }: { port: number }) => {
          const proxy = await start(t, { ...(auth && { auth }), connectPorts: [port] });
          return { ...by(proxy, auth && login(password)), ...extra };
        };
        await callThrough(t, { transport, door: { tls: tlsDoor } });
      }
    },
  );

  peerTest(program, `[H-12] what ${name} refuses is told, with what to do`, async (t) => {
    const port = await closedPort();
    const proxy = await start(t, { ...(auth && { auth }), connectPorts: [port] });
    const known = auth && login(password);
    const forbidden = await refused(plain(port === 7 ? 8 : 7), by(proxy, known));
    t.like(forbidden, { stage: 'proxy', code: 'HTTP 403' });
    t.regex(forbidden.text, /does not allow CONNECT to 127\.0\.0\.1:\d/);
    const dead = await refused(plain(port), by(proxy, known));
    t.regex(dead.code, /^HTTP 50[03]$/);
    t.regex(dead.text, /finds no way to/);
    if (auth === undefined) return;
    t.regex((await refused(plain(port), by(proxy))).text, /407 .* it wants a user/);
    const wrong = await refused(plain(port), by(proxy, login('wrong')));
    t.regex(wrong.text, /40[17] .*: user name or password of the proxy is wrong/);
  });
}

peerTest('squid', '[H-01] squid knows IMS traffic by the marker, and decides by it', async (t) => {
  const forbidding = ['acl ims req_header User-Agent 3GPP-IMS', 'http_access deny ims'];
  const forbidden = await startSquid(t, { connectPorts: [7], rules: forbidding });
  t.is((await refused(plain(7), by(forbidden))).code, 'HTTP 403');
  const demanding = ['acl ims req_header Pragma IMS', 'http_access deny !ims'];
  await callThrough(t, {
    transport: async ({ port }) => {
      const proxy = await startSquid(t, { connectPorts: [port], rules: demanding });
      t.is((await refused(plain(port), by(proxy))).code, 'HTTP 403');
      return { ...by(proxy), marker: ['Pragma: IMS'] };
    },
  });
});

peerTest('squid', '[H-05] Digest: a second connection does not have to be asked', async (t) => {
  let proxy: RealProxy | undefined;
  await callThrough(t, {
    stripes: 4,
    transport: async ({ port }) => {
      proxy = await startSquid(t, { auth: 'digest', connectPorts: [port] });
      return by(proxy, login(SQUID_PASSWORD));
    },
  });
  const denied = (await proxy?.log())?.split('\n').filter((line) => line.includes('/407 '));
  t.is(denied?.length, 1);
});
