/** A process that watches something which never comes, and then ends in the way that it is told. */
import { isIoFault } from '../../../io/io-fault.ts';
import { libc } from '../../../io/kernel/libc.ts';
import { watchReadable } from '../../../io/kernel/poller.ts';

const how = process.argv[2];
const calls = libc();
const fd = isIoFault(calls) ? calls : calls.eventfd();
if (typeof fd !== 'number') throw new Error(fd.text);
const watch = watchReadable(fd, () => {});
if (isIoFault(watch)) throw new Error(watch.text);
watch.arm();
// The wait has reached the thread pool by then.
setTimeout(() => {
  if (how === 'exit') process.exit(0);
  if (how === 'throw') throw new Error('as told');
  process.disconnect?.();
  watch.close();
}, 100);
