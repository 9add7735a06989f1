/** Opens many tunnels to a TEP-S and leaves them idle. */
import { dial } from '../../io/dial/dial.ts';
import { DIRECT } from '../../io/dial/types.ts';
import { type PacketPort, PortCounts } from '../../io/packet-port.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import { answer } from './child.ts';

const DIAL_MS = 30_000;
/** Opened at a time: authentication of each costs the server some 0.1 ms. */
const AT_ONCE = 50;

interface Plan {
  readonly host: string;
  readonly port: number;
  readonly count: number;
  readonly name: string;
  readonly password: string;
}

const answers = {
  /** Gives how many are open. */
  async open(plan: Plan): Promise<number> {
    let opened = 0;
    for (let i = 0; i < plan.count; i += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, plan.count - i) }, () => openOne(plan));
      const states = await Promise.all(some);
      opened += states.filter((state) => state === 'opened').length;
    }
    return opened;
  },
} as const;
export type Tunnels = typeof answers;
answer(answers);

async function openOne({ host, port, name, password }: Plan): Promise<string> {
  const agent = new ClientAgent({
    dial: () => dial({ host, port, tls: false }, DIRECT, DIAL_MS),
    packets: nowhere(),
    tunnel: { auth: { mechanism: 'long-term', credentials: { name, password } } },
  });
  return (await agent.open()).type;
}

function nowhere(): PacketPort {
  const nothing = () => {};
  const counters = new PortCounts();
  return { counters, start: nothing, send: nothing, flush: nothing, close: async () => {} };
}
