/** Both agents on a network of the lab, and a call of two talkers through them. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '../../lab/agent.ts';
import { CaptureRun } from '../../lab/capture.ts';
import { Network } from '../../lab/network.ts';
import type { Place } from '../../lab/place.ts';
import { ACCESS, type Site, type SiteKind, siteOf } from '../../lab/sites.ts';
import { type Mode, type Settings, startClient, startServer, stunPlace } from './agents.ts';
import type { Heard } from './media/heard.ts';
import { Talker } from './media/talker.ts';
import { stateOf } from './traces.ts';
import { until } from './until.ts';

export interface ScenePlan {
  readonly kind: SiteKind;
  readonly mode: Mode;
  readonly folder: string;
  readonly server?: Settings;
  readonly client?: Settings;
}

export interface Scene {
  readonly network: Network;
  readonly site: Site;
  readonly folder: string;
  client: Agent;
  server: Agent;
  readonly startClient: () => Promise<Agent>;
  readonly startServer: () => Promise<Agent>;
}

const UP = 0x75700011;
const DOWN = 0x646e0012;
/** Longer than any of it lasts; the talkers are told to end. */
const MANY = 60_000;
/** Packets that each side must have heard before something is done to the call, and again after it. */
const SOME = 50;
const BACK_MS = 120_000;

/** Does something with both agents running; afterwards nothing of them may be left. */
export async function withAgents(
  plan: ScenePlan,
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  const site = siteOf(plan.kind);
  const network = await Network.build(site.topology);
  try {
    const scene = await setScene(network, site, plan);
    await work(scene);
    await scene.client.stop();
    await scene.server.stop();
    await mustBeClean(network);
  } finally {
    await network.destroy();
  }
}

async function setScene(network: Network, site: Site, plan: ScenePlan): Promise<Scene> {
  const { mode, folder } = plan;
  const servers = [`tcp://${site.server.v4}:80`];
  const server = () => startServer(network, { site, mode, folder, more: plan.server ?? {} });
  const client = () => startClient(network, { site, servers, folder, more: plan.client ?? {} });
  return {
    network,
    site,
    folder,
    server: await server(),
    client: await client(),
    startClient: client,
    startServer: server,
  };
}

/** A user like others, whatever the intentions; the server knows it when this resolves. */
export async function addUser(
  { folder, server }: Scene,
  name: string,
  password: string,
): Promise<void> {
  await appendFile(join(folder, 'users'), `${name}:${password}\n`);
  server.program.signal('SIGHUP');
  await server.program.said(/configuration read again/);
}

/** A call that two talkers hold. */
export class Call {
  readonly ue: Talker;
  readonly core: Talker;
  readonly publicAddress: Place;

  private constructor(ue: Talker, core: Talker, publicAddress: Place) {
    this.ue = ue;
    this.core = core;
    this.publicAddress = publicAddress;
  }

  /** Both sides talk, and have heard each other. */
  static async begin({ network, site, folder }: Scene): Promise<Call> {
    const log = join(folder, 'talker.log');
    // On whatever address the phone has: it is to survive losing one.
    const ue = await Talker.start(network, 'ue', { address: '0.0.0.0', port: 4000 }, log);
    const at = { address: site.gateway.v4, port: 30_000 };
    const core = await Talker.start(network, 'gateway', at, log);
    const call = new Call(ue, core, await ue.publicAddress(stunPlace(site, 'v4')));
    ue.talk(core.at, UP, MANY);
    core.talk(call.publicAddress, DOWN, MANY);
    await call.goesOn();
    return call;
  }

  /** Resolves when both have heard each other for a while from now on; throws when they do not. */
  async goesOn(): Promise<void> {
    const before = await this.#packets();
    await until(async () => {
      const now = await this.#packets();
      return now.up >= before.up + SOME && now.down >= before.down + SOME;
    }, BACK_MS);
  }

  /** Ends it; what the core has heard, and what the phone has. */
  async end(): Promise<{ up: Heard; down: Heard }> {
    await Promise.all([this.ue.hush(), this.core.hush()]);
    const [up, down] = await Promise.all([this.core.heard(UP), this.ue.heard(DOWN)]);
    await Promise.all([this.ue.stop(), this.core.stop()]);
    if (up === undefined || down === undefined) throw new Error('a stream that was heard is gone');
    return { up, down };
  }

  async #packets(): Promise<{ up: number; down: number }> {
    const [up, down] = await Promise.all([this.core.heard(UP), this.ue.heard(DOWN)]);
    return { up: up?.packets ?? 0, down: down?.packets ?? 0 };
  }
}

/** Everything on the link to the server that is neither the tunnel nor `allowed`. */
export function watchOutside({ network, folder }: Scene, allowed?: string): Promise<CaptureRun> {
  const tunnel = 'tcp port 80';
  const exceptions = allowed === undefined ? tunnel : `(${tunnel} or ${allowed})`;
  return CaptureRun.start(network, {
    host: 'server',
    interface: ACCESS,
    file: join(folder, 'outside.pcap'),
    filter: `(ip or ip6) and not icmp6 and not dst net ff02::/16 and not ${exceptions}`,
  });
}

/**
 * Interfaces, rules, routes and tables of the agents. The rest of the state is not compared: addresses and
 * routes of hosts are changed on purpose.
 */
async function mustBeClean(network: Network): Promise<void> {
  for (const host of ['ue', 'server']) {
    const ours = (await stateOf(network, host)).filter((line) =>
      /\btep|proto 84|lookup 8086/.test(line),
    );
    if (ours.length > 0) throw new Error(`left on ${host}: ${ours.join('; ')}`);
  }
}
