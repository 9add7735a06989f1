/**
 * The scene of the agents with `rings` (agents/scene.ts), and in the place of each agent the least C program that
 * could stand there (veth.c): what this machine and its kernel ask for the same packets, whoever moves them. No
 * address is rewritten, so gateways send to the telephones' own addresses.
 */
import { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { siteOf } from '../../lab/sites.ts';
import { Child } from '../agents/child.ts';
import type { MeasuredScene } from '../agents/scene.ts';
import type { Traffic } from '../agents/traffic-process.ts';
import { compile } from '../compile.ts';
import type { Interfaces } from './interface-process.ts';
import { READY } from './ready.ts';

const PORT = '80';

export async function openFloor(flows: number): Promise<MeasuredScene> {
  const program = await compile('bench/floor/veth.c');
  const site = siteOf('open', []);
  const network = await Network.build(site.topology);
  const on = (host: string) => ['ip', 'netns', 'exec', network.namespace(host)];
  const traffic = (host: string) => new Child<Traffic>('./traffic-process.js', on(host));
  const phones = traffic('ue');
  const gateways = traffic('server');
  const ues = await phones.ask('open', { address: site.ue.v4, sockets: flows });
  const media = await gateways.ask('open', { address: site.relay.v4, sockets: flows });
  const start = async (
    host: string,
    mode: keyof typeof READY,
    prefix: string,
  ): Promise<Program> => {
    const maker = new Child<Interfaces>('../floor/interface-process.js', on(host));
    const far = await maker.ask('open', { prefix });
    await maker.end();
    const args = [mode, far, site.server.v4, PORT];
    return network.start(host, { command: program, args, ready: { output: READY[mode] } });
  };
  const server = await start('server', 'listen', `${site.ue.v4}/32`);
  const client = await start('ue', 'connect', `${site.relay.v4}/32`);
  await phones.ask('aim', { at: media });
  await gateways.ask('aim', { at: ues });
  const close = async () => {
    await Promise.all([phones.end(), gateways.end()]);
    await network.destroy();
  };
  return { client, server, phones, gateways, close };
}
