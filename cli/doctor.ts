/** `tep doctor`: what on this machine would keep an agent from working, and what to do about it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Keys } from '../config/key.ts';
import { formatProblem } from '../config/problem.ts';
import { type Reading, readSettings } from '../config/read.ts';
import { oneLine } from '../ops/one-line.ts';
import type { AgentName } from '../ops/status.ts';
import { CLIENT_FILE, CLIENT_KEYS, checkClient } from '../tep-client/settings.ts';
import { checkServer, SERVER_FILE, SERVER_KEYS } from '../tep-server/settings.ts';
import { helpText, parseArguments } from './arguments.ts';
import { type Command, EXIT, UsageError, type World } from './command.ts';
import { clientChecks, machineChecks, type Surroundings, serverChecks } from './doctor/checks.ts';
import { type Finding, Findings } from './doctor/finding.ts';
import { MACHINE } from './doctor/machine.ts';
import { serviceUserFindings } from './doctor/service-user.ts';

const OPTIONS = {
  config: {
    kind: 'text',
    value: 'FILE',
    meaning: 'configuration of the agent, else its usual file',
  },
  json: { kind: 'flag', meaning: 'print one JSON object instead of text' },
} as const;

const AGENTS = ['client', 'server'] as const;
const FILES: Readonly<Record<AgentName, string>> = { client: CLIENT_FILE, server: SERVER_FILE };
/** Whose values are names of files that the agent reads. */
const FILE_KEYS = new Set(
  Object.entries({ ...CLIENT_KEYS, ...SERVER_KEYS })
    .filter(([, { kind }]) => kind.placeholder === 'FILE')
    .map(([name]) => name),
);
const SIGNS = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const;

export const command: Command = {
  name: 'doctor',
  summary: 'what would keep an agent from working here, and what to do',
  help: helpText({
    usage: 'doctor [client|server] [--config FILE] [--json]',
    about: `
Looks at the configuration, the machine and the network, and says of each finding what to do. Of a
client it opens a tunnel to each server and closes it again; of a server it tries to listen. Nothing
is changed. Without a name it looks at the agents that have a configuration in /etc/tep.

Looked at: configuration and who can read it, Node.js and system calls, the clock, dates and key of
certificates, options of TCP; with packets.port: rings also privileges, kernel features, rp_filter,
forwarding, and what is in the way of interface, routing table and rules; the ports to listen on; of
a client the way to each server (DNS, TCP, proxy, TLS, credentials) and to the P-CSCF; of a server
its addresses, users and media gateway.`,
    options: OPTIONS,
    notes: `
Settings in the environment (TEP_…) count as they do for the agent. Run it as the user and where the
agent runs; as root it sees most.

Exit status: 0 without a problem (warnings may be there), 1 with one, 2 for wrong usage.`,
    examples: [
      ['tep doctor', 'the agents that are configured here'],
      ['tep doctor client --config client.yaml', 'before it is installed'],
      ['tep doctor server --json', 'for monitoring'],
    ],
  }),
  async run(args, world) {
    const { values, positionals } = parseArguments(args, OPTIONS, {
      name: 'agent',
      min: 0,
      max: 1,
    });
    const agents = agentsOf(positionals[0], values.config);
    const around: Surroundings = {
      world,
      machine: MACHINE,
      nowMs: Date.now(),
      nodeVersion: process.version,
    };
    const findings = await examine(agents, values.config, around);
    world.stdout.write(values.json ? asJson(findings) : asText(findings));
    const isWell = findings.every(({ result }) => result !== 'problem');
    return isWell ? EXIT.SUCCESS : EXIT.FAILED;
  },
};

function agentsOf(name: string | undefined, config: string | undefined): readonly AgentName[] {
  const named = AGENTS.find((agent) => agent === name);
  if (named !== undefined) return [named];
  if (name !== undefined) throw new UsageError(`${name}: must be client or server`);
  if (config !== undefined)
    throw new UsageError('--config needs to know of which: client or server');
  return AGENTS.filter((agent) => existsSync(FILES[agent]));
}

async function examine(
  agents: readonly AgentName[],
  config: string | undefined,
  around: Surroundings,
): Promise<Finding[]> {
  const found = machineChecks(around, agents.length > 0);
  if (agents.length === 0) {
    const none = new Findings('configuration');
    none.warning(
      `neither ${CLIENT_FILE} nor ${SERVER_FILE} is there`,
      'tep service install client|server writes one to begin with; or name one: --config FILE',
    );
    found.push(...none.list);
  }
  for (const agent of agents) {
    const sources = sourcesOf(agent, config, around.world);
    // Two branches alike, because each knows its own settings.
    if (agent === 'client') {
      const reading = readSettings(CLIENT_KEYS, checkClient, sources);
      const { settings } = reading;
      found.push(...configurationFindings(agent, reading, around));
      if (settings) found.push(...(await clientChecks(settings, around)));
    } else {
      const reading = readSettings(SERVER_KEYS, checkServer, sources);
      const { settings } = reading;
      found.push(...configurationFindings(agent, reading, around));
      if (settings) found.push(...(await serverChecks(settings, around)));
    }
  }
  return found;
}

function sourcesOf(agent: AgentName, config: string | undefined, { env, process }: World) {
  const args = config === undefined ? [] : ['--config', config];
  return { args, env, folder: process.folder, defaultFile: FILES[agent] };
}

function configurationFindings(
  agent: AgentName,
  { problems, file, written }: Pick<Reading<Keys>, 'problems' | 'file' | 'written'>,
  { machine }: Surroundings,
): Finding[] {
  const findings = new Findings('configuration');
  for (const problem of problems) {
    const { severity } = problem;
    const text = formatProblem({ ...problem, severity: 'error' });
    if (severity === 'error') findings.problem(text, `see tep ${agent} --help`);
    else findings.warning(text, `see tep ${agent} --help`);
  }
  if (problems.length === 0) findings.ok(`the ${agent} is configured without a mistake`);
  const named = [...written.values()].flatMap(({ name, texts, folder }) =>
    FILE_KEYS.has(name) ? texts.map((text) => resolve(folder, text)) : [],
  );
  const files = file === undefined ? named : [file, ...named];
  return [...findings.list, ...serviceUserFindings(agent, files, machine)];
}

function asText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, result, text, todo }) => [
    `${SIGNS[result]}${check}: ${oneLine(text)}`,
    ...(todo === undefined ? [] : [`        → ${oneLine(todo)}`]),
  ]);
  const number = (result: Finding['result']) => findings.filter((f) => f.result === result).length;
  const summary = `${count(number('problem'), 'problem')}, ${count(number('warning'), 'warning')}, ${number('ok')} ok`;
  return `${lines.join('\n')}\n\n${summary}\n`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function asJson(findings: readonly Finding[]): string {
  const ok = findings.every(({ result }) => result !== 'problem');
  return `${JSON.stringify({ ok, findings })}\n`;
}
