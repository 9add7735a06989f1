/**
 * `node client-main.js FLAGS…`: TEP-C as its command starts it, for tests. Prints `started`, or `fault TEXT`
 * and ends. Each line on its standard input is a command and gets one line: `status` gives the status as
 * JSON, `stop` ends.
 */
import { createInterface } from 'node:readline';
import { readSettings } from '../../config/read.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { Logger } from '../../ops/log.ts';
import { startClient } from '../../tep-client/daemon.ts';
import { CLIENT_KEYS, checkClient } from '../../tep-client/settings.ts';

const { settings, problems } = readSettings(CLIENT_KEYS, checkClient, {
  args: process.argv.slice(2),
  env: process.env,
  folder: '/',
  defaultFile: '/there/is/no/such/file',
});
if (settings === undefined) throw new RangeError(JSON.stringify(problems));

const log = new Logger({
  write: (line) => process.stderr.write(line),
  level: 'debug',
  format: 'text',
  journal: false,
  clock: Date.now,
});
const running = await startClient(settings, {
  log,
  failed: (fault) => say(`failed ${fault.text}`),
});
if (isIoFault(running)) {
  say(`fault ${running.text}`);
  process.exit(3);
}
say('started');

createInterface({ input: process.stdin }).on('line', async (line) => {
  if (line === 'status') say(JSON.stringify(running.status()));
  if (line !== 'stop') return;
  await running.stop();
  say('stopped');
  process.exit(0);
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
