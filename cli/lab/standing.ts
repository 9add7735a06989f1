/** `tep lab up`, `status` and `down`: a laboratory that stands while `up` runs. */
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import type { Phone } from '../../lab/baresip.ts';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { isAlive, ownRun } from '../../lab/run-id.ts';
import { EXIT, Failure } from '../command.ts';
import type { LabTask } from '../lab.ts';
import { follower } from './follower.ts';
import { claim, type Note, readNote, renew, withdraw } from './note.ts';
import { buildLab, CALLEE, checkMachine, startPhones, unlessEnded, untilEnded } from './world.ts';

const NOTE = '/run/tep-lab.json';
const POLL_MS = 200;
/** Agents, phones and proxies are given time to end. */
const DOWN_MS = 60_000;
/** What Kamailio's configuration says of each request. */
const SCRIPT_LINE = /<script>: (.*)/;
const PHONE_LINE = /^\S+: (?:Call |Incoming call|session closed).*|.*registered successfully.*/;

export async function up(task: LabTask): Promise<number> {
  const { world, ended, firewall } = task;
  checkMachine();
  const run = ownRun();
  const standing = claim(NOTE, { run, firewall, folder: '', hosts: [] });
  if (standing !== undefined) {
    throw new Failure(`a laboratory stands already (process ${standing.run.pid}): tep lab down`);
  }
  let lab: CallLab | undefined;
  try {
    world.stdout.write(`Building phones, ${firewall}, Kamailio, rtpengine and TEP-S …\n`);
    lab = await buildLab(task);
    const note = noteOf(lab, firewall);
    renew(NOTE, note);
    const phones = await unlessEnded(ended, startPhones(lab));
    if (phones === undefined) return EXIT.SUCCESS;
    world.stdout.write(`${hostLines(note).join('\n')}\n\n${usage(lab)}\n`);
    await play(task, lab, phones);
    return EXIT.SUCCESS;
  } finally {
    await lab?.destroy();
    withdraw(NOTE, run);
  }
}

export async function status({ world, values }: LabTask): Promise<number> {
  const note = readNote(NOTE);
  if (values.json) {
    world.stdout.write(`${JSON.stringify(note ?? null)}\n`);
  } else {
    const lines = note === undefined ? ['No laboratory stands.'] : hostLines(note);
    world.stdout.write(`${lines.join('\n')}\n`);
  }
  return note === undefined ? EXIT.FAILED : EXIT.SUCCESS;
}

export async function down({ world }: LabTask): Promise<number> {
  const note = readNote(NOTE);
  if (note === undefined) {
    world.stdout.write('No laboratory stands.\n');
    return EXIT.SUCCESS;
  }
  if (world.process.uid !== 0)
    throw new Failure('the laboratory is that of root: sudo tep lab down');
  process.kill(note.run.pid, 'SIGTERM');
  const deadline = performance.now() + DOWN_MS;
  while (isAlive(note.run)) {
    if (performance.now() > deadline) throw new Failure(`process ${note.run.pid} does not end`);
    await setTimeout(POLL_MS);
  }
  world.stdout.write(`Taken down. Its files are in ${note.folder}.\n`);
  return EXIT.SUCCESS;
}

function noteOf(lab: CallLab, firewall: string): Note {
  const { topology } = lab.site;
  const hosts = topology.hosts.map(({ name }) => ({
    host: name,
    namespace: lab.network.namespace(name),
    addresses: topology.links.flatMap(({ ends }) =>
      ends.filter(({ host }) => host === name).flatMap(({ addresses }) => addresses),
    ),
  }));
  return { run: ownRun(), firewall, folder: lab.folder, hosts };
}

function hostLines({ firewall, folder, hosts }: Note): string[] {
  return [
    `firewall  ${firewall}`,
    `files     ${folder}`,
    '',
    ...hosts.map(
      ({ host, namespace, addresses }) =>
        `${host.padEnd(10)}${namespace.padEnd(36)}${addresses.join(' ')}`,
    ),
  ];
}

function usage(lab: CallLab): string {
  const { ue } = lab.access(0);
  return `A shell on a host:      ip netns exec ${lab.network.namespace(ue)} bash
What TEP-C does:        tep status --socket ${lab.folder}/${ue}/client.sock
What TEP-S does:        tep status --socket ${lab.folder}/server/server.sock
What is typed here goes to the softphone: /dial ${CALLEE}, /hold, /resume, /hangup.
Ctrl-C ends it.
`;
}

/** Until it is ended: commands go in, events come out. */
async function play(
  { world, ended }: LabTask,
  lab: CallLab,
  { ue, core }: { readonly ue: Phone; readonly core: Phone },
): Promise<void> {
  const lines = createInterface({ input: world.stdin });
  lines.on('line', (line) => ue.command(line));
  const followers = [
    follower('softphone', PHONE_LINE, ue.program),
    follower('phone', PHONE_LINE, core.program),
    follower('P-CSCF', SCRIPT_LINE, lab.kamailio),
  ];
  const timer = setInterval(() => {
    for (const news of followers) for (const line of news()) world.stdout.write(`${line}\n`);
  }, POLL_MS);
  await untilEnded(ended);
  clearInterval(timer);
  lines.close();
}
