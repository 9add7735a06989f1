/** The packet port `rings` does what every port must do: in a namespace of this process alone. */
import { execFileSync } from 'node:child_process';
import test from 'ava';
import koffi from 'koffi';
import { endpointOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { openRings } from '../../io/rings/rings.ts';
import { labMissing } from '../../lab/requirements.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { openProgram } from '../io/port-programs.ts';
import { type OpenWorld, portSuite } from '../io/port-suite.ts';

const CLONE_NEWNET = 0x4000_0000;

const missing = labMissing();
if (missing === undefined) {
  const unshare = koffi.load(null).func('int unshare(int flags)');
  if (unshare(CLONE_NEWNET) !== 0) throw new Error('no namespace');
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['addr', 'add', '10.1.1.1/32', 'dev', 'lo']);
  execFileSync('ip', ['addr', 'add', 'fd00::1/128', 'dev', 'lo', 'nodad']);
}

let opened = 0;

function rings(host: string, gateway: string): OpenWorld {
  return async (t, incoming) => {
    const prefix = parsePrefix(gateway);
    if (prefix === undefined) throw new RangeError(gateway);
    const i = opened++;
    const port = await openRings({
      name: `tep${i}`,
      table: 7480 + i,
      priority: 100 + 3 * i,
      routing: { kind: 'divert', to: [{ prefix }], except: [] },
    });
    if (isIoFault(port)) throw new Error(port.text);
    t.teardown(() => port.close());
    const program = await openProgram(t, host);
    const face = endpointOf(gateway, 40_000);
    return {
      port,
      program: program.at,
      face,
      begin: () => program.send(incoming, face).catch(() => {}),
      heard: (n) => program.heard(n),
    };
  };
}

const run = missing === undefined ? test.serial : test.skip;
portSuite('rings', 4, rings('10.1.1.1', '203.0.113.9'), run as typeof test);
portSuite('rings', 6, rings('fd00::1', '2001:db8::9'), run as typeof test);
