/** One end of a call, on a host of a lab: `talker-main.ts` told what to do. */
import type { Network } from '../../../lab/network.ts';
import type { Place } from '../../../lab/place.ts';
import type { Program } from '../../../lab/program.ts';
import { nodeProgram } from '../programs.ts';
import { until } from '../until.ts';
import type { Heard } from './heard.ts';

export interface Report {
  readonly streams: readonly Heard[];
  /** Packets that were changed, or nobody's. */
  readonly strange: number;
}

/** Longer than anything takes unless it hangs. */
const HANG_MS = 120_000;

export class Talker {
  readonly at: Place;
  readonly #program: Program;
  /** How often each kind of answer has been asked for. */
  readonly #asked = new Map<string, number>();

  private constructor(at: Place, program: Program) {
    this.at = at;
    this.#program = program;
  }

  static async start(network: Network, host: string, at: Place, logFile?: string): Promise<Talker> {
    const program = await network.start(host, {
      ...nodeProgram('media/talker-main.js', at.address, String(at.port)),
      name: `talker on ${host}`,
      takesInput: true,
      ready: { output: /ready/ },
      ...(logFile === undefined ? {} : { logFile }),
    });
    return new Talker(at, program);
  }

  /** Its public address, as a STUN server or TEP-C tells it. */
  async publicAddress(stunServer: Place, hangMs: number = HANG_MS): Promise<Place> {
    this.#program.write(`stun ${stunServer.address} ${stunServer.port}\n`);
    const [address = '', port] = (await this.#answer('mapped', hangMs)).split(' ');
    return { address, port: Number(port) };
  }

  talk(to: Place, ssrc: number, packets: number): void {
    this.#program.write(`talk ${to.address} ${to.port} ${ssrc} ${packets}\n`);
  }

  /** From now on it talks to wherever it last heard somebody from, as media gateways do. */
  follow(): void {
    this.#program.write('follow\n');
  }

  /** Resolves when it has sent all; to how many packets there were. */
  async said(hangMs: number = HANG_MS): Promise<number> {
    return Number((await this.#answer('sent', hangMs)).split(' ')[1]);
  }

  /** Ends talking; to how many packets there were. */
  hush(): Promise<number> {
    this.#program.write('hush\n');
    return this.said();
  }

  async report(): Promise<Report> {
    this.#program.write('report\n');
    return JSON.parse(await this.#answer('heard', HANG_MS));
  }

  /** What it has heard of a stream so far. */
  async heard(ssrc: number): Promise<Heard | undefined> {
    return (await this.report()).streams.find((stream) => stream.ssrc === ssrc);
  }

  stop(): Promise<unknown> {
    return this.#program.stop();
  }

  /** The next line of its kind that has not been asked for yet. */
  async #answer(kind: string, hangMs: number): Promise<string> {
    const index = this.#asked.get(kind) ?? 0;
    this.#asked.set(kind, index + 1);
    const lines = () =>
      this.#program.output
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.startsWith(`${kind} `));
    await until(() => {
      if (this.#program.hasExited) throw new Error(`${this.#program.name} has ended`);
      return lines().length > index;
    }, hangMs);
    return lines()[index]?.slice(kind.length + 1) ?? '';
  }
}
