/** Bindings that the configuration asks for (M-03). */
import test from 'ava';
import type { StaticBinding } from '../../config/address-kinds.ts';
import type { BindWishes } from '../../session/ends.ts';
import { StaticBinds } from '../../tep-client/static-binds.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../wire/address.ts';

const RTP = binding('10.0.0.2:4000', true);
const OTHER = binding('10.0.0.2:5000', false);

function binding(text: string, pair: boolean): StaticBinding {
  const ue = parseEndpoint(text);
  if (ue === undefined) throw new RangeError(text);
  return { ue, protocol: 17, pair };
}

function open() {
  const said: string[] = [];
  const agent = {
    bind(ue: Endpoint, { port, pair }: BindWishes = {}) {
      said.push(`bind ${formatEndpoint(ue)} port ${port}${pair ? ' with its neighbour' : ''}`);
      return new Promise<never>(() => {});
    },
    release(ue: Endpoint) {
      said.push(`release ${formatEndpoint(ue)}`);
    },
  };
  return { binds: new StaticBinds(agent), said };
}

function failed({ ue }: StaticBinding) {
  return { type: 'bind-failed', ue, protocol: 17, code: 486, reason: 'quota' } as const;
}

test('[M-03] each is asked for once, with its own port as the wish', (t) => {
  const { binds, said } = open();
  binds.set([RTP, OTHER]);
  binds.set([OTHER, RTP]);
  t.deepEqual(said, [
    'bind 10.0.0.2:4000 port 4000 with its neighbour',
    'bind 10.0.0.2:5000 port 5000',
  ]);
  binds.close();
});

test('[M-03] a new list: what is not in it is given back, a pair is not a single one', (t) => {
  const { binds, said } = open();
  binds.set([RTP, OTHER]);
  said.length = 0;
  binds.set([{ ...RTP, pair: false }]);
  t.deepEqual(said, [
    'release 10.0.0.2:4000',
    'release 10.0.0.2:5000',
    'bind 10.0.0.2:4000 port 4000',
  ]);
  binds.close();
});

test('[M-03] one that was refused is asked for again: later, or with the next list at once', (t) => {
  const { binds, said } = open();
  binds.set([RTP, OTHER]);
  said.length = 0;
  binds.observe(failed(RTP));
  t.deepEqual(said, []);
  binds.set([RTP, OTHER]);
  t.deepEqual(said, ['bind 10.0.0.2:4000 port 4000 with its neighbour']);
  const address = RTP.ue;
  const bound = { ue: RTP.ue, protocol: 17, address, pair: true, changed: false } as const;
  binds.observe({ type: 'bound', ...bound });
  binds.set([RTP, OTHER]);
  t.is(said.length, 1);
  binds.close();
});

test('what fails of others is none of its business, and nothing happens after the end', (t) => {
  const { binds, said } = open();
  binds.set([RTP]);
  binds.observe(failed(OTHER));
  binds.close();
  binds.observe(failed(RTP));
  t.is(said.length, 1);
});
