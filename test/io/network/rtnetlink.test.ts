import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import test from 'ava';
import { NetworkState } from '../../../io/network/network-state.ts';
import { ASK, askFor, type NetworkEvent, readEvents } from '../../../io/network/rtnetlink.ts';
import { generator, mutate } from '../../wire/standing.ts';

/** Recorded on a little-endian machine, as nearly all are. */
const register = endianness() === 'LE' ? test : test.skip;

interface Recorded {
  readonly command: string;
  readonly datagrams: readonly Buffer[];
}

const recorded: Recorded[] = readFileSync('test/vectors/network/rtnetlink.txt', 'latin1')
  .split('\n# ')
  .slice(1)
  .map((part) => {
    const [command = '', ...lines] = part.trim().split('\n');
    return { command, datagrams: lines.map((line) => Buffer.from(line, 'hex')) };
  });

const eventsOf = ({ datagrams }: Recorded) => datagrams.flatMap((d) => readEvents(d));

function after(command: string): NetworkEvent[] {
  const found = recorded.find((entry) => entry.command.startsWith(command));
  if (found === undefined) throw new Error(`not recorded: ${command}`);
  return eventsOf(found);
}

register('links: made, switched on, with a cable and without, gone', (t) => {
  t.deepEqual(after('ip link add t-a'), [
    { type: 'link', index: 51, name: 't-b', link: 'down' },
    { type: 'link', index: 50, name: 't-a', link: 'down' },
  ]);
  t.deepEqual(after('ip link set t-a up'), [
    { type: 'link', index: 50, name: 't-a', link: 'no-carrier' },
  ]);
  t.deepEqual(after('ip link set t-b up').at(-1), {
    type: 'link',
    index: 50,
    name: 't-a',
    link: 'up',
  });
  t.deepEqual(
    after('ip link del t-a').filter(({ type }) => type === 'link-gone'),
    [50, 51].map((index) => ({ type: 'link-gone', index })),
  );
});

register('addresses: our own end of a link, IPv6 once nobody else has it', (t) => {
  t.deepEqual(after('ip addr add 192.0.2.7'), [
    { type: 'address', index: 50, address: '192.0.2.7' },
  ]);
  t.deepEqual(after('ip addr add 198.51.100.1'), [
    { type: 'address', index: 50, address: '198.51.100.1' },
  ]);
  t.deepEqual(after('ip addr add 2001:db8::7'), [
    { type: 'address', index: 50, address: '2001:db8::7' },
  ]);
  t.deepEqual(after('ip addr del'), [{ type: 'address-gone', index: 50, address: '192.0.2.7' }]);
});

register('default routes of the main table, and none of another', (t) => {
  const hop = { type: 'route', index: 50, family: 2, metric: 100, replaces: false } as const;
  t.deepEqual(after('ip route add default via 192.0.2.1'), [{ ...hop, hop: 'c0000201//@50' }]);
  t.deepEqual(after('ip route replace'), [{ ...hop, hop: 'c0000202//@50', replaces: true }]);
  t.deepEqual(after('ip route add default via 192.0.2.3 table 77'), []);
  t.like(after('ip -6 route add')[0], { type: 'route', family: 10, metric: 1024 });
});

const NOTHING = {
  linksUp: [],
  linksDown: [],
  addressesNew: [],
  addressesGone: [],
  defaultRoute: false,
};

register('[G-13] what each command changed, in one', (t) => {
  const state = new NetworkState();
  const changes = recorded.map((entry) => {
    const before = state.copy();
    for (const event of eventsOf(entry)) state.apply(event);
    return state.since(before, new Set());
  });
  t.deepEqual(changes, [
    undefined,
    undefined,
    { ...NOTHING, linksUp: ['t-b', 't-a'] },
    { ...NOTHING, addressesNew: ['192.0.2.7'] },
    { ...NOTHING, addressesNew: ['198.51.100.1'] },
    { ...NOTHING, addressesNew: ['2001:db8::7'] },
    { ...NOTHING, defaultRoute: true },
    { ...NOTHING, defaultRoute: true },
    undefined,
    { ...NOTHING, defaultRoute: true },
    { ...NOTHING, linksDown: ['t-b', 't-a'], defaultRoute: true },
    { ...NOTHING, addressesGone: ['192.0.2.7'] },
    { ...NOTHING, addressesGone: ['198.51.100.1', '2001:db8::7'] },
  ]);
});

test('a route is back with its cable, and not when the link was switched off', (t) => {
  const state = new NetworkState();
  const link = (is: 'up' | 'no-carrier' | 'down') =>
    state.apply({ type: 'link', index: 1, name: 'eth0', link: is });
  link('up');
  state.apply({ type: 'route', index: 1, family: 2, metric: 0, hop: 'a', replaces: false });
  const before = state.copy();
  link('no-carrier');
  t.like(state.since(before, new Set()), { linksDown: ['eth0'], defaultRoute: true });
  link('up');
  t.is(state.since(before, new Set()), undefined);
  link('down');
  link('up');
  t.deepEqual(state.since(before, new Set()), { ...NOTHING, defaultRoute: true });
});

test('a route that replaces another leaves nothing of it behind', (t) => {
  const state = new NetworkState();
  const before = state.copy();
  const route = { type: 'route', index: 1, family: 2, metric: 0, replaces: true } as const;
  state.apply({ ...route, hop: 'a' });
  state.apply({ ...route, hop: 'b' });
  state.apply({ ...route, type: 'route-gone', hop: 'b' });
  t.is(state.since(before, new Set()), undefined);
});

test('what happens to a link of our own is no change', (t) => {
  const state = new NetworkState();
  const before = state.copy();
  state.apply({ type: 'link', index: 9, name: 'tep0', link: 'up' });
  state.apply({ type: 'address', index: 9, address: '192.0.2.9' });
  state.apply({ type: 'route', index: 9, family: 2, metric: 0, hop: 'a', replaces: false });
  t.is(state.since(before, new Set(['tep0'])), undefined);
  t.like(state.since(before, new Set()), { linksUp: ['tep0'], addressesNew: ['192.0.2.9'] });
});

test('a question is a whole message', (t) => {
  const question = askFor(ASK.routes);
  const view = new DataView(question.buffer);
  const little = endianness() === 'LE';
  t.is(view.getUint32(0, little), question.length);
  t.is(view.getUint16(4, little), 26);
  t.is(view.getUint16(6, little), 0x301);
});

test('every prefix of every datagram, and ten thousand mutations: no throw', (t) => {
  const datagrams = recorded.flatMap((entry) => entry.datagrams).filter((d) => d.length < 200);
  for (const datagram of datagrams) {
    for (let n = 0; n < datagram.length; n++) t.deepEqual(readEvents(datagram.subarray(0, n)), []);
  }
  const random = generator(7);
  for (let i = 0; i < 10_000; i++) {
    const datagram = datagrams[i % datagrams.length] ?? Buffer.alloc(0);
    const state = new NetworkState();
    for (const event of readEvents(mutate(datagram, random))) state.apply(event);
  }
});
