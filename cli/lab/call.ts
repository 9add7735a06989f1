/** `tep lab call`: one call, and what every hop saw of it. */

import type { CallLab } from '../../lab/calls/call-lab.ts';
import { HopCaptures, type HopFile, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import type { CallMessage } from '../../lab/calls/messages.ts';
import type { StreamQuality } from '../../lab/calls/streams.ts';
import { transcript } from '../../lab/calls/transcript.ts';
import { EXIT } from '../command.ts';
import type { LabTask } from '../lab.ts';
import { buildLab, CALLEE, checkMachine, namesOf, startPhones, unlessEnded } from './world.ts';

/** Below it many people complain (G.107 annex B). */
const MOS_ENOUGH = 3.6;

interface Report {
  readonly ok: boolean;
  readonly firewall: string;
  /** From the INVITE of the phone to the 200 that it got, as the phone saw them. */
  readonly setUpMs: number | undefined;
  readonly streams: readonly StreamQuality[];
  readonly messages: readonly CallMessage[];
  readonly folder: string;
  readonly files: readonly HopFile[];
}

export async function call(task: LabTask): Promise<number> {
  const { world, values, ended } = task;
  checkMachine();
  const say = (text: string) => values.json || world.stdout.write(`${text}\n`);
  say(`Building phones, ${task.firewall}, Kamailio, rtpengine and TEP-S …`);
  const lab = await buildLab(task);
  try {
    const report = await unlessEnded(ended, holdCall(lab, task, say));
    if (report === undefined) return EXIT.FAILED;
    if (values.json) world.stdout.write(`${JSON.stringify(report)}\n`);
    else say(reportText(report, lab));
    return report.ok ? EXIT.SUCCESS : EXIT.FAILED;
  } finally {
    await lab.destroy();
  }
}

async function holdCall(
  lab: CallLab,
  { values, firewall }: LabTask,
  say: (text: string) => void,
): Promise<Report> {
  const captures = await HopCaptures.start(lab);
  const { ue, core } = await startPhones(lab);
  say('Both phones are registered. Calling …');
  await ue.call(CALLEE);
  say(`They talk for ${values.seconds} s …`);
  await core.talkedFor(values.seconds);
  ue.command('/hangup');
  await core.ended();
  const files = await captures.stop();
  const messages = await messagesOfHops(files);
  const streams = await streamsOfCall(lab);
  const ways = new Set(streams.filter(({ mos }) => mos > MOS_ENOUGH).map(({ way }) => way));
  return {
    ok: ways.size === 2 && streams.every(({ mos }) => mos > MOS_ENOUGH),
    firewall,
    setUpMs: setUpMs(messages),
    streams,
    messages,
    folder: lab.folder,
    files,
  };
}

/** The first INVITE of all hops, and the answer that came back to where it was sent from. */
function setUpMs(messages: readonly CallMessage[]): number | undefined {
  const invite = messages.find(({ title }) => title.startsWith('INVITE '));
  const answer = messages.find(
    ({ title, to, callId, text }) =>
      title.startsWith('SIP/2.0 200') &&
      callId === invite?.callId &&
      to.address === invite.from.address &&
      to.port === invite.from.port &&
      /^CSeq: *\d+ INVITE/im.test(text),
  );
  if (invite === undefined || answer === undefined) return undefined;
  return Math.round(answer.timeMs - invite.timeMs);
}

function reportText(
  { ok, setUpMs, streams, messages, files, folder }: Report,
  lab: CallLab,
): string {
  return [
    '',
    ...transcript(messages, namesOf(lab)),
    '',
    `call set up in ${setUpMs ?? '?'} ms`,
    ...streams.map(streamLine),
    '',
    `Captures in ${folder}:`,
    ...files.map(({ file, meaning }) => `  ${file.slice(folder.length + 1).padEnd(26)}${meaning}`),
    '',
    ok ? 'Both sides heard each other well.' : 'Not both sides heard each other well.',
  ].join('\n');
}

function streamLine({ way, sent, heard, lost, delayMs, mos }: StreamQuality): string {
  const from = way === 'up' ? 'phone ▶ core' : 'core ▶ phone';
  const delay = `p50 ${delayMs.p50.toFixed(1)} ms, p99 ${delayMs.p99.toFixed(1)} ms`;
  return `${from}  RTP ${sent} sent, ${heard} heard, ${lost} lost; ${delay}; MOS ${mos.toFixed(2)}`;
}
