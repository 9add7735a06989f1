/** Tables that a run of these tests fills in, printed at its end. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** One row; `name` sorts the tables. A test that is run alone prints no tables. */
export function addRow(name: string, header: readonly string[], row: readonly string[]): void {
  const folder = process.env.TEP_NET_TABLES;
  if (folder === undefined) return;
  appendFileSync(join(folder, name), `${JSON.stringify({ header, row })}\n`);
}
