/**
 * Tests with networks of namespaces. Each has a folder for its logs and captures, which stays when the
 * test fails; afterwards nothing that the test made may be left in the machine's own namespace.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type LabProgram, labMissing } from '../../lab/requirements.ts';
import { namespacesOfThisRun, traces } from './traces.ts';

export interface NetContext {
  readonly t: ExecutionContext;
  /** For logs and captures. */
  readonly folder: string;
}

/** A test that is registered as skipped, with the reason in its title, where it cannot be run. */
export function netTest(
  title: string,
  programs: readonly LabProgram[],
  body: (context: NetContext) => Promise<void>,
): void {
  const missing = labMissing(programs);
  if (missing === undefined) test.serial(title, (t) => runInFolder(t, body));
  else test.skip(`${title} (${missing})`, () => {});
}

async function runInFolder(
  t: ExecutionContext,
  body: (context: NetContext) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tep-net-'));
  // Proxies give up root, and write into a folder inside.
  chmodSync(folder, 0o711);
  const before = await traces();
  try {
    await body({ t, folder });
    t.deepEqual(namespacesOfThisRun(), [], 'namespaces are left');
    t.deepEqual(await traces(), before, 'something is left in the namespace of the machine');
    rmSync(folder, { recursive: true });
  } catch (error) {
    t.log(`logs and captures: ${folder}`);
    throw error;
  }
}
