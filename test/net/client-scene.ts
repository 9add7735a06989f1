/** A phone with TEP-C and rings on a host of its own, behind a NAT and a firewall, and a gateway that mirrors. */
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { type Site, type SiteKind, siteOf } from '../../lab/sites.ts';
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
export class ClientScene {
  readonly t: ExecutionContext;
  readonly network: Network;
  readonly site: Site;
  /** For logs and captures. */
  readonly folder: string;

  constructor(t: ExecutionContext, folder: string, network: Network, site: Site) {
    this.folder = folder;
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
    const logFile = join(this.folder, 'client.log');
    const plan = { ...nodeProgram('client-main.js', ...args), ready, takesInput: true, logFile };
    const client = await this.network.start('ue', plan);
    if (/^fault/m.test(client.output)) throw new Error(client.output);
    return client;
  }

  /** TEP-S, TEP-C, and a phone whose packets come back through them. */
  async startCall(): Promise<{ client: Program; phone: Program; first: Answer }> {
    await this.startServer();
    const client = await this.startClient();
    const phone = await this.startPhone();
    return { client, phone, first: await answered(phone) };
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

  /** The phone's default route went with its address, or its link. */
  async routeAgain(family: 'v4' | 'v6' = 'v4'): Promise<void> {
    const [version, router] =
      family === 'v4'
        ? ['-4', this.site.ue.v4.replace(/\d+$/, '1')]
        : ['-6', this.site.ue.v6.replace(/\d+$/, '1')];
    await this.ip(version, 'route', 'replace', 'default', 'via', router);
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

export function clientTest(
  title: string,
  kind: SiteKind,
  body: (scene: ClientScene) => Promise<void>,
): void {
  netTest(title, [], async ({ t, folder }) => {
    const site = siteOf(kind);
    const network = await Network.build(site.topology);
    try {
      const scene = new ClientScene(t, folder, network, site);
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

export function answersOf(phone: Program): Answer[] {
  const lines = phone.output.matchAll(/^(\d+) (\d+) (\S+) (\d+)$/gm);
  return [...lines].map(([, atMs, number, address, port]) => ({
    atMs: Number(atMs),
    number: Number(number),
    from: `${address} ${port}`,
  }));
}

export async function answered(phone: Program, more = 20): Promise<Answer> {
  const before = answersOf(phone).length;
  await until(() => answersOf(phone).length >= before + more);
  return answersOf(phone).at(-1) as Answer;
}

export async function statusOf(client: Program): Promise<ClientStatus> {
  const seen = client.output.length;
  client.write('status\n');
  const line = () => /^\{.*\}$/m.exec(client.output.slice(seen))?.[0];
  await until(() => line() !== undefined);
  return JSON.parse(line() ?? '');
}

export async function stop(client: Program): Promise<void> {
  client.write('stop\n');
  await client.exited;
}

/** The longest time between two answers, from one moment on. */
export function longestGap(answers: readonly Answer[]): number {
  const gaps = answers.slice(1).map(({ atMs }, i) => atMs - (answers[i]?.atMs ?? 0));
  return Math.max(0, ...gaps);
}
