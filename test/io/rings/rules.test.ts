import test from 'ava';
import { changeElements, dropTable, replaceTable } from '../../../io/rings/capture-table.ts';
import { DEFAULT_PLACE, type Place, placeFault } from '../../../io/rings/place.ts';
import { type Routing, rulesOf } from '../../../io/rings/rules.ts';
import { parseEndpoint } from '../../../wire/address.ts';
import { type Prefix, parsePrefix } from '../../../wire/prefix.ts';

const PLACE: Place = { name: 'tep7', table: 700, priority: 70, mark: 0x100 };

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

test('the rules of TEP-C: the tunnel first, then media by protocol and port, then the way past both', (t) => {
  const routing: Routing = {
    kind: 'divert',
    to: [
      { prefix: prefix('203.0.113.0/24'), protocol: 17, ports: { first: 30_000, last: 40_000 } },
      { prefix: prefix('203.0.113.0/24'), protocol: 6 },
      { prefix: prefix('198.51.100.0/24'), ports: { first: 0, last: 2 } },
      { prefix: prefix('192.0.2.0/24'), protocol: 17, ports: { first: 0, last: 65_535 } },
      { prefix: prefix('2001:db8::/32') },
    ],
    except: [{ prefix: prefix('203.0.113.7/32'), port: 80 }, { prefix: prefix('2001:db8::7/128') }],
  };
  t.deepEqual(rulesOf(routing, PLACE, 4), [
    'priority 70 to 203.0.113.7/32 ipproto 6 dport 80 goto 72 protocol 84',
    'priority 71 to 203.0.113.0/24 ipproto 17 dport 30000-40000 lookup 700 protocol 84',
    'priority 71 to 203.0.113.0/24 ipproto 1 lookup 700 protocol 84',
    'priority 71 to 203.0.113.0/24 ipproto 6 lookup 700 protocol 84',
    'priority 71 to 198.51.100.0/24 ipproto 17 dport 1-2 lookup 700 protocol 84',
    'priority 71 to 198.51.100.0/24 ipproto 6 dport 1-2 lookup 700 protocol 84',
    'priority 71 to 198.51.100.0/24 ipproto 1 lookup 700 protocol 84',
    'priority 71 to 192.0.2.0/24 ipproto 17 lookup 700 protocol 84',
    'priority 71 to 192.0.2.0/24 ipproto 1 lookup 700 protocol 84',
    'priority 72 nop protocol 84',
  ]);
  t.deepEqual(rulesOf(routing, PLACE, 6), [
    'priority 70 to 2001:db8::7/128 ipproto 6 goto 72 protocol 84',
    'priority 71 to 2001:db8::/32 lookup 700 protocol 84',
    'priority 72 nop protocol 84',
  ]);
});

test('rules that say less than another one are left out: the kernel takes them for the same', (t) => {
  const routing: Routing = {
    kind: 'divert',
    to: [
      { prefix: prefix('203.0.113.0/24'), protocol: 17, ports: { first: 65_535, last: 65_535 } },
      { prefix: prefix('203.0.113.0/24'), protocol: 17 },
      { prefix: prefix('203.0.113.0/25'), protocol: 17, ports: { first: 1_024, last: 65_535 } },
    ],
    except: [{ prefix: prefix('203.0.113.7/32'), port: 80 }, { prefix: prefix('203.0.113.7/32') }],
  };
  t.deepEqual(rulesOf(routing, PLACE, 4), [
    'priority 70 to 203.0.113.7/32 ipproto 6 goto 72 protocol 84',
    'priority 71 to 203.0.113.0/24 ipproto 1 lookup 700 protocol 84',
    'priority 71 to 203.0.113.0/24 ipproto 17 lookup 700 protocol 84',
    'priority 71 to 203.0.113.0/25 ipproto 17 dport 1024-65534 lookup 700 protocol 84',
    'priority 71 to 203.0.113.0/25 ipproto 1 lookup 700 protocol 84',
    'priority 72 nop protocol 84',
  ]);
  const everything: Routing = {
    kind: 'divert',
    to: [{ prefix: prefix('203.0.113.0/24') }, { prefix: prefix('0.0.0.0/0') }],
    except: [],
  };
  t.deepEqual(rulesOf(everything, PLACE, 4), [
    'priority 71 to 0.0.0.0/0 lookup 700 protocol 84',
    'priority 72 nop protocol 84',
  ]);
});

test('the rules of TEP-S: pool prefixes, or one bit of the mark', (t) => {
  const pool: Routing = { kind: 'pool', prefixes: [prefix('203.0.113.0/29')] };
  t.deepEqual(rulesOf(pool, PLACE, 4), ['priority 71 to 203.0.113.0/29 lookup 700 protocol 84']);
  t.deepEqual(rulesOf(pool, PLACE, 6), []);
  const rule = 'priority 71 fwmark 256/256 lookup 700 protocol 84';
  t.deepEqual(rulesOf({ kind: 'capture' }, PLACE, 4), [rule]);
  t.deepEqual(rulesOf({ kind: 'capture' }, PLACE, 6), [rule]);
});

test('an element of the sets: the address as nftables writes it, and as a number inside ICMP', (t) => {
  const at = parseEndpoint('[2001:db8::1]:4000');
  if (at === undefined) throw new RangeError();
  t.is(
    changeElements(PLACE, 'add', { at, protocol: 17 }),
    `add element inet tep_tep7 bound6 { 2001:db8::1 . 17 . 4000 }
add element inet tep_tep7 errors6 { 0x20010db8000000000000000000000001 . 17 . 4000 }
`,
  );
});

test('a table is dropped, where there is none too, before it is made', (t) => {
  const at = parseEndpoint('203.0.113.1:4000');
  if (at === undefined) throw new RangeError();
  const text = replaceTable(PLACE, [{ at, protocol: 6 }]);
  t.true(text.startsWith(dropTable(PLACE)));
  t.is(dropTable(PLACE), 'table inet tep_tep7 {\n}\ndelete table inet tep_tep7\n');
  t.regex(text, /iifname "tep7" return/);
  t.regex(text, /meta mark set meta mark \| 0x100/);
  t.true(text.endsWith(changeElements(PLACE, 'add', { at, protocol: 6 })));
});

test('what the port may be called and numbered', (t) => {
  t.is(placeFault(DEFAULT_PLACE), undefined);
  const wrong: Partial<Place>[] = [
    { name: '' },
    { name: '7tep' },
    { name: 'tep 0' },
    { name: 'tep/0' },
    { name: 'a'.repeat(15) },
    { table: 0 },
    { table: 254 },
    { table: 1.5 },
    { table: 2 ** 31 },
    { priority: 0 },
    { priority: 32_764 },
    { mark: 0 },
    { mark: 3 },
    { mark: 2 ** 32 },
  ];
  for (const part of wrong) {
    const fault = placeFault({ ...DEFAULT_PLACE, ...part });
    t.is(fault?.code, 'EINVAL', JSON.stringify(part));
  }
  t.is(placeFault({ name: 'a'.repeat(14), table: 1, priority: 32_763, mark: 2 ** 31 }), undefined);
});
