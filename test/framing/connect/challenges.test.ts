import test from 'ava';
import { parseChallenges } from '../../../framing/connect/challenges.ts';
import { random } from '../cut.ts';

function read(...values: string[]) {
  return parseChallenges(values).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

test('RFC 9110 11.6.1: several challenges in one field, with commas everywhere', (t) => {
  t.deepEqual(
    read('Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'),
    [
      ['basic', { realm: 'simple' }],
      ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ],
  );
  t.deepEqual(read('Digest qop="auth, auth-int" , realm = "a,b=c" ,, nonce=abc,Basic realm=x,'), [
    ['digest', { qop: 'auth, auth-int', realm: 'a,b=c', nonce: 'abc' }],
    ['basic', { realm: 'x' }],
  ]);
});

test('several fields, schemes without parameters, and tokens in their place', (t) => {
  t.deepEqual(read('Negotiate', 'NTLM', 'Negotiate YIIK+a/b==, Basic realm="c"'), [
    ['negotiate', {}],
    ['ntlm', {}],
    ['negotiate', {}],
    ['basic', { realm: 'c' }],
  ]);
});

test('what breaks off is read as far as it goes; the first of two parameters counts', (t) => {
  t.deepEqual(read('Digest realm="a", nonce="never closed'), [['digest', { realm: 'a' }]]);
  t.deepEqual(read('Basic realm="a", realm="b"'), [['basic', { realm: 'a' }]]);
  t.deepEqual(read('', ',,', '"'), []);
});

test('no challenge is answered that stands behind sixteen others', (t) => {
  t.is(parseChallenges([Array(100).fill('Basic').join()]).length, 16);
});

test('ten thousand seeded mutations neither throw nor hang', (t) => {
  const next = random(11);
  const whole =
    'Digest realm="a\\"b", qop="auth,auth-int", nonce=x, Negotiate YII=, Basic realm="c"';
  for (let i = 0; i < 10_000; i++) {
    const octets = Buffer.from(whole, 'latin1');
    for (let n = 0; n < 4; n++) octets[next(octets.length)] = next(256);
    parseChallenges([octets.toString('latin1')]);
  }
  // A quoted string that backtracks would take minutes for this.
  parseChallenges([`Digest realm="${'\\'.repeat(30_000)}`]);
  t.pass();
});
