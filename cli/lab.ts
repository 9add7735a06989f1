/** `tep lab`: calls of real telephones through stock Kamailio and rtpengine, in network namespaces. */
import { FIREWALLS, type Firewall } from '../lab/calls/access.ts';
import { LabError } from '../lab/lab-error.ts';
import { helpText, parseArguments } from './arguments.ts';
import { type Command, Failure, UsageError, type World } from './command.ts';
import { call } from './lab/call.ts';
import { install } from './lab/install.ts';
import { down, status, up } from './lab/standing.ts';

const OPTIONS = {
  firewall: {
    kind: 'text',
    value: 'KIND',
    default: 'web-only',
    meaning: 'call, up: what the firewall lets out, see below',
  },
  seconds: {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 3_600,
    unit: 's',
    default: 10,
    meaning: 'call: how long they talk',
  },
  'without-tep': {
    kind: 'flag',
    meaning: 'call, up: the same without TEP-C and TEP-S, to see the difference',
  },
  json: { kind: 'flag', meaning: 'call, status: print one JSON object instead of text' },
  yes: { kind: 'flag', meaning: 'install: do not ask' },
} as const;

export type LabOptions = ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];

export interface LabTask {
  readonly values: LabOptions;
  readonly firewall: Firewall;
  readonly world: World;
  /** Aborted by Ctrl-C and SIGTERM: what has been opened must be closed by us. */
  readonly ended: AbortSignal;
}

const VERBS: Readonly<Record<string, (task: LabTask) => Promise<number>>> = {
  call,
  up,
  status,
  down,
  install,
};

export const command: Command = {
  name: 'lab',
  summary: 'real calls through Kamailio, rtpengine and a firewall, all on this machine',
  help: helpText({
    usage: 'lab call|up|status|down|install [--firewall KIND] [--seconds S] [--json]',
    about: `
Builds a small IMS world in network namespaces: a softphone (baresip) with TEP-C behind a NAT and a
firewall; a P-CSCF (Kamailio), an IMS-AGW (rtpengine) and TEP-S beside it; and a second phone in the
core, which knows nothing of tunnels. Kamailio and rtpengine are Debian's, with the configurations
of docs/deploy, which are meant to be copied. Nothing of it touches the network of this machine.

  call      the softphone registers, calls the second phone, talks and hangs up; prints every
            message of every hop and how well each side was heard, and leaves captures of all hops
  up        the same world to play with, until Ctrl-C or "tep lab down": what is typed goes to the
            softphone, and what happens is shown
  status    what stands
  down      takes down what "up" has built
  install   installs the programs of Debian that are needed, after saying which`,
    options: OPTIONS,
    notes: `
Firewalls: open; double-nat; udp-blocked all TCP; web-only TCP 80 and 443; 443-only; sip-blocked all
but ports 5060 and 5061; two-firewalls one behind the other, both web-only; proxy-only nothing but a
web proxy (squid) that reaches port 443; web-proxy the same with a password.

Needs Linux and root. MOS is the mean opinion score that ITU-T G.107 predicts from delay and loss:
4.41 is the best a G.711 call can have, below 3.6 many people complain.

Exit status: 0 when the call was set up, heard well on both sides (MOS above 3.6) and hung up, 1
when not, 2 for wrong usage.`,
    examples: [
      ['tep lab status', 'whether a laboratory stands'],
      ['sudo tep lab install', 'once'],
      ['sudo tep lab call', 'through a firewall that lets out TCP 80 and 443 only'],
      ['sudo tep lab call --firewall web-proxy', 'only a web proxy with a password gets out'],
      ['sudo tep lab call --firewall web-only --without-tep', 'what happens without'],
      ['sudo tep lab up --firewall 443-only', 'then type: /dial sip:carol@ims.example'],
    ],
  }),
  async run(args, world) {
    const wanted = { name: `what to do (${Object.keys(VERBS).join(', ')})`, min: 1, max: 1 };
    const { values, positionals } = parseArguments(args, OPTIONS, wanted);
    const [verb = ''] = positionals;
    const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (run === undefined) {
      throw new UsageError(`${verb}: must be one of ${Object.keys(VERBS).join(', ')}`);
    }
    const firewall = firewallOf(values.firewall);
    const controller = new AbortController();
    const release = world.process.on('SIGTERM', () => controller.abort());
    try {
      const ended = AbortSignal.any([world.interrupt, controller.signal]);
      return await run({ values, firewall, world, ended });
    } catch (error) {
      // What the lab cannot do is one line for people, as all that this machine cannot.
      throw error instanceof LabError ? new Failure(error.message) : error;
    } finally {
      release();
    }
  },
};

function firewallOf(text: string): Firewall {
  const kind = FIREWALLS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new UsageError(`--firewall ${text}: must be one of ${FIREWALLS.join(', ')}`);
}
