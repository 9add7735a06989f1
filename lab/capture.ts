/** What passes an interface of a host, recorded by tcpdump. */
import { LabError } from './lab-error.ts';
import type { Network } from './network.ts';
import type { Program } from './program.ts';

export interface CapturePlan {
  readonly host: string;
  readonly interface: string;
  readonly file: string;
  /** In the words of pcap-filter(7). */
  readonly filter?: string;
}

/**
 * The longest IP packet with any header below it. Packets that are recorded at once lie in slots that are each so long:
 * with the 262,144 octets of `-s 0` there would be few of them.
 */
const SNAP_LEN = 65_600;
/** In KiB: 500 slots, for a machine that is busy. */
const KERNEL_BUFFER = 32_768;
const READY = { output: /listening on / };

export class CaptureRun {
  readonly file: string;
  readonly #program: Program;

  private constructor(file: string, program: Program) {
    this.file = file;
    this.#program = program;
  }

  /** Resolves when packets are being recorded. */
  static async start(network: Network, plan: CapturePlan): Promise<CaptureRun> {
    const { host, file, filter } = plan;
    const sizes = ['-s', String(SNAP_LEN), '-B', String(KERNEL_BUFFER)];
    const options = ['-n', '-U', '--immediate-mode', ...sizes];
    // It would give up root and could not write everywhere then.
    const args = [...options, '-Z', 'root', '-i', plan.interface, '-w', file];
    const program = await network.start(host, {
      name: `tcpdump on ${host} ${plan.interface}`,
      command: 'tcpdump',
      args: filter === undefined ? args : [...args, filter],
      ready: READY,
    });
    return new CaptureRun(file, program);
  }

  /**
   * Ends it when all that has arrived is in the file; gives how many packets are. Throws LabError when
   * some were missed.
   */
  async stop(): Promise<number> {
    const program = this.#program;
    // What has been received and is never recorded: on `any`, what left by the loopback interface.
    let before = -1;
    for (let counts = await this.#counts(); counts.captured < counts.received; ) {
      if (counts.captured === before) break;
      before = counts.captured;
      counts = await this.#counts();
    }
    await program.stop('SIGINT');
    const { captured, dropped } = latestCounts(program.output);
    if (dropped > 0) throw new LabError(`${program.name} missed ${dropped} packets`);
    return captured;
  }

  async #counts(): Promise<Counts> {
    const before = this.#program.output.length;
    this.#program.signal('SIGUSR1');
    await this.#program.said(new RegExp(`^[^]{${before},}dropped by kernel`));
    return latestCounts(this.#program.output);
  }
}

interface Counts {
  readonly captured: number;
  readonly received: number;
  readonly dropped: number;
}

function latestCounts(output: string): Counts {
  const latest = (what: string) => {
    const found = [...output.matchAll(new RegExp(`(\\d+) packets? ${what}`, 'g'))].at(-1);
    return Number(found?.[1] ?? 0);
  };
  return {
    captured: latest('captured'),
    received: latest('received by filter'),
    dropped: latest('dropped by kernel'),
  };
}
