/** TEP-C with rings on a host of its own, behind a NAT and a firewall, with real programs. */
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { NET, type Site, type SiteKind, siteOf } from '../../lab/sites.ts';
import type { ClientStatus } from '../../ops/status.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { until } from './until.ts';

const MEDIA_PORT = 30_000;
const PHONE_PORT = 16_400;

interface Answer {
  readonly atMs: number;
  readonly number: number;
  /** Where the gateway saw it come from. */
  readonly from: string;
}

/** A site with a gateway that mirrors; what the tests do on it. */
class Scene {
  readonly t: ExecutionContext;
  readonly network: Network;
  readonly site: Site;
  readonly #folder: string;

  constructor(t: ExecutionContext, folder: string, network: Network, site: Site) {
    this.#folder = folder;
    this.t = t;
    this.network = network;
    this.site = site;
  }

  async startServer(): Promise<Program> {
    const { server, relay } = this.site;
    const args = [`${server.v4}:80`, relay.v4, relay.v6];
    const started = { output: /^started$/m };
    return this.network.start('server', {
      ...nodeProgram('relay-main.js', ...args),
      ready: started,
    });
  }

  async startClient(...flags: string[]): Promise<Program> {
    const { gateway, server } = this.site;
    const media = [gateway.v4, gateway.v6].map((address) => `--media-to=${address}`);
    const args = [`--servers=tcp://${server.v4}`, '--auth=none', ...media, ...flags];
    const ready = { output: /^(?:started|fault .*)$/m };
    const logFile = join(this.#folder, 'client.log');
    const plan = { ...nodeProgram('client-main.js', ...args), ready, takesInput: true, logFile };
    const client = await this.network.start('ue', plan);
    if (/^fault/m.test(client.output)) throw new Error(client.output);
    return client;
  }

  /** One that sends all the time. */
  startPhone(family: 'v4' | 'v6' = 'v4', port = PHONE_PORT): Promise<Program> {
    const args = [String(port), this.site.gateway[family], String(MEDIA_PORT)];
    return this.network.start('ue', nodeProgram('chatter-main.js', ...args));
  }

  refusal(protocol: 'udp' | 'tcp', family: 'v4' | 'v6'): Promise<string> {
    const args = [protocol, this.site.gateway[family], String(MEDIA_PORT)];
    const { command, args: all } = nodeProgram('refused-main.js', ...args);
    return this.network.run('ue', command, all);
  }

  async ip(...args: string[]): Promise<void> {
    await this.network.run('ue', 'ip', args);
  }

  /** Routes and rules of the phone's host, without counters and times. */
  async routes(): Promise<string> {
    const looks = [
      '-4 rule',
      '-6 rule',
      '-4 route show table all',
      '-6 route show table all',
      '-br link',
    ];
    const texts = looks.map((look) => this.network.run('ue', 'ip', look.split(' ')));
    return (await Promise.all(texts)).join('\n').replaceAll(/ expires \d+sec/g, '');
  }
}

function clientTest(title: string, kind: SiteKind, body: (scene: Scene) => Promise<void>): void {
  netTest(title, [], async ({ t, folder }) => {
    const site = siteOf(kind);
    const network = await Network.build(site.topology);
    try {
      const scene = new Scene(t, folder, network, site);
      for (const address of [site.gateway.v4, site.gateway.v6]) {
        const mirror = nodeProgram('mirror-main.js', address, String(MEDIA_PORT));
        await network.start('gateway', { ...mirror, ready: { output: /ready/ } });
      }
      const before = await scene.routes();
      await body(scene);
      t.is(await scene.routes(), before, 'routes and rules are as they were');
    } finally {
      await network.destroy();
    }
  });
}

function answersOf(phone: Program): Answer[] {
  const lines = phone.output.matchAll(/^(\d+) (\d+) (\S+) (\d+)$/gm);
  return [...lines].map(([, atMs, number, address, port]) => ({
    atMs: Number(atMs),
    number: Number(number),
    from: `${address} ${port}`,
  }));
}

async function answered(phone: Program, more = 20): Promise<Answer> {
  const before = answersOf(phone).length;
  await until(() => answersOf(phone).length >= before + more);
  return answersOf(phone).at(-1) as Answer;
}

async function statusOf(client: Program): Promise<ClientStatus> {
  const seen = client.output.length;
  client.write('status\n');
  const line = () => /^\{.*\}$/m.exec(client.output.slice(seen))?.[0];
  await until(() => line() !== undefined);
  return JSON.parse(line() ?? '');
}

async function stop(client: Program): Promise<void> {
  client.write('stop\n');
  await client.exited;
}

/** The longest time between two answers, from one moment on. */
function longestGap(answers: readonly Answer[]): number {
  const gaps = answers.slice(1).map(({ atMs }, i) => atMs - (answers[i]?.atMs ?? 0));
  return Math.max(0, ...gaps);
}

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
    await scene.startServer();
    const client = await scene.startClient();
    const phone = await scene.startPhone();
    await answered(phone);
    const moved = site.ue.v4.replace(/\d+$/, '77');
    const marker = answersOf(phone).length;
    await scene.ip('addr', 'del', `${site.ue.v4}/24`, 'dev', NET);
    await scene.ip('addr', 'add', `${moved}/24`, 'dev', NET);
    // The default route went with the address.
    await scene.ip('route', 'replace', 'default', 'via', site.ue.v4.replace(/\d+$/, '1'));
    await answered(phone, 100);
    const gap = longestGap(answersOf(phone).slice(marker - 1));
    t.log(`gap of ${gap} ms`);
    t.true(gap < 10_000);
    t.is((await statusOf(client)).tunnel.resumed, 1);
    await stop(client);
    await phone.stop();
    await scene.ip('addr', 'del', `${moved}/24`, 'dev', NET);
    await scene.ip('addr', 'add', `${site.ue.v4}/24`, 'dev', NET);
    await scene.ip('route', 'replace', 'default', 'via', site.ue.v4.replace(/\d+$/, '1'));
  },
);

clientTest(
  '[G-13] the link down and up again: the call goes on at the same public address',
  'web-only',
  async (scene) => {
    const { t, site } = scene;
    await scene.startServer();
    const client = await scene.startClient();
    const phone = await scene.startPhone();
    const before = await answered(phone);
    await scene.ip('link', 'set', NET, 'down');
    await scene.ip('link', 'set', NET, 'up');
    await scene.ip('route', 'replace', 'default', 'via', site.ue.v4.replace(/\d+$/, '1'));
    const marker = answersOf(phone).length;
    const after = await answered(phone, 100);
    const gap = longestGap(answersOf(phone).slice(marker - 1));
    t.log(`gap of ${gap} ms`);
    t.is(after.from, before.from);
    await stop(client);
    await phone.stop();
    await scene.ip('-6', 'addr', 'replace', `${site.ue.v6}/64`, 'dev', NET);
    await scene.ip('-6', 'route', 'replace', 'default', 'via', site.ue.v6.replace(/\d+$/, '1'));
  },
);
