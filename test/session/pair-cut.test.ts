/** The connection lost at every octet of a session (tep-wire 7: a call survives a TCP break). */
import test, { type ExecutionContext } from 'ava';
import type { Cut } from '../sim/link.ts';
import type { Pair } from '../sim/pair.ts';
import type { ClientSide } from '../sim/sides.ts';
import {
  flows,
  GATEWAY,
  isBound,
  LONG_MS,
  newClient,
  newPair,
  RTCP,
  RTP,
  toldAddresses,
} from './scenario.ts';

interface Where {
  readonly way: 'up' | 'down';
  readonly octets: number;
  readonly told: Cut;
  /** Wanted public port; 0 any: then only the transaction tells that a request is the same. */
  readonly port: number;
}

/** A short session on one connection, cut there. */
function play(where?: Where): { pair: Pair; alice: ClientSide } {
  const pair = newPair({ seed: 5, link: { delayMs: 5, maxPiece: 300 } });
  const alice = newClient(pair);
  alice.bind(RTP, { port: where?.port ?? 20_000, pair: true });
  const first = pair.connections[0];
  if (where && first) first.link.cutAfter(first.link[where.way], where.octets, where.told);
  pair.clock.runFor(60);
  for (let i = 0; i < 3; i++) {
    pair.uplink(alice, RTP, GATEWAY, 20 + i);
    pair.downlink(alice, RTP, GATEWAY, 24 - i);
    pair.uplink(alice, RTCP, GATEWAY, 8);
    pair.clock.runFor(7);
  }
  pair.clock.runFor(50);
  return { pair, alice };
}

/** What must hold wherever it was cut. */
function survives(t: ExecutionContext, where: Where): void {
  const { pair, alice } = play(where);
  const back = pair.clock.runUntilTrue(() => isBound(alice) && alice.up().length === 1, LONG_MS);
  const at = `${where.way} ${where.octets}`;
  if (!back) t.fail(`${at}: not up again`);
  flows(t, pair, alice, [RTP, RTCP]);
  const addresses = new Set(toldAddresses(alice));
  if (addresses.size !== 1) t.fail(`${at}: public addresses ${[...addresses]}`);
  const granted = pair.server.of('bound').length;
  if (granted !== 2) t.fail(`${at}: ${granted} ports granted`);
  if (pair.traffic.wrongs.length > 0) t.fail(`${at}: ${pair.traffic.wrongs}`);
}

test('[W-7] uncut, the scripted session delivers everything over one connection', (t) => {
  const { pair, alice } = play();
  t.is(pair.connections.length, 1);
  t.deepEqual(toldAddresses(alice), ['198.51.100.7:20000']);
  t.is(pair.traffic.sent.length, 9);
  t.is(
    pair.traffic.count('uplink', (s) => s.deliveredBy === 0),
    6,
  );
  t.is(
    pair.traffic.count('downlink', (s) => s.deliveredBy === 0),
    3,
  );
  t.deepEqual(pair.traffic.wrongs, []);
});

for (const way of ['up', 'down'] as const) {
  test(`[M-19] cut at every octet ${way}: resumed, same public address, nothing torn`, (t) => {
    const length = play().pair.connections[0]?.link[way].arrived ?? 0;
    t.true(length > 450, `${length} octets`);
    // The other end notices at once, while the new connection is being made, or after it.
    const tellings: Cut[] = [
      {},
      { serverAfterMs: 12 },
      { serverAfterMs: 3000 },
      { clientAfterMs: 700 },
    ];
    for (let octets = 0; octets <= length; octets++) {
      const told = tellings[octets % tellings.length] ?? {};
      survives(t, { way, octets, told, port: octets % 3 === 0 ? 0 : 20_000 });
    }
    t.pass();
  });
}
