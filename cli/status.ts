/** `tep status`: what the agents on this machine are doing, asked on their sockets. */
import { setTimeout } from 'node:timers/promises';
import { statusPaths } from '../config/status-path.ts';
import { askStatus } from '../io/status-socket.ts';
import type { AgentName, AgentStatus } from '../ops/status.ts';
import { helpText, parseArguments } from './arguments.ts';
import { type Command, EXIT, Failure, type World } from './command.ts';
import { ratesBetween } from './status/rates.ts';
import { statusLines } from './status/table.ts';

const OPTIONS = {
  watch: { kind: 'flag', short: 'w', meaning: 'show it again and again until Ctrl-C' },
  json: { kind: 'flag', meaning: 'one JSON object a line for each agent and moment' },
  socket: { kind: 'text', value: 'FILE', meaning: 'ask the agent with this status socket only' },
} as const;

const AGENTS: readonly AgentName[] = ['client', 'server'];
/** Between two questions: what the rates are of. */
const PERIOD_MS = 1_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[2J';

/** What an agent answers before it has come up. */
interface Starting {
  readonly agent: AgentName;
  readonly starting: true;
}

type Answer = AgentStatus | Starting;

export const command: Command = {
  name: 'status',
  summary: 'tunnels, bindings, rates, drops and round trips of the running agents',
  help: helpText({
    usage: 'status [--watch] [--json] [--socket FILE]',
    about: `
Asks the client and the server that run on this machine what they are doing: the tunnel and its
connections, bindings, packets and bits per second, round trips, and every kind of drop with what it
means. The answer takes a second: rates are measured between two questions.`,
    options: OPTIONS,
    notes: `
Agents are looked for where they put their sockets: /run/tep/client.sock and server.sock, for users
other than root also in $XDG_RUNTIME_DIR/tep. The owner of the agent and its group may ask.

JSON: the answer of the agent (times in milliseconds since 1970, sizes in octets, counts since its
start) and "rates".

Exit status: 0 when an agent answered, 1 when none did, 2 for wrong usage.`,
    examples: [
      ['tep status', 'both agents, once'],
      ['tep status --watch', 'every second, in place'],
      ['tep status --json --socket /run/tep/server.sock', 'for scripts'],
    ],
  }),
  async run(args, world) {
    const { values } = parseArguments(args, OPTIONS);
    const { interrupt } = world;
    let before = await askAll(values.socket, world);
    if (before.answers.size === 0) throw new Failure(nobody(before));
    do {
      await setTimeout(PERIOD_MS, undefined, { signal: interrupt }).catch(() => {});
      if (interrupt.aborted) break;
      const after = await askAll(values.socket, world);
      if (after.answers.size === 0 && !values.watch) throw new Failure(nobody(after));
      show(before, after, values, world);
      before = after;
    } while (values.watch);
    return EXIT.SUCCESS;
  },
};

interface Asked {
  /** By socket. */
  readonly answers: ReadonlyMap<string, Answer>;
  readonly faults: readonly string[];
}

async function askAll(socket: string | undefined, world: World): Promise<Asked> {
  const { env, process } = world;
  const paths =
    socket === undefined ? AGENTS.flatMap((a) => statusPaths(a, env, process.uid)) : [socket];
  const answers = new Map<string, Answer>();
  const faults: string[] = [];
  for (const path of paths) {
    const answer = await askStatus(path);
    if (isAnswer(answer)) answers.set(path, answer);
    else faults.push(`${path}: ${whyNot(answer)}`);
  }
  return { answers, faults };
}

function nobody({ faults }: Asked): string {
  return `no agent is running that this user may ask (${faults.join('; ')})`;
}

function show(
  before: Asked,
  after: Asked,
  { watch, json }: { readonly watch: boolean; readonly json: boolean },
  { stdout }: World,
): void {
  const blocks = [...after.answers].map(([path, answer]) => {
    const first = before.answers.get(path);
    if ('starting' in answer)
      return json ? JSON.stringify(answer) : `tep ${answer.agent} is starting`;
    const rates = first && !('starting' in first) ? ratesBetween(first, answer) : undefined;
    return json ? JSON.stringify({ ...answer, rates }) : statusLines(answer, rates).join('\n');
  });
  // Whoever watches waits for one that is being started again.
  if (blocks.length === 0) {
    if (json) return;
    blocks.push(nobody(after));
  }
  const clear = watch && !json && stdout.isTTY ? HOME_AND_CLEAR : '';
  stdout.write(`${clear}${blocks.join(json ? '\n' : '\n\n')}\n`);
}

/** What else may listen on a socket is not to be believed. */
function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null || !('agent' in value)) return false;
  if (!AGENTS.some((name) => name === value.agent)) return false;
  return 'starting' in value || ('startedMs' in value && 'port' in value && 'drops' in value);
}

function whyNot(answer: unknown): string {
  const code = typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : '';
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return 'nobody there';
    case 'EACCES':
      return 'not permitted';
    case 'ETIMEDOUT':
      return 'no answer';
    default:
      return 'no agent';
  }
}
