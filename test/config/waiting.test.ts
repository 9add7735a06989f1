/** How long media may wait, as both agents are told. */
import test, { type ExecutionContext } from 'ava';
import { readSettings } from '../../config/read.ts';
import { deadlinesOf, waitingKeys } from '../../config/shared-keys.ts';
import { DEADLINES_MS } from '../../session/media/classes.ts';
import { scratch } from './scratch.ts';

function deadlines(t: ExecutionContext, ...args: readonly string[]) {
  const { folder } = scratch(t);
  const read = readSettings(waitingKeys, () => {}, { args, env: {}, folder, defaultFile: 'none' });
  return read.settings === undefined ? read.problems : deadlinesOf(read.settings);
}

test('deadlines of audio, video and the rest can be set, those of STUN and RTCP not', (t) => {
  t.deepEqual(deadlines(t), DEADLINES_MS);
  const all = ['audio-deadline=80ms', 'video-deadline=250ms', 'other-deadline=1s'];
  t.deepEqual(deadlines(t, ...all.map((one) => `--media-${one}`)), [500, 500, 80, 250, 1_000]);
});
