import test from 'ava';
import { talkedPattern } from '../../lab/baresip.ts';

const BEGIN = 'Call established: sip:carol@ims.example\n';
const at = (clock: string) => `\r[${clock}] audio=80/80 (bit/s)`;

test('a call has lasted so long when the telephone shows that time, or a little more', (t) => {
  for (const [seconds, shown] of [
    [5, '0:00:05'],
    [5, '0:00:07'],
    [75, '0:01:15'],
    [3_600, '1:00:00'],
    [3_590, '1:00:01'],
  ] as const) {
    t.regex(`${BEGIN}${at(shown)}`, talkedPattern(seconds));
  }
});

test('what it shows before does not count, and neither does a call before the latest', (t) => {
  for (const [seconds, shown] of [
    [5, '0:00:04'],
    [3_600, '0:00:00'],
    [3_590, '0:00:05'],
    [65, '1:01:05'],
  ] as const) {
    t.notRegex(`${BEGIN}${at(shown)}`, talkedPattern(seconds));
  }
  t.notRegex(`${BEGIN}${at('0:00:05')}\n${BEGIN}${at('0:00:01')}`, talkedPattern(5));
});
