/** What the harness must see: nothing where nothing is allocated, and one small object per operation. */
import { bench } from './harness.ts';

let kept: object = {};
let count = 0;

bench({
  name: 'control: nothing',
  run(times) {
    for (let i = 0; i < times; i++) count = (count * 31 + i) | 0;
  },
});

bench({
  name: 'control: one object per op',
  run(times) {
    for (let i = 0; i < times; i++) kept = {};
  },
});

bench({
  name: 'control: one view of 200 octets per op',
  run(times) {
    for (let i = 0; i < times; i++) kept = new Uint8Array(200);
  },
});

if (count === 0.5 || kept === undefined) throw new Error('unreachable: keeps the results alive');
