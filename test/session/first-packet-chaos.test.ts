/**
 * Flows that begin, pause and move while connections break and TEP-S is out of reach: whatever happens,
 * every packet is carried or counted, limits hold, and in the end nothing is left at either end (G-22).
 */
import test from 'ava';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { type SeededRandom, seededRandom } from '../sim/random.ts';
import { Direct, endpoint, udpPacket } from './direct.ts';

const CORE = endpoint('198.51.100.9:30000');
const HOSTS = ['10.0.0.5', '10.0.0.77', '192.168.7.7'];
const PORTS = 12;
const STEPS = 400;
const SEEDS = 40;
const MAX_BINDINGS = 6;
/** Longer than any flow may be idle, and any pause between attempts. */
const SETTLED_MS = 300_000;

const MEDIA = parsePrefix('198.51.100.0/24');
const TO = MEDIA ? [{ prefix: MEDIA, ports: { first: 30_000, last: 39_999 } }] : [];

interface Tally {
  sent: number;
  refused: number;
}

function ueOf(random: SeededRandom): Endpoint {
  const host = HOSTS[random.below(HOSTS.length)] ?? '10.0.0.5';
  return endpoint(`${host}:${16_400 + random.below(PORTS)}`);
}

function step(d: Direct, random: SeededRandom, tally: Tally): void {
  switch (random.below(10)) {
    case 0:
      // What the ends want closed is closed before: no agent tells the end of a connection twice.
      d.run();
      d.cutAll();
      break;
    case 1:
      d.isUnreachable = random.chance(0.3);
      break;
    case 2:
      d.wait(random.below(20_000));
      break;
    case 3: {
      const [gone, fresh] = [ueOf(random), ueOf(random)];
      d.client.networkChanged(
        {
          isCutOff: () => random.chance(0.5),
          isGone: (address) => isSame(address, gone),
          isNew: (address) => isSame(address, fresh) && !isSame(address, gone),
        },
        d.now,
      );
      break;
    }
    case 4:
      d.client.release(ueOf(random), 17, d.now);
      break;
    default: {
      const packet = udpPacket(ueOf(random), CORE, 20 + random.below(100));
      tally.sent += 1;
      if (d.client.packet(packet, 0, packet.length, d.now) !== 0) tally.refused += 1;
    }
  }
  if (random.chance(0.7)) d.run();
}

function isSame(address: Uint8Array, { address: other }: Endpoint): boolean {
  return formatAddress(address, 0, address.length) === formatAddress(other, 0, other.length);
}

for (let part = 0; part < 4; part++) {
  test(`[G-22] [G-13] flows in a bad network, part ${part + 1}`, (t) => {
    for (let seed = part; seed < SEEDS; seed += 4) {
      const random = seededRandom(seed);
      const client = { firstPacket: { to: TO }, maxBindings: MAX_BINDINGS, refuse: true };
      const d = new Direct({ seed, client });
      const tally: Tally = { sent: 0, refused: 0 };
      for (let i = 0; i < STEPS; i++) {
        step(d, random, tally);
        if (d.client.status().bindings.length > 2 * MAX_BINDINGS) t.fail(`seed ${seed}: too many`);
      }
      d.isUnreachable = false;
      d.wait(SETTLED_MS);
      const view = new PacketView();
      for (const { octets } of d.toCore) {
        const fault = readPacket(view, octets, 0, octets.length) || checksumsRight(octets, view);
        if (fault !== 0) t.fail(`seed ${seed}: fault ${fault} at the core`);
      }
      const { counters } = d.client;
      const lost = tally.sent - counters.sentRecords;
      if (lost !== counters.dropped)
        t.fail(`seed ${seed}: ${lost} lost, ${counters.dropped} counted`);
      t.is(counters.of(FAULTS.ILLEGAL_EVENT), 0, `seed ${seed}`);
      t.is(counters.of(FAULTS.STUN_ATTRIBUTE), 0, `seed ${seed}`);
      t.is(d.client.state, 'closed', `seed ${seed}`);
      t.deepEqual(d.client.status().bindings, [], `seed ${seed}`);
      t.deepEqual(d.server.tunnels(), [], `seed ${seed}`);
      t.is(d.client.nextTimeout(), Number.POSITIVE_INFINITY, `seed ${seed}`);
    }
  });
}
