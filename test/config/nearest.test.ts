import test from 'ava';
import { nearest } from '../../config/nearest.ts';

test('the nearest right name', (t) => {
  const names = ['demo', 'replay', 'sdp', 'status'];
  t.is(nearest('dmeo', names), 'demo');
  t.is(nearest('stat', names), 'status');
  t.is(nearest('repaly', names), 'replay');
  t.is(nearest('sip', names), 'sdp');
  t.is(nearest('x', names), undefined);
  t.is(nearest('frobnicate', names), undefined);
});
