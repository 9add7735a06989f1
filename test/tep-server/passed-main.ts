/** TEP-S on the sockets that it was given, in a process of its own: says where it listens, stops at the end of its input. */
import { readSettings } from '../../config/read.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { SILENT } from '../../ops/log.ts';
import { startServer } from '../../tep-server/daemon.ts';
import { checkServer, SERVER_KEYS } from '../../tep-server/settings.ts';

const args = process.argv.slice(2);
const sources = { args, env: {}, folder: '.', defaultFile: 'none.yaml' };
const { settings, problems } = readSettings(SERVER_KEYS, checkServer, sources);
if (settings === undefined) throw new Error(problems.map(({ text }) => text).join('\n'));
const server = await startServer(settings, { log: SILENT, failed: () => process.exit(1) });
if (isIoFault(server)) throw new Error(server.text);
const { listening } = await server.status();
process.stdout.write(`${listening.join(' ')}\n`);
process.stdin.resume().on('end', () => void server.stop());
