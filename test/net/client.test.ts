/** TEP-C with rings on a host of its own, behind a NAT and a firewall, with real programs. */
import { NET } from '../../lab/sites.ts';
import { answered, answersOf, clientTest, longestGap, statusOf, stop } from './client-scene.ts';
import { until } from './until.ts';

clientTest(
  '[M-03] [M-07] first packets make bindings and take the tunnel: IPv4 and IPv6, web only',
  'web-only',
  async (scene) => {
    const { t, site } = scene;
    await scene.startServer();
    const client = await scene.startClient();
    t.is((await statusOf(client)).tunnel.state, 'idle');
    const four = await scene.startPhone('v4');
    const six = await scene.startPhone('v6');
    const first = await answered(four);
    t.is(first.from.split(' ')[0], site.relay.v4);
    t.is((await answered(six)).from.split(' ')[0], site.relay.v6);
    t.true((answersOf(four)[0]?.number ?? 99) <= 1, 'the first packets arrived');
    const { bindings, drops, tunnel, port } = await statusOf(client);
    t.deepEqual(drops, {});
    t.deepEqual(port.drops, {});
    t.is(tunnel.state, 'up');
    t.is(bindings.filter(({ origin }) => origin === 'first-packet').length, 4);
    await stop(client);
  },
);

clientTest(
  '[G-22] no tunnel: UDP and TCP are refused within moments, both families',
  'web-only',
  async (scene) => {
    const { t } = scene;
    const client = await scene.startClient();
    for (const family of ['v4', 'v6'] as const) {
      t.is(await scene.refusal('tcp', family), 'ECONNREFUSED\n');
      const code = family === 'v4' ? 'EHOSTUNREACH\n' : 'EACCES\n';
      t.is(await scene.refusal('udp', family), code);
    }
    const { drops, tunnel } = await statusOf(client);
    t.true(tunnel.isOut);
    t.true((drops['no-tunnel'] ?? 0) > 0);
    await stop(client);
  },
);

clientTest(
  '[G-09] no tunnel, native: media go without it until there is one',
  'open',
  async (scene) => {
    const { t, site } = scene;
    const client = await scene.startClient('--media-without-tunnel=native');
    const phone = await scene.startPhone();
    const direct = await answered(phone);
    t.is(direct.from.split(' ')[0], site.publicUe.v4);
    await scene.startServer();
    await until(() => answersOf(phone).at(-1)?.from.startsWith(site.relay.v4) ?? false);
    t.false((await statusOf(client)).tunnel.isOut);
    await answered(phone);
    await stop(client);
    // Without the agent it goes its own way again.
    await until(() => answersOf(phone).at(-1)?.from.startsWith(site.publicUe.v4) ?? false);
    await phone.stop();
  },
);

clientTest(
  '[G-20] everything is media: the tunnel itself does not enter the tunnel',
  'web-only',
  async (scene) => {
    const { t, site } = scene;
    await scene.startServer();
    const client = await scene.startClient('--media-to=0.0.0.0/0', '--media-to=::/0');
    const phone = await scene.startPhone();
    t.is((await answered(phone)).from.split(' ')[0], site.relay.v4);
    t.is((await statusOf(client)).tunnel.connections.length, 1);
    await stop(client);
  },
);

clientTest(
  '[G-13] another address of the phone: the call goes on, the tunnel is resumed',
  'web-only',
  async (scene) => {
    const { t, site } = scene;
    const { client, phone } = await scene.startCall();
    const moved = site.ue.v4.replace(/\d+$/, '77');
    const marker = answersOf(phone).length;
    await scene.ip('addr', 'del', `${site.ue.v4}/24`, 'dev', NET);
    await scene.ip('addr', 'add', `${moved}/24`, 'dev', NET);
    await scene.routeAgain();
    await answered(phone, 100);
    const gap = longestGap(answersOf(phone).slice(marker - 1));
    t.log(`gap of ${gap} ms`);
    t.true(gap < 10_000);
    t.is((await statusOf(client)).tunnel.resumed, 1);
    await stop(client);
    await phone.stop();
    await scene.ip('addr', 'del', `${moved}/24`, 'dev', NET);
    await scene.ip('addr', 'add', `${site.ue.v4}/24`, 'dev', NET);
    await scene.routeAgain();
  },
);

clientTest(
  '[G-13] the link down and up again: the call goes on at the same public address',
  'web-only',
  async (scene) => {
    const { t, site } = scene;
    const { client, phone, first } = await scene.startCall();
    await scene.ip('link', 'set', NET, 'down');
    await scene.ip('link', 'set', NET, 'up');
    await scene.routeAgain();
    const marker = answersOf(phone).length;
    const after = await answered(phone, 100);
    const gap = longestGap(answersOf(phone).slice(marker - 1));
    t.log(`gap of ${gap} ms`);
    t.is(after.from, first.from);
    await stop(client);
    await phone.stop();
    await scene.ip('-6', 'addr', 'replace', `${site.ue.v6}/64`, 'dev', NET);
    await scene.routeAgain('v6');
  },
);
