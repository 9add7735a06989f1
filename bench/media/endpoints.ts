/** The process of telephones, or of media gateways: commands to `media.c`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import { compile } from '../compile.ts';
import { scratchFolder } from '../scratch.ts';
import { type PacketLog, readLog } from './packet-log.ts';

export interface At {
  readonly address: string;
  readonly port: number;
}

export type Traffic =
  | { readonly kind: 'speech' }
  | { readonly kind: 'wideband' }
  | { readonly kind: 'video'; readonly kbit: number };

export interface MediaLogs {
  readonly sent: PacketLog;
  readonly received: PacketLog;
}

export class Endpoints {
  readonly #program: Program;
  readonly #folder: string;

  private constructor(program: Program, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  static async start(network: Network, host: string): Promise<Endpoints> {
    const folder = scratchFolder();
    const command = await compile('bench/media/media.c');
    const plan = { command, args: filesIn(folder), takesInput: true } as const;
    return new Endpoints(await network.start(host, plan), folder);
  }

  /** A program that opens connections, and then becomes the media process with them. */
  static of(program: Program, folder: string): Endpoints {
    return new Endpoints(program, folder);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** One socket a flow; gives their addresses. `ports`: any where absent. */
  async open(address: string, count: number, ports?: readonly number[]): Promise<At[]> {
    const lines = Array.from({ length: count }, (_, i) => `udp ${address} ${ports?.[i] ?? 0}\n`);
    this.#program.write(lines.join(''));
    await this.#program.said(new RegExp(`^udp ${count - 1} .*$`, 'm'));
    const answers = this.#program.output.matchAll(/^udp \d+ (\S+) (\d+)$/gm);
    return [...answers].map(([, at = '', port]) => ({ address: at, port: Number(port) }));
  }

  /** TURN channels, one on each of so many connections that it has inherited from `firstFd` on. */
  async openChannels(firstFd: number, count: number, channel: number): Promise<void> {
    const lines = Array.from({ length: count }, (_, i) => `channel ${firstFd + i} ${channel}\n`);
    this.#program.write(lines.join(''));
    await this.#program.said(new RegExp(`^channel ${count - 1}$`, 'm'));
  }

  aim(targets: readonly At[]): void {
    const line = ({ address, port }: At, flow: number) => `to ${flow} ${address} ${port}\n`;
    this.#program.write(targets.map(line).join(''));
  }

  /** What each flow carries. */
  load(traffic: readonly Traffic[]): void {
    const line = (one: Traffic, flow: number) => `${one.kind} ${flow} ${numberOf(one, flow)}\n`;
    this.#program.write(traffic.map(line).join(''));
  }

  async run(atMs: number, ms: number): Promise<void> {
    this.#program.write(`run ${atMs} ${ms}\n`);
    await this.#program.said(/^running$/m);
  }

  /** Ends it; what it sent and received. */
  async end(): Promise<MediaLogs> {
    this.#program.write('end\n');
    await this.#program.exited;
    const [sent = '', received = ''] = filesIn(this.#folder);
    const logs = { sent: readLog(sent), received: readLog(received) };
    rmSync(this.#folder, { recursive: true, force: true });
    return logs;
  }
}

export function filesIn(folder: string): string[] {
  return [join(folder, 'sent'), join(folder, 'received')];
}

/** Every wideband flow speaks and pauses at times of its own. */
function numberOf(traffic: Traffic, flow: number): number {
  return traffic.kind === 'video' ? traffic.kbit : flow + 1;
}
