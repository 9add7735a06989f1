/**
 * `node relay-main.js LISTEN PUBLIC…`: a TEP-S in relay mode that lets everybody in and everything pass,
 * for tests of TEP-C. LISTEN is an address and port, PUBLIC are addresses. Prints `started`.
 */
import { isIoFault } from '../../io/io-fault.ts';
import { systemRandom } from '../../io/random.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { Policy } from '../../session/policy.ts';
import { ServerAgent } from '../../tep-server/agent.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';

const [listen = '', ...publics] = process.argv.slice(2);
const at = parseEndpoint(listen);
if (at === undefined) throw new RangeError(listen);

const everywhere = ['0.0.0.0/0', '::/0'].map(prefix);
const agent = new ServerAgent({
  listen: [at],
  packets: new UdpSockets(systemRandom),
  stunUdp: true,
  tunnel: {
    auth: { mechanism: 'none' },
    policy: new Policy({
      rules: everywhere.map((prefix) => ({ prefix, ports: { first: 1, last: 65_535 } })),
      maxPinholes: 1,
      seed: systemRandom(8),
    }),
    addresses: { mode: 'relay', prefixes: publics.map(prefix) },
  },
});
const started = await agent.start();
if (isIoFault(started)) throw new Error(started.text);
process.stdout.write('started\n');

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
