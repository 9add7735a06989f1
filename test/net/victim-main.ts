/**
 * A process with a lab of its own, to be killed by a test; a line on its standard input ends it without
 * destroying the lab. Prints the name of a namespace and the number of a process that runs there.
 */
import { once } from 'node:events';
import { Network } from '../../lab/network.ts';
import { siteOf } from '../../lab/sites.ts';

const network = await Network.build(siteOf('open').topology);
const sleeper = await network.start('ue', { command: 'sleep', args: ['600'] });
process.stdout.write(`built ${network.namespace('ue')} ${sleeper.pid}\n`);
await once(process.stdin, 'data');
process.exit(0);
