/** The host of the phone gets another address: what stays his, and what does not (standards G-13, G-22). */
import test from 'ava';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import { type Direct, endpoint, udpPacket } from './direct.ts';
import {
  CORE,
  CORE6,
  give,
  newDirect,
  say,
  segment,
  sourcesAtCore,
  UE,
  UE6,
} from './phone-flows.ts';

const MOVED = endpoint('10.0.0.77:16400');

/** The host has lost the first address, and got the second. */
function readdress(d: Direct, from: Endpoint, to: Endpoint): void {
  const is = (one: Endpoint) => (address: Uint8Array) =>
    address.length === one.address.length && equal(address, 0, one.address, 0, address.length);
  const change = { isCutOff: () => false, isGone: is(from), isNew: is(to) };
  d.client.networkChanged(change, d.now);
  d.run();
}

test('[G-13] another address of the host: the application keeps its public addresses', (t) => {
  const d = newDirect();
  say(d, UE);
  say(d, { ...UE, port: UE.port + 1 });
  readdress(d, UE, MOVED);
  // RTCP comes first from there.
  t.is(say(d, { ...MOVED, port: MOVED.port + 1 }), 0);
  t.is(say(d, MOVED), 0);
  const sources = sourcesAtCore(d.toCore);
  t.is(sources[2], sources[1]);
  t.is(sources[3], sources[0]);
  t.is(d.serverTold('bound').length, 2);
  t.like(d.said('bound')[1], { ue: MOVED, changed: false, pair: true });
  // And it is reached there.
  const down = udpPacket(CORE, d.said('bound')[0]?.address ?? UE);
  d.server.packet(down, 0, down.length, d.now);
  d.run();
  t.deepEqual(d.toUe.at(-1)?.octets, udpPacket(CORE, MOVED));
});

test('[G-13] the application goes on before the host tells that its address changed', (t) => {
  const d = newDirect();
  say(d, UE);
  say(d, MOVED);
  t.is(d.said('bound').length, 2);
  readdress(d, UE, MOVED);
  t.deepEqual(d.said('released'), [{ type: 'released', ue: MOVED, protocol: 17 }]);
  t.is(say(d, MOVED), 0);
  const sources = sourcesAtCore(d.toCore);
  t.is(sources[2], sources[0]);
  t.not(sources[1], sources[0]);
  t.is(d.server.tunnels()[0]?.bindings, 2, 'a pair');
  // While it is still being asked for, too.
  const asking = newDirect();
  say(asking, UE);
  give(asking, udpPacket(MOVED, CORE));
  readdress(asking, UE, MOVED);
  t.is(say(asking, MOVED), 0);
  t.is(new Set(sourcesAtCore(asking.toCore)).size, 1);
  t.is(asking.server.tunnels()[0]?.bindings, 2);
});

test('[G-13] [G-22] who is still there keeps what is his', (t) => {
  const d = newDirect();
  say(d, UE);
  // Nothing is gone: a second host, or a second address.
  say(d, MOVED);
  t.is(d.said('bound').length, 2);
  t.not(d.said('bound')[1]?.address.port, d.said('bound')[0]?.address.port);
  // Gone and back again, as when a link was down for a moment.
  const nobody = endpoint('10.0.0.99:1');
  readdress(d, UE, nobody);
  readdress(d, nobody, UE);
  const third = endpoint('10.0.0.78:16400');
  say(d, third);
  const [first] = d.said('bound');
  say(d, UE);
  t.is(sourcesAtCore(d.toCore).at(-1), formatEndpoint(first?.address ?? UE));
});

test('[G-13] neither TCP nor another port nor the other family nor what was asked for moves', (t) => {
  const d = newDirect();
  d.bind('10.0.0.5:18000');
  say(d, UE);
  give(d, segment('02'));
  d.run();
  readdress(d, UE, MOVED);
  say(d, { ...MOVED, port: 18_000 });
  say(d, { ...MOVED, port: 17_000 });
  say(d, UE6, CORE6);
  t.is(d.said('bound').length, 6);
  t.is(d.serverTold('released').length, 0);
});
