/** The note of the laboratory that stands: whose it is, and what becomes of it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { claim, type Note, readNote, renew, withdraw } from '../../../cli/lab/note.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { lockFile } from '../../../io/kernel/file-lock.ts';
import { LabError } from '../../../lab/lab-error.ts';
import { ownRun, type RunId } from '../../../lab/run-id.ts';
import { scratch } from '../../config/scratch.ts';

const GONE: RunId = { pid: process.pid, startTicks: 1 };

function noteBy(run: RunId, folder = ''): Note {
  return { run, firewall: 'open', folder, hosts: [] };
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('there is one laboratory: who comes second is told whose it is', (t) => {
  const file = join(scratch(t).folder, 'note.json');
  t.is(claim(file, noteBy(ownRun())), undefined);
  t.deepEqual(claim(file, noteBy(ownRun(), '/other'))?.run, ownRun());
  t.is(readNote(file)?.folder, '');
  renew(file, noteBy(ownRun(), '/tmp/lab'));
  t.is(readNote(file)?.folder, '/tmp/lab');
});

onLinux(
  'a note of a process that has ended, and one that was not written to its end, count for nothing',
  (t) => {
    const file = join(scratch(t).folder, 'note.json');
    writeFileSync(file, JSON.stringify(noteBy(GONE)));
    t.is(readNote(file), undefined);
    t.is(claim(file, noteBy(ownRun())), undefined);
    for (const text of ['', '{"run":{"pid"', 'null', '[]']) {
      writeFileSync(file, text);
      t.is(readNote(file), undefined, text);
      t.is(claim(file, noteBy(ownRun())), undefined, text);
    }
  },
);

onLinux('who finds another one at it leaves the note to that one', (t) => {
  const file = join(scratch(t).folder, 'note.json');
  writeFileSync(file, JSON.stringify(noteBy(GONE)));
  const held = lockFile(`${file}.lock`);
  if (isIoFault(held)) throw new Error(held.text);
  t.throws(() => claim(file, noteBy(ownRun())), { instanceOf: LabError });
  t.deepEqual(JSON.parse(readFileSync(file, 'utf8')), noteBy(GONE));
  held.release();
  t.is(claim(file, noteBy(ownRun())), undefined);
  t.false(existsSync(`${file}.lock`));
});

onLinux('everybody may read it; it is taken away by its own run only', (t) => {
  const file = join(scratch(t).folder, 'note.json');
  claim(file, noteBy(ownRun()));
  t.is(statSync(file).mode & 0o444, 0o444);
  withdraw(file, GONE);
  t.true(existsSync(file));
  withdraw(file, ownRun());
  t.false(existsSync(file));
});
