/** What agents and labs could leave in a namespace: interfaces, addresses, rules, routes, nft tables. */
import { readdirSync } from 'node:fs';
import type { Network } from '../../lab/network.ts';
import { isSameRun, ownRun, runOf } from '../../lab/run-id.ts';
import { runTool } from '../../lab/tool.ts';

/** Everything of the kind, as `ip` and `nft` print it. */
const QUESTIONS = [
  ['ls', '/sys/class/net'],
  ['ip', '-o', 'addr'],
  ['ip', 'rule'],
  ['ip', '-6', 'rule'],
  ['ip', '-o', 'route', 'show', 'table', 'all'],
  ['ip', '-o', '-6', 'route', 'show', 'table', 'all'],
  ['nft', 'list', 'tables'],
] as const;

/** In the namespace of the machine: only what has a name of ours, for others change theirs meanwhile. */
const OURS = /\btep/;
/** Made by the kernel with an interface and an address, sooner or later. */
const OF_THE_KERNEL = /\bproto kernel\b|\bfe80:/;
const LIFETIMES = /\b(?:valid|preferred)_lft \S+|\bexpires \S+/g;

/** What carries a name of ours in the namespace of the machine. */
export async function traces(): Promise<string[]> {
  const answers = await Promise.all(
    QUESTIONS.map(([program, ...args]) => runTool({ program, args })),
  );
  return answers.flatMap((answer) => linesOf(answer).filter((line) => OURS.test(line)));
}

/** All of it in the namespace of a host. */
export async function stateOf(network: Network, host: string): Promise<string[]> {
  const answers = await Promise.all(
    QUESTIONS.map(([program, ...args]) => network.run(host, program, args)),
  );
  return answers.flatMap(linesOf);
}

/** Hosts with what is in each of them. */
export async function stateOfAll(network: Network): Promise<Record<string, string[]>> {
  const hosts = network.topology.hosts.map(({ name }) => name);
  const states = await Promise.all(hosts.map((host) => stateOf(network, host)));
  return Object.fromEntries(hosts.map((host, i) => [host, states[i] ?? []]));
}

export function namespacesOfThisRun(): string[] {
  const own = ownRun();
  return entriesOf('/run/netns').filter((name) => {
    const run = runOf(name);
    return run !== undefined && isSameRun(run, own);
  });
}

function linesOf(answer: string): string[] {
  const lines = answer.split('\n').map((line) => line.replace(LIFETIMES, '').trim());
  return lines.filter((line) => line !== '' && !OF_THE_KERNEL.test(line)).sort();
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
