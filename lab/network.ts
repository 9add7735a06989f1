/**
 * A network of namespaces that stands until it is destroyed. Whatever ends this process, nothing of it
 * stays: `destroy` is the ordinary way, an exit without it removes everything too, and what a process
 * killed by force leaves is removed by the next lab on the machine.
 *
 *     const network = await Network.build(topology);
 *     try {
 *       const daemon = await network.start('ue', { command: …, args: …, ready: { output: /…/ } });
 *     } finally {
 *       await network.destroy();
 *     }
 */
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { buildSteps, hostsFile, inNamespace } from './build-steps.ts';
import { writeLabFile } from './files.ts';
import { LabError } from './lab-error.ts';
import { Program, type ProgramPlan } from './program.ts';
import { labMissing } from './requirements.ts';
import { namespaceName, ownRun } from './run-id.ts';
import {
  FILES_OF_NAMESPACES,
  removeIfEmpty,
  removeNamespace,
  sweepDeadRuns,
  sweepRun,
} from './sweep.ts';
import { runTool } from './tool.ts';
import type { Topology } from './topology.ts';

/** Networks that this process has built. */
let built = 0;

export class Network {
  readonly topology: Topology;
  readonly #number: number;
  readonly #programs = new Set<Program>();

  private constructor(topology: Topology, number: number) {
    this.topology = topology;
    this.#number = number;
  }

  /** Throws LabError where the machine will not: no root, a program missing. Nothing stays then. */
  static async build(topology: Topology): Promise<Network> {
    const missing = labMissing(programsFor(topology));
    if (missing !== undefined) throw new LabError(missing);
    sweepDeadRuns();
    if (built === 0) process.on('exit', () => sweepRun(ownRun()));
    const network = new Network(topology, built++);
    try {
      await network.#writeHostsFiles();
      for (const stage of buildSteps(topology, (host) => network.namespace(host))) {
        await Promise.all(stage.map(runTool));
      }
      return network;
    } catch (error) {
      await network.destroy();
      throw error;
    }
  }

  namespace(host: string): string {
    if (!this.topology.hosts.some(({ name }) => name === host)) {
      throw new RangeError(`no host ${host} in this network`);
    }
    return namespaceName(ownRun(), this.#number, host);
  }

  /** Starts a program on a host and waits until it is ready. It is ended with the network. */
  async start(host: string, plan: ProgramPlan): Promise<Program> {
    const program = await Program.start({
      ...plan,
      name: plan.name ?? `${plan.command} on ${host}`,
      command: 'ip',
      args: inNamespace(this.namespace(host), plan.command, plan.args),
    });
    this.#programs.add(program);
    void program.exited.then(() => this.#programs.delete(program));
    return program;
  }

  /** Runs a tool that does one thing; its standard output. Throws LabError when it does not succeed. */
  run(host: string, command: string, args: readonly string[], input = ''): Promise<string> {
    const inside = inNamespace(this.namespace(host), command, args);
    return runTool({ program: 'ip', args: inside, input });
  }

  /** Ends all programs and removes everything. May be called twice. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.stop('SIGKILL')));
    for (const { name } of this.topology.hosts) removeNamespace(this.namespace(name));
    removeIfEmpty(FILES_OF_NAMESPACES);
  }

  async #writeHostsFiles(): Promise<void> {
    for (const host of this.topology.hosts) {
      if (host.names === undefined) continue;
      const folder = join(FILES_OF_NAMESPACES, this.namespace(host.name));
      await mkdir(folder, { recursive: true });
      await writeLabFile(join(folder, 'hosts'), hostsFile(host, hostname()));
    }
  }
}

function programsFor({ links }: Topology): readonly 'ethtool'[] {
  return links.some(({ offloads }) => offloads === 'off') ? ['ethtool'] : [];
}
