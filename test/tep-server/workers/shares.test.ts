import test from 'ava';
import { isIoFault } from '../../../io/io-fault.ts';
import type { ServerSettings } from '../../../tep-server/settings.ts';
import { shareOf } from '../../../tep-server/workers/shares.ts';
import { formatPrefix } from '../../../wire/prefix.ts';
import { settingsOf } from '../service.ts';

const POOL = ['--addresses-mode', 'pool', '--packets-port', 'rings'];

function shares(settings: ServerSettings, count: number): ServerSettings[] {
  return Array.from({ length: count }, (_, index) => {
    const share = shareOf(settings, index, count);
    if ('type' in share) throw new Error(share.text);
    return share;
  });
}

test('[W-5] public ports are divided: every one belongs to one worker, pairs stay together', (t) => {
  for (const range of ['49152-65535', '1025-1039', '50000-50001', '30001-30008']) {
    const settings = settingsOf(t, '--ports', range);
    const [first = 0, last = 0] = range.split('-').map(Number);
    for (const count of [2, 3, 7]) {
      if ((last - first) / 2 < count) continue;
      const parts = shares(settings, count).map(({ ports }) => ports);
      t.is(parts[0]?.first, first);
      t.is(parts.at(-1)?.last, last);
      for (const [i, part] of parts.entries()) {
        t.true((part?.last ?? 0) > (part?.first ?? 0));
        if (i === 0) continue;
        t.is((part?.first ?? 0) - (parts[i - 1]?.last ?? 0), 1);
        t.is((part?.first ?? 1) % 2, 0);
      }
    }
  }
});

test('[W-5] ports that nobody was told are divided too', (t) => {
  const parts = shares(settingsOf(t), 2).map(({ ports }) => ports);
  t.deepEqual(parts, [
    { first: 49_152, last: 57_343 },
    { first: 57_344, last: 65_535 },
  ]);
});

test('[W-5] a pool is divided: no address belongs to two workers', (t) => {
  const texts = (flags: readonly string[], count: number) =>
    shares(settingsOf(t, ...POOL, ...flags), count).map((share) =>
      share['addresses.public'].map(formatPrefix),
    );
  t.deepEqual(texts(['--addresses-public', '192.0.2.0/24'], 2), [
    ['192.0.2.0/25'],
    ['192.0.2.128/25'],
  ]);
  t.deepEqual(texts(['--addresses-public', '192.0.2.0/24'], 3), [
    ['192.0.2.0/26', '192.0.2.192/26'],
    ['192.0.2.64/26'],
    ['192.0.2.128/26'],
  ]);
  const both = ['--addresses-public', '192.0.2.9', '--addresses-public', '2001:db8:1::/48'];
  t.deepEqual(texts(both, 2), [['192.0.2.9/32', '2001:db8:1:8000::/49'], ['2001:db8:1::/49']]);
});

test('[W-5] each has an interface, a table, rules and a mark of its own', (t) => {
  const [first, second] = shares(settingsOf(t, ...POOL, '--addresses-public', '192.0.2.0/24'), 2);
  t.is(first?.['packets.interface'], 'tep0');
  t.is(second?.['packets.interface'], 'tep1');
  t.is((second?.['packets.table'] ?? 0) - (first?.['packets.table'] ?? 0), 1);
  t.is((second?.['packets.priority'] ?? 0) - (first?.['packets.priority'] ?? 0), 3);
  t.is((second?.['packets.mark'] ?? 0) & (first?.['packets.mark'] ?? 0), 0);
});

test('[G-22] connections are divided; of one address only where a balancer deals them out', (t) => {
  const [one] = shares(settingsOf(t, '--limits-connections', '11'), 2);
  t.is(one?.['limits.connections'], 5);
  t.is(one?.['limits.connections-per-address'], 100);
  const [balanced] = shares(settingsOf(t, '--proxy-protocol-from', '192.0.2.1'), 3);
  t.is(balanced?.['limits.connections-per-address'], 34);
});

test('what cannot be divided is a fault with a text', (t) => {
  const ports = shareOf(settingsOf(t, '--ports', '50000-50003'), 0, 3);
  t.true(isIoFault(ports) && ports.text === 'ports: too few for 3 workers');
  const pool = shareOf(settingsOf(t, ...POOL, '--addresses-public', '192.0.2.9'), 1, 2);
  t.true(isIoFault(pool) && pool.text === 'addresses.public: too few for 2 workers');
});
