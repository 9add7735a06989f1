/** `tep demo`: simulated calls through both ends of a tunnel on this machine. */
import { helpText, parseArguments } from './arguments.ts';
import { type Command, UsageError, type World } from './command.ts';
import { inNamespaces, onLoopback } from './demo/acts.ts';
import { FIREWALLS, type FirewallKind } from './demo/netns-stage.ts';
import { type Closers, closeAll } from './demo/setup.ts';

const OPTIONS = {
  calls: {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 500,
    default: 4,
    meaning: 'calls at the same time',
  },
  seconds: {
    kind: 'number',
    value: 'S',
    min: 0.1,
    max: 3_600,
    unit: 's',
    fraction: true,
    default: 5,
    meaning: 'how long they talk',
  },
  netns: {
    kind: 'flag',
    meaning: 'with hosts, a NAT and a firewall in network namespaces; needs root',
  },
  firewall: {
    kind: 'text',
    value: 'KIND',
    meaning: 'with --netns: what the firewall lets out, see below (default web-only)',
  },
  json: { kind: 'flag', meaning: 'print one JSON object instead of text' },
} as const;

export const command: Command = {
  name: 'demo',
  summary: 'watch calls cross a tunnel, all on this machine',
  help: helpText({
    usage: 'demo [--calls N] [--seconds S] [--netns [--firewall KIND]] [--json]',
    about: `
Runs both ends of a tunnel on this machine, tep client and tep server as processes of their own,
with simulated phones on one side and a simulated media gateway on the other. Each call talks both
ways: G.711 in RTP, a packet each 20 ms, and RTCP reports. Every octet that arrives is compared with
what was sent. Needs no privilege and no network.

With --netns the phones, a NAT, a firewall, TEP-S and the gateway are hosts of their own in network
namespaces, and TEP-C takes the packets of the phones off their routes. It shows first that without
the tunnel nothing arrives. Nothing of it touches the network of this machine, nor stays.`,
    options: OPTIONS,
    notes: `
Firewalls: web-only TCP 80 and 443; 443-only; two-firewalls one behind the other, both web-only;
udp-blocked all TCP; proxy-only nothing but a web proxy (tinyproxy), which reaches port 443 only.

On a terminal the calls are shown while they talk; Ctrl-C ends them early. MOS is the mean opinion
score that ITU-T G.107 predicts from delay and loss: 4.41 is the best a G.711 call can have, below
3.6 many people complain.

Exit status: 0 when every packet arrived whole (with --netns: and none without the tunnel), 1 when
one did not, 2 for wrong usage.

JSON: calls, sent, received, lost, corrupted, p50Ms, p99Ms, mos and more; times in milliseconds,
one way, from the phone's socket to the gateway's or back.`,
    examples: [
      ['tep demo', 'four calls of five seconds'],
      ['tep demo --calls 100 --seconds 10', 'a busy cell: 10,000 packets a second'],
      ['tep demo --seconds 1 --json', 'for scripts'],
      ['sudo tep demo --netns', 'through a NAT and a firewall that lets out TCP 80 and 443 only'],
      ['sudo tep demo --netns --firewall proxy-only', 'only a web proxy gets out'],
    ],
  }),
  async run(args, world) {
    const { values } = parseArguments(args, OPTIONS);
    const plan = { ...values, firewall: firewallOf(values.firewall ?? 'web-only') };
    if (values.firewall !== undefined && !values.netns) {
      throw new UsageError('--firewall is for --netns');
    }
    const closers: Closers = [];
    const ended = endOf(world);
    closers.push(async () => ended.release());
    try {
      const act = values.netns ? inNamespaces : onLoopback;
      return await act(plan, world, ended.signal, closers);
    } finally {
      await closeAll(closers);
    }
  },
};

function firewallOf(text: string): FirewallKind {
  const kind = FIREWALLS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new UsageError(`--firewall ${text}: must be one of ${FIREWALLS.join(', ')}`);
}

/** Ctrl-C, or SIGTERM: what has been opened must be closed by us. */
function endOf(world: World): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = world.process.on('SIGTERM', () => controller.abort());
  return { signal: AbortSignal.any([world.interrupt, controller.signal]), release };
}
