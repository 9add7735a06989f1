/** Prints each change of the network as a line of JSON. */
import { watchNetwork } from '../../io/network-watch.ts';

// As on a machine that has no system calls for us.
if (process.argv[2] === 'polling') Object.defineProperty(process, 'platform', { value: 'other' });

watchNetwork((change) => process.stdout.write(`${JSON.stringify(change)}\n`), {
  ignoredLinks: ['tep0'],
});
process.stdout.write('ready\n');
