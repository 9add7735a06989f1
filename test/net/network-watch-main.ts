/** Prints each change of the network as a line of JSON. */
import { watchNetwork } from '../../io/network-watch.ts';

watchNetwork((change) => process.stdout.write(`${JSON.stringify(change)}\n`), {
  ignoredLinks: ['tep0'],
});
process.stdout.write('ready\n');
