/** A real TEP-C and a real TEP-S with one bound flow, joined in memory, for the benches. */
import { TunnelClient } from '../session/client.ts';
import { Policy } from '../session/policy.ts';
import { TunnelServer } from '../session/server.ts';
import type { TunnelEnd } from '../session/tunnel-end.ts';
import type { Endpoint } from '../wire/address.ts';
import { parsePrefix } from '../wire/prefix.ts';
import { userTable } from '../wire/stun/users.ts';
import { random } from './harness.ts';
import { CLIENT, UE } from './traffic.ts';

const REALM = 'tep.example';
const credentials = { name: 'alice', password: 'a password of some length' };

export interface Joined {
  readonly client: TunnelClient;
  readonly server: TunnelServer;
  readonly conn: number;
  /** Where the core reaches the flow. */
  readonly address: Endpoint;
  /** Packets that came out, at the application and at the core. */
  readonly received: { packets: number };
  now: number;
}

export function joined(): Joined {
  const next = random(0x7e9);
  const octets = (length: number) => Uint8Array.from({ length }, () => next(256));
  const received = { packets: 0 };
  const sink = {
    packet() {
      received.packets += 1;
    },
  };
  const client = new TunnelClient(
    { auth: { mechanism: 'long-term', credentials }, random: octets },
    sink,
  );
  const server = new TunnelServer(
    {
      auth: {
        mechanism: 'long-term',
        realm: REALM,
        users: userTable([credentials], REALM),
        nonceSecret: octets(32),
        nonceLifetimeMs: 600_000,
        keyHashes: ['sha256'],
        anonymity: false,
      },
      policy: new Policy({
        rules: [{ prefix: prefix('198.51.100.0/24'), ports: { first: 1024, last: 65_535 } }],
        maxPinholes: 64,
        seed: octets(8),
      }),
      addresses: { mode: 'pool', prefixes: [prefix('203.0.113.0/24')] },
      random: octets,
    },
    sink,
  );
  // A fraction, as real clocks have.
  const now = 1_780_000_000_000.25;
  client.bind(UE, {}, now);
  return { client, server, ...opened(client, server, now), received, now };
}

/** Carries octets to and fro until the flow is bound. */
function opened(client: TunnelClient, server: TunnelServer, now: number) {
  let conn = -1;
  for (let round = 0; round < 100; round++) {
    const output = client.poll();
    if (output?.type === 'connect') {
      conn = output.conn;
      server.accepted(conn, CLIENT, now);
      client.connected(conn, now);
    }
    if (output?.type === 'bound') return { conn, address: output.address };
    move(client, server, conn, now);
    move(server, client, conn, now);
  }
  throw new Error('the flow was not bound');
}

/** What one end has to send goes into the other; gives the octets. */
export function move(
  from: TunnelEnd<unknown>,
  to: TunnelEnd<unknown>,
  conn: number,
  now: number,
): number {
  if (from.writable() < 0) return 0;
  let moved = 0;
  for (let o = from.pending(conn, now); o.length > 0; o = from.pending(conn, now)) {
    to.input(conn, o, 0, o.length, now);
    from.wrote(conn, o.length, now);
    moved += o.length;
  }
  return moved;
}

function prefix(text: string) {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
