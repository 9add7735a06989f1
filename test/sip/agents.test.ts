/** Two agents negotiate at random; whoever stands between them must come to what they agree on. */
import test from 'ava';
import type { Side } from '../../sip/negotiation.ts';
import { generator } from '../wire/standing.ts';
import { Agent, type Sent } from './agents.ts';
import { Conversation } from './conversation.ts';

/** Messages on their way to the middle and from there to the other end, each way in order. */
class Wire {
  readonly conversation = new Conversation();
  readonly #in: Record<Side, Sent[]> = { phone: [], core: [] };
  readonly #out: Record<Side, Sent[]> = { phone: [], core: [] };

  send(from: Side, message: Sent): void {
    this.#in[from].push(message);
  }

  get isEmpty(): boolean {
    return [this.#in.phone, this.#in.core, this.#out.phone, this.#out.core].every(
      (q) => q.length === 0,
    );
  }

  /** The middle sees the next message of this side, at times twice. */
  pass(from: Side, twice: boolean): void {
    const message = this.#in[from].shift();
    if (message === undefined) return;
    this.#tell(from, message);
    if (twice) this.#tell(from, message);
    this.#out[from].push(message);
  }

  arriveFrom(from: Side): Sent | undefined {
    return this.#out[from].shift();
  }

  #tell(from: Side, { kind, what, status, sdp }: Sent): void {
    const told = sdp === undefined ? {} : { sdp };
    if (kind === 'request') this.conversation.ask(from, what, told);
    else this.conversation.answer(from, status, what, told);
  }
}

const OTHER = { phone: 'core', core: 'phone' } as const;

/** Gives how often an agreement was compared, or what was wrong. */
function run(seed: number): number | string {
  const random = generator(seed);
  const wire = new Wire();
  const agents: Record<Side, Agent> = {
    phone: new Agent('phone', random, (message) => wire.send('phone', message)),
    core: new Agent('core', random, (message) => wire.send('core', message)),
  };
  const { conversation } = wire;
  conversation.ask('phone', 'INVITE 1 new', { sdp: 'o' });
  conversation.answer('core', 200, 'INVITE 1', { sdp: 'a' });
  Object.assign(agents.phone, { own: 'o', theirs: 'a' });
  Object.assign(agents.core, { own: 'a', theirs: 'o' });
  let compared = 0;
  for (let i = 0; i < 400; i++) {
    const side: Side = random(2) === 0 ? 'phone' : 'core';
    const busy = i % 40 < 30;
    if (random(2) === 0) agents[side].step(busy);
    wire.pass(side, random(4) === 0);
    const arrived = random(2) === 0 ? wire.arriveFrom(side) : undefined;
    if (arrived !== undefined) agents[OTHER[side]].receive(arrived);
    if (!wire.isEmpty || !agents.phone.isIdle || !agents.core.isIdle) continue;
    const { phone, core } = agents;
    const [seen] = conversation.inUse();
    const wanted = `p:${phone.own} c:${core.own}`;
    if (phone.own !== core.theirs || core.own !== phone.theirs) return 'the agents disagree';
    if (seen !== wanted) return `seed ${seed}, step ${i}: ${seen} instead of ${wanted}`;
    compared += 1;
  }
  return compared;
}

test('[RFC6337] 300 random negotiations: what is seen between is what the ends agree on', (t) => {
  let compared = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const result = run(seed);
    if (typeof result === 'string') return t.fail(result);
    compared += result;
  }
  t.true(compared > 3_000, `${compared}`);
});
