import test from 'ava';
import { Quota } from '../../session/quota.ts';
import { FAULTS } from '../../wire/faults.ts';

const LIMITS = {
  tunnelsPerUser: 2,
  bindingsPerTunnel: 4,
  bindingsPerUser: 6,
  packetsPerSecond: 10,
  bitsPerSecond: 1_000_000,
};

test('[W-5] a user has so many tunnels at a time, another user his own', (t) => {
  const quota = new Quota(LIMITS);
  t.is(quota.openTunnel(1, 'alice'), 0);
  t.is(quota.openTunnel(2, 'alice'), 0);
  t.is(quota.openTunnel(3, 'alice'), FAULTS.QUOTA_TUNNELS);
  t.is(quota.openTunnel(3, 'bob'), 0);
  quota.closeTunnel(1);
  t.is(quota.openTunnel(4, 'alice'), 0);
  t.is(quota.openTunnel(5, 'alice'), FAULTS.QUOTA_TUNNELS);
});

test('[W-5] bindings are limited per tunnel and per user, a pair whole or not at all', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  quota.openTunnel(2, 'alice');
  t.is(quota.bind(1, 2), 0);
  t.is(quota.bind(1, 1), 0);
  t.is(quota.bind(1, 2), FAULTS.QUOTA_BINDINGS);
  t.is(quota.bind(1, 1), 0);
  t.is(quota.bind(2, 2), 0);
  t.is(quota.bind(2, 1), FAULTS.QUOTA_BINDINGS);
  quota.unbind(1, 1);
  t.is(quota.bind(2, 1), 0);
});

test('[W-5] the end of a tunnel gives back what it held', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  quota.openTunnel(2, 'alice');
  quota.bind(1, 4);
  quota.bind(2, 2);
  t.is(quota.bind(2, 1), FAULTS.QUOTA_BINDINGS);
  quota.closeTunnel(1);
  quota.closeTunnel(1);
  t.is(quota.bind(2, 2), 0);
});

test('our own wrong arguments throw', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  t.throws(() => quota.openTunnel(1, 'alice'), { instanceOf: RangeError });
  t.throws(() => quota.bind(2, 1), { instanceOf: RangeError });
  t.throws(() => quota.unbind(1, 1), { instanceOf: RangeError });
  t.throws(() => new Quota({ ...LIMITS, bindingsPerUser: 0 }), { instanceOf: RangeError });
});

test('[W-5] all tunnels of a user share one rate, another user has his own', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  quota.openTunnel(2, 'alice');
  quota.openTunnel(3, 'bob');
  t.is(quota.ratesOf(1), quota.ratesOf(2));
  t.not(quota.ratesOf(1), quota.ratesOf(3));
});

test('[W-5] closing the last tunnel and opening another one does not fill the buckets', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  while (quota.ratesOf(1).up.take(100, 5));
  quota.closeTunnel(1);
  quota.openTunnel(2, 'alice');
  t.false(quota.ratesOf(2).up.take(100, 5));
  t.true(quota.ratesOf(2).up.take(100, 1005));
});

test('users without a tunnel are remembered up to a limit', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  const rate = quota.ratesOf(1).up;
  quota.closeTunnel(1);
  for (let other = 2; other < 2 + 4096; other++) {
    quota.openTunnel(other, `user ${other}`);
    quota.closeTunnel(other);
  }
  quota.openTunnel(1, 'alice');
  t.not(quota.ratesOf(1).up, rate);
});

test('[W-5] other limits hold for what comes, and take nothing away', (t) => {
  const quota = new Quota(LIMITS);
  quota.openTunnel(1, 'alice');
  t.is(quota.bind(1, 4), 0);
  quota.limit({ ...LIMITS, tunnelsPerUser: 1, bindingsPerTunnel: 2, packetsPerSecond: 2 });
  t.is(quota.openTunnel(2, 'alice'), FAULTS.QUOTA_TUNNELS);
  t.is(quota.bind(1, 1), FAULTS.QUOTA_BINDINGS);
  quota.unbind(1, 3);
  t.is(quota.bind(1, 1), 0);
  t.deepEqual(
    [1, 2, 3].map(() => quota.ratesOf(1).up.take(100, 0)),
    [true, true, false],
  );
  t.throws(() => quota.limit({ ...LIMITS, bitsPerSecond: 0 }), { instanceOf: RangeError });
});
