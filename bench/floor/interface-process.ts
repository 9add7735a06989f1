/** Makes the pair of interfaces that the packet port `rings` makes, on the host that this process runs on. */
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { DEFAULT_PLACE, farEnd } from '../../io/rings/place.ts';
import { System } from '../../io/rings/system.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { PROTOCOL as UDP } from '../../wire/udp.ts';
import { answer } from '../agents/child.ts';

const answers = {
  /** UDP for `prefix` comes to the far end, whose name is given. It stays until the host is gone. */
  async open({ prefix }: { prefix: string }): Promise<string> {
    const calls = libc();
    const to = parsePrefix(prefix);
    if (isIoFault(calls)) throw new Error(calls.text);
    if (to === undefined) throw new RangeError(prefix);
    const system = new System(DEFAULT_PLACE, calls);
    const routing = { kind: 'divert', to: [{ prefix: to, protocol: UDP }], except: [] } as const;
    const fault = (await system.makeLinks(true)) ?? (await system.up(routing));
    if (fault !== undefined) throw new Error(fault.text);
    return farEnd(DEFAULT_PLACE.name);
  },
} as const;
export type Interfaces = typeof answers;

answer(answers);
