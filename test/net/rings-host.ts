/** A host with a packet port `rings` in a program of its own (rings-main.ts), as tests speak to it. */
import type { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { nodeProgram } from './programs.ts';
import { stateOf } from './traces.ts';
import { until } from './until.ts';

export interface Counters {
  readonly received: number;
  readonly sent: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly packets: number;
  readonly unfinished: number;
  readonly wrong: number;
  readonly longest: number;
  /** Of ICMP. */
  readonly errors: number;
}

/** A host with a port; `ask` waits for a line that the port's program prints in answer. */
export class RingsHost {
  readonly network: Network;
  readonly name: string;

  constructor(network: Network, name: string) {
    this.network = network;
    this.name = name;
  }

  run(command: string, ...args: readonly string[]): Promise<string> {
    return this.network.run(this.name, command, args);
  }

  sh(script: string): Promise<string> {
    return this.run('sh', '-ec', script);
  }

  async open(options: object, ready: RegExp = /^open$/m): Promise<Program> {
    return this.openBy([], options, ready);
  }

  /** `words` are a command that starts the port's program. */
  async openBy(words: readonly string[], options: object, ready = /^open$/m): Promise<Program> {
    const program = nodeProgram('rings-main.js', JSON.stringify(options));
    const [command = '', ...args] = [...words, program.command, ...program.args];
    const started = { command, args, takesInput: true, ready: { output: ready } };
    return this.network.start(this.name, started);
  }

  /** The fault of a port that cannot be opened. */
  async refused(options: object): Promise<string> {
    const { command, args } = nodeProgram('rings-main.js', JSON.stringify(options));
    const program = await this.network.start(this.name, { command, args, takesInput: true });
    const [, fault = ''] = await program.said(/^fault (.*)$/m);
    await program.exited;
    return fault;
  }

  state(): Promise<string[]> {
    return stateOf(this.network, this.name);
  }

  talk(...args: readonly string[]): Promise<string> {
    const program = nodeProgram('rings-talk-main.js', ...args);
    return this.run(program.command, ...program.args);
  }
}

export async function counters(port: Program): Promise<Counters> {
  const before = port.output.length;
  port.write('counters\n');
  await until(() => port.output.slice(before).includes('}\n'));
  return JSON.parse(/^\{.*\}$/m.exec(port.output.slice(before))?.[0] ?? '{}');
}

export async function close(port: Program): Promise<void> {
  port.write('close\n');
  await port.said(/^closed$/m);
  await port.exited;
}

/** A command, and the line that answers it. */
export async function tell(port: Program, command: string, answer: RegExp): Promise<void> {
  const before = port.output.length;
  port.write(`${command}\n`);
  await until(() => answer.test(port.output.slice(before)));
}
