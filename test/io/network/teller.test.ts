import test from 'ava';
import { type NetworkChange, NetworkState } from '../../../io/network/network-state.ts';
import { Teller } from '../../../io/network/teller.ts';

test('[G-13] what comes within a moment is told together, and nothing when all is as before', async (t) => {
  let tell: (change: NetworkChange) => void = () => {};
  const changes: NetworkChange[] = [];
  const teller = new Teller((change) => {
    changes.push(change);
    tell(change);
  }, new Set());
  const state = new NetworkState();
  const address = (type: 'address' | 'address-gone', text: string) => {
    state.apply({ type, index: 1, address: text });
    teller.became(state);
  };
  const told = new Promise<NetworkChange>((resolve) => {
    tell = resolve;
  });
  teller.became(state);
  address('address', '192.0.2.1');
  address('address', '192.0.2.2');
  address('address-gone', '192.0.2.2');
  t.like(await told, { addressesNew: ['192.0.2.1'], addressesGone: [] });
  const toldAgain = new Promise<NetworkChange>((resolve) => {
    tell = resolve;
  });
  // Gone and back: no change, so that the next one stands alone.
  address('address-gone', '192.0.2.1');
  address('address', '192.0.2.1');
  address('address', '192.0.2.3');
  t.like(await toldAgain, { addressesNew: ['192.0.2.3'], addressesGone: [] });
  t.is(changes.length, 2);
  teller.close();
});

test('[G-13] a state that is begun anew, because messages were lost, is the one that is told', async (t) => {
  const states = ['192.0.2.1', '192.0.2.2'].map((address) => {
    const state = new NetworkState();
    state.apply({ type: 'address', index: 1, address });
    return state;
  });
  const change = await new Promise<NetworkChange>((resolve) => {
    const teller = new Teller(resolve, new Set());
    teller.became(new NetworkState());
    for (const state of states) teller.became(state);
  });
  t.like(change, { addressesNew: ['192.0.2.2'], addressesGone: [] });
});
