import test from 'ava';
import { command } from '../../../cli/lab.ts';
import { fakeWorld } from '../world.ts';

test.serial('without root that is all that is said: nothing is being built', async (t) => {
  const { getuid } = process;
  t.teardown(() => {
    if (getuid !== undefined) process.getuid = getuid;
  });
  process.getuid = () => 65_534;
  const message =
    process.platform === 'linux' ? /need root: run it with sudo$/ : /are a part of Linux$/;
  for (const verb of ['call', 'up']) {
    const world = fakeWorld();
    await t.throwsAsync(command.run([verb], world), { message }, verb);
    t.is(world.out(), '', verb);
  }
});
