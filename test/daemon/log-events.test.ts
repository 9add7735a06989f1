import test from 'ava';
import { type LEVELS, Logger } from '../../ops/log.ts';
import { logClientEvent } from '../../tep-client/log-events.ts';
import type { ClientEvent } from '../../tep-client/options.ts';
import { logServerEvent } from '../../tep-server/log-events.ts';
import type { ServerEvent } from '../../tep-server/options.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';

const AT = parseEndpoint('192.0.2.1:4000') ?? { family: 4, address: new Uint8Array(4), port: 0 };

const CLIENT: ReadonlyArray<readonly [ClientEvent, string]> = [
  [
    { type: 'opened', outer: AT, resumed: true, lifetimeMs: 1, software: 'tep' },
    '<6>tunnel resumed outer=192.0.2.1:4000 software=tep',
  ],
  [
    { type: 'refused', conn: 1, why: 'refused', code: 401, reason: 'Unauthenticated' },
    '<3>the server does not let us in why=refused code=401 reason=Unauthenticated',
  ],
  [
    { type: 'closed', why: 'idle', code: 0, reason: 'no binding left' },
    '<6>tunnel closed why=idle reason="no binding left"',
  ],
  [
    { type: 'closed', why: 'untrusted', code: 0, reason: '' },
    '<3>the server does not let us in why=untrusted',
  ],
  [{ type: 'outage', on: true }, '<4>no tunnel can be had'],
  [{ type: 'outage', on: false }, '<6>outage is over'],
  [
    {
      type: 'connect-failed',
      conn: 0,
      fault: { type: 'io-fault', stage: 'proxy', code: 'E407', text: 'wrong password' },
    },
    '<4>cannot connect stage=proxy code=E407 why="wrong password"',
  ],
  [
    { type: 'bound', ue: AT, protocol: 17, address: AT, pair: true, changed: true },
    '<4>public address changed, the call must be told ue=192.0.2.1:4000 protocol=udp public=192.0.2.1:4000 pair=true',
  ],
  [
    { type: 'bind-failed', ue: AT, protocol: 6, code: 486, reason: 'quota' },
    '<4>no public address ue=192.0.2.1:4000 protocol=tcp code=486 why=quota',
  ],
  [{ type: 'released', ue: AT, protocol: 17 }, '<6>released ue=192.0.2.1:4000 protocol=udp'],
  [
    { type: 'close', conn: 3, flush: false, fault: FAULTS.IDLE },
    '<7>connection ends conn=3 fault=idle',
  ],
];

const SERVER: ReadonlyArray<readonly [ServerEvent, string]> = [
  [
    { type: 'tunnel-opened', tunnel: 7, user: 'alice', peer: AT, conn: 0 },
    '<6>tunnel opened tunnel=7 user=alice peer=192.0.2.1:4000',
  ],
  [
    { type: 'login-refused', peer: AT, fault: FAULTS.STUN_INTEGRITY },
    '<4>login refused peer=192.0.2.1:4000 fault=stun-integrity',
  ],
  [{ type: 'tunnel-closed', tunnel: 7, why: 'expired' }, '<6>tunnel closed tunnel=7 why=expired'],
  [
    { type: 'bound', tunnel: 7, binding: 1, address: AT, protocol: 17 },
    '<6>bound tunnel=7 public=192.0.2.1:4000 protocol=udp',
  ],
  [
    { type: 'turned-away', peer: AT, reason: 'tls-failed' },
    '<6>turned away peer=192.0.2.1:4000 reason=tls-failed',
  ],
  [
    { type: 'turned-away', peer: AT, reason: 'http' },
    '<7>turned away peer=192.0.2.1:4000 reason=http',
  ],
  [
    { type: 'close', conn: 3, flush: false, fault: FAULTS.UNAUTHENTICATED_LIMIT },
    '<6>connection cut conn=3 fault=unauthenticated-limit',
  ],
  [
    { type: 'tunnel-state', tunnel: 7, from: 'up', to: 'lost', event: 'carriers-lost' },
    '<7>tunnel changes tunnel=7 from=up to=lost event=carriers-lost',
  ],
  [
    { type: 'connection-state', conn: 3, from: 'opening', to: 'ready', event: 'admit' },
    '<7>connection changes conn=3 from=opening to=ready event=admit',
  ],
  [
    {
      type: 'listen-failed',
      id: 1,
      fault: { type: 'io-fault', code: 'EADDRINUSE', text: 'in use' },
    },
    '<3>a public address cannot be opened why="in use"',
  ],
];

function collect(level: (typeof LEVELS)[number] = 'debug') {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line.trimEnd());
  const log = new Logger({ write, level, format: 'text', journal: true, clock: () => 0 });
  return { log, lines };
}

test('events of TEP-C as lines', (t) => {
  for (const [event, line] of CLIENT) {
    const { log, lines } = collect();
    logClientEvent(log, event);
    t.deepEqual(lines, [line]);
  }
});

test('events of TEP-S as lines', (t) => {
  for (const [event, line] of SERVER) {
    const { log, lines } = collect();
    logServerEvent(log, event);
    t.deepEqual(lines, [line]);
  }
});

test('an orderly end of a connection is no line at TEP-S', (t) => {
  const { log, lines } = collect('info');
  logServerEvent(log, { type: 'close', conn: 1, flush: true, fault: 0 });
  t.deepEqual(lines, []);
});
