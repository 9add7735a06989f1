import test from 'ava';
import { change } from '../../../io/rings/run.ts';
import { peerMissing } from '../../peers.ts';

const runs = peerMissing('ip') === undefined ? test : test.skip;

runs('a batch that fails tells the line that failed', async (t) => {
  const lines = 'link show dev lo\nlink show dev no-such-one\nlink show dev lo\n';
  const fault = await change('ip', ['-batch', '-'], lines);
  t.is(fault?.code, 'ENOENT');
  t.regex(fault?.text ?? '', /no-such-one.* \(link show dev no-such-one\)$/);
});

runs('a batch that succeeds tells nothing', async (t) => {
  t.is(await change('ip', ['-batch', '-'], 'link show dev lo\n'), undefined);
});
