/** A disk without room, as the lab meets it. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { writeLabFile } from '../../lab/files.ts';
import { LabError } from '../../lab/lab-error.ts';
import { Program } from '../../lab/program.ts';
import { scratch } from '../config/scratch.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;
const FULL = {
  instanceOf: LabError,
  message: '/dev/full cannot be written: the disk is full (ENOSPC)',
};

onLinux('a full disk: what could not be written is named', async (t) => {
  await t.throwsAsync(writeLabFile('/dev/full', 'x'), FULL);
  await t.throwsAsync(writeLabFile('/nowhere/x', 'x'), { code: 'ENOENT' });
});

onLinux('a program whose log finds no room is ended, and who waits for it is told', async (t) => {
  const script = 'console.log("x"); setInterval(() => {}, 1000)';
  const started = Program.start({
    command: process.execPath,
    args: ['-e', script],
    logFile: '/dev/full',
    ready: { output: /never/ },
  });
  await t.throwsAsync(started, FULL);
});

onLinux(
  'everybody may read the note of a laboratory, whatever the umask of who builds it',
  async (t) => {
    const file = join(scratch(t).folder, 'note.json');
    const note = new URL('../../cli/lab/note.js', import.meta.url);
    const run = '{ pid: process.pid, startTicks: 1 }';
    const script = `
    process.umask(0o077);
    const { claim } = await import(${JSON.stringify(note.href)});
    claim(${JSON.stringify(file)}, { run: ${run}, firewall: 'open', folder: '', hosts: [] });`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    t.is(statSync(file).mode & 0o777, 0o644);
  },
);
