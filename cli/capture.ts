/** `tep capture`: live traffic of an interface into a capture file. */
import { interfaceState } from '../io/cap/interface-state.ts';
import type { CaptureEnd } from '../io/cap/live-capture.ts';
import { helpText, parseArguments, type Values } from './arguments.ts';
import { CAPTURE_GUIDE } from './capture/guide.ts';
import { Recording, type RecordingPlan, type StartCapture } from './capture/recording.ts';
import { type Command, EXIT, Failure, UsageError, type World } from './command.ts';
import { complain } from './complain.ts';

/** What a timer of Node takes is 2^31 - 1 ms. */
const MAX_SECONDS = 2e6;

const OPTIONS = {
  interface: {
    kind: 'text',
    value: 'NAME',
    short: 'i',
    meaning: 'where to listen; "any": everywhere',
  },
  write: {
    kind: 'text',
    value: 'FILE',
    short: 'w',
    meaning: 'pcap file to write; "-": standard output',
  },
  filter: {
    kind: 'text',
    value: 'EXPR',
    default: '',
    meaning: 'which packets, in the words of pcap-filter(7)',
  },
  count: { kind: 'number', value: 'N', min: 1, max: 1e12, meaning: 'end after so many packets' },
  seconds: {
    kind: 'number',
    value: 'S',
    min: 0.1,
    max: MAX_SECONDS,
    unit: 's',
    fraction: true,
    meaning: 'end after this time',
  },
  json: { kind: 'flag', meaning: 'print the counts as one JSON object' },
} as const;

export const command: Command = {
  name: 'capture',
  summary: 'record live traffic of an interface into a pcap file',
  help: helpText({
    usage: 'capture -i NAME -w FILE [options]',
    about: `
Records what passes a network interface, with libpcap, into a file that "tep replay" and Wireshark
read. Ends at Ctrl-C, or when --count or --seconds says so; the file gets its name then.`,
    options: OPTIONS,
    notes: `
It needs root or CAP_NET_RAW, and the optional package "cap", which is built against libpcap when
tep is installed; without it, this command says what to install.

Times in the file are those at which the packet reached this program, some 0.05 ms after the
interface had it, more under load. Packets that the kernel drops because they come faster than
they can be taken are not counted: nobody tells this program. When the interface goes down or the
disk is full, what was captured until then is kept.

Exit status: 0 when it ended as asked, 1 when it could not begin or ended for another reason, 2
for wrong usage.`,
    examples: [
      ['tep capture -i eth0 -w call.pcap --filter "host 192.0.2.7 and udp"', 'media of one peer'],
      ['tep capture -i any -w call.pcap --seconds 30', 'half a minute of everything'],
      ['tep capture -i eth0 -w - --count 100 | wireshark -k -i -', 'look at it at once'],
    ],
  }),
  run: (args, world) => capture(args, world),
};

/** `start` stands for the capturing process in tests. */
export async function capture(
  args: readonly string[],
  world: World,
  start?: StartCapture,
): Promise<number> {
  const { values } = parseArguments(args, OPTIONS);
  const plan = planOf(values);
  if (start === undefined) checkInterface(plan.device);
  const recording = new Recording(plan, world, start);
  const end = await recording.done();
  return conclude(plan, recording, end, values.json, world);
}

function planOf(values: Values<typeof OPTIONS>): RecordingPlan {
  const { interface: device, write: file, filter, count, seconds, json } = values;
  if (device === undefined) throw new UsageError('--interface missing: where to listen');
  if (file === undefined) throw new UsageError('--write missing: the file to write');
  if (file === '-' && json) throw new UsageError('--json and --write - both want the output');
  return { device, file, filter, count: count ?? Number.POSITIVE_INFINITY, seconds };
}

function checkInterface(name: string): void {
  const state = interfaceState(name);
  if (state === 'missing') throw new Failure(`there is no interface ${name}`);
  if (state === 'down') throw new Failure(`interface ${name} is down: ip link set ${name} up`);
}

function conclude(
  plan: RecordingPlan,
  { packets, octets }: Recording,
  end: CaptureEnd,
  asJson: boolean,
  world: World,
): number {
  if (end.type === 'refused') return refuse(plan, end.fault, world);
  if (asJson) {
    const { file, device } = plan;
    world.stdout.write(`${JSON.stringify({ device, file, packets, octets, end: end.type })}\n`);
  } else {
    const where = plan.file === '-' ? 'standard output' : plan.file;
    const text = `${packets.toLocaleString('en-US')} packets, ${octets.toLocaleString('en-US')} octets in ${where}`;
    world.stderr.write(`${text}; what the kernel dropped is not known\n`);
  }
  if (end.type === 'stopped') return EXIT.SUCCESS;
  complain(world, reasonOf(plan.device, end));
  return EXIT.FAILED;
}

function refuse(
  { device, filter }: RecordingPlan,
  fault: { readonly code: string; readonly text: string },
  world: World,
): number {
  switch (fault.code) {
    case 'ENOLIBPCAP':
      complain(world, `live capture is not built here: ${fault.text.split('\n', 1).join('')}`);
      world.stderr.write(CAPTURE_GUIDE);
      break;
    case 'EPERM':
      complain(
        world,
        `${device}: capturing needs root or CAP_NET_RAW, such as by sudo (${fault.text})`,
      );
      break;
    default:
      complain(world, `${device}${filter === '' ? '' : `, filter "${filter}"`}: ${fault.text}`);
  }
  return EXIT.FAILED;
}

function reasonOf(
  device: string,
  end: Exclude<CaptureEnd, { readonly type: 'stopped' | 'refused' }>,
): string {
  if (end.type === 'crashed') return `the capturing process ended: ${end.text}`;
  const what = end.state === 'down' ? 'went down' : 'is gone';
  return `interface ${device} ${what}; what was captured until then is kept`;
}
