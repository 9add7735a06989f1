import test from 'ava';
import { optionsOf } from '../../../bench/delay/options.ts';

test('everything, unless named', (t) => {
  const all = optionsOf([]);
  t.is(all.peers.length, 7);
  t.true(all.scenarios.length > 10);
  const some = optionsOf(['tep', 'udp', 'loss-1', '--json']);
  t.deepEqual(some.peers, ['udp', 'tep']);
  t.deepEqual(
    some.scenarios.map(({ name }) => name),
    ['loss-1'],
  );
  t.true(some.asJson);
});

test('the short form has what the aims speak of, and any scenario by its name', (t) => {
  const names = optionsOf(['--quick']).scenarios.map(({ name }) => name);
  t.deepEqual(names, ['truth', 'clean-200', 'loss-1', 'loss-3', 'blackout', 'narrow']);
  const [bursts] = optionsOf(['--quick', 'bursts']).scenarios;
  t.true(bursts !== undefined && bursts.seconds < 8);
});

test('named peers are measured in every scenario', (t) => {
  const { scenarios } = optionsOf(['--quick', 'udptunnel']);
  t.true(scenarios.every(({ peers }) => peers?.join() === 'udptunnel'));
});

test('settings for the agents', (t) => {
  const { client, server } = optionsOf(['--client=stripes=4', '--server=drain=1s']);
  t.deepEqual(client, { stripes: '4' });
  t.deepEqual(server, { drain: '1s' });
});

test('a word that means nothing is told', (t) => {
  t.throws(() => optionsOf(['losss-1']), { instanceOf: RangeError, message: /losss-1/ });
});

for (const words of [[], ['--quick'], ['--quick', 'hole', 'wideband']]) {
  test(`after the lead-in there is enough left to measure: ${words.join(' ') || 'all'}`, (t) => {
    const { leadInMs, scenarios } = optionsOf(words);
    for (const { name, seconds, blackout } of scenarios) {
      t.true(seconds * 1_000 >= 2 * leadInMs, name);
      // What delay was before, and what it is afterwards.
      if (blackout === undefined) continue;
      t.true(blackout.atMs >= leadInMs + 300, name);
      t.true(blackout.atMs + blackout.ms + 500 <= seconds * 1_000, name);
    }
  });
}

test('nobody is measured while Node compiles', (t) => {
  t.is(optionsOf([]).leadInMs, 3_000);
  t.is(optionsOf(['--quick']).leadInMs, 1_000);
});
