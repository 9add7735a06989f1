import test from 'ava';
import type { BindWishes } from '../../../session/ends.ts';
import { MediaResources } from '../../../tep-client/sip/media.ts';
import { parseEndpoint } from '../../../wire/address.ts';

test('[G-25] what the description says of an address is told to the tunnel with it', (t) => {
  const ue = parseEndpoint('10.0.0.2:4000');
  if (ue === undefined) throw new RangeError('no endpoint');
  const wishes: BindWishes[] = [];
  const resources = new MediaResources({
    agent: {
      bind: (_ue, wish = {}) => {
        wishes.push(wish);
        return new Promise(() => {});
      },
      release: () => {},
    },
    place: undefined,
    isStatic: () => false,
    settled: () => {},
  });
  resources.get({ type: 'bind', key: 'a', ue, protocol: 17, pair: true, carries: 'video' });
  t.deepEqual(wishes, [{ protocol: 17, pair: true, carries: 'video' }]);
});

test('where nothing can stand in for an address of the core, that is told at once', (t) => {
  const rtp = parseEndpoint('203.0.113.9:30000');
  if (rtp === undefined) throw new RangeError('no endpoint');
  const settled: unknown[] = [];
  const resources = new MediaResources({
    agent: { bind: () => new Promise(() => {}), release: () => {} },
    place: undefined,
    isStatic: () => false,
    settled: (key, mapped) => settled.push([key, mapped]),
  });
  resources.get({ type: 'stand-in', key: 'a', rtp, rtcp: undefined });
  t.deepEqual(settled, [['a', undefined]]);
});
