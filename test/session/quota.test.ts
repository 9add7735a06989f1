import test from 'ava';
import { Quota } from '../../session/quota.ts';
import { FAULTS } from '../../wire/faults.ts';

const LIMITS = { tunnelsPerUser: 2, bindingsPerTunnel: 4, bindingsPerUser: 6 };

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
