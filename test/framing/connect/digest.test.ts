import { createHash } from 'node:crypto';
import test from 'ava';
import { parseChallenges } from '../../../framing/connect/challenges.ts';
import {
  type DigestChallenge,
  digestAuthorization,
  digestChallenge,
} from '../../../framing/connect/digest.ts';

function challenge(text: string): DigestChallenge {
  const [found] = parseChallenges([text]).map((parsed) => digestChallenge(parsed));
  if (found === undefined) throw new Error(`not usable: ${text}`);
  return found;
}

/** The parameters of a header value; the scheme is Digest. */
function parametersOf(authorization: string): Record<string, string> {
  const [parsed] = parseChallenges([authorization]);
  return parsed?.scheme === 'digest' ? Object.fromEntries(parsed.parameters) : {};
}

const MUFASA = { name: 'Mufasa', password: 'Circle of Life' };
const OPAQUE = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS';
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const GET = {
  method: 'GET',
  uri: '/dir/index.html',
  count: 1,
  clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

for (const [algorithm, response] of [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const) {
  test(`RFC 7616 3.9.1 with ${algorithm}`, (t) => {
    const asked = challenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
        `nonce="${NONCE}", opaque="${OPAQUE}"`,
    );
    t.deepEqual(parametersOf(digestAuthorization(asked, MUFASA, GET)), {
      username: 'Mufasa',
      realm: 'http-auth@example.org',
      uri: '/dir/index.html',
      algorithm,
      nonce: NONCE,
      nc: '00000001',
      cnonce: GET.clientNonce,
      qop: 'auth',
      response,
      opaque: OPAQUE,
    });
  });
}

/** Erratum 4897: the hashes printed in the RFC are of SHA-512 cut short, which is another function. */
const DOE = challenge(
  'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
    'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", ' +
    'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
);
const DOE_REQUEST = {
  method: 'GET',
  uri: '/doe.json',
  count: 1,
  clientNonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
};
const JASON = { name: 'Jäsøn Doe', password: 'Secret, or not?' };
const DOE_RESPONSE = '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5';

test('RFC 7616 3.9.2: SHA-512-256, UTF-8 and a hashed name', (t) => {
  t.like(parametersOf(digestAuthorization(DOE, JASON, DOE_REQUEST)), {
    username: '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
    userhash: 'true',
    response: DOE_RESPONSE,
  });
});

test('RFC 7616 3.9.2: the name as RFC 8187 writes it, where no hash is wanted', (t) => {
  const text = digestAuthorization({ ...DOE, userhash: false }, JASON, DOE_REQUEST);
  t.true(text.startsWith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "));
  t.like(parametersOf(text), { response: DOE_RESPONSE });
});

test('RFC 2069: no qop, no counter and no client nonce', (t) => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const text = digestAuthorization(challenge('Digest realm="r", nonce="n"'), MUFASA, GET);
  t.deepEqual(parametersOf(text), {
    username: 'Mufasa',
    realm: 'r',
    uri: '/dir/index.html',
    nonce: 'n',
    response: md5(`${md5('Mufasa:r:Circle of Life')}:n:${md5('GET:/dir/index.html')}`),
  });
});

test('-sess: the key is made from both nonces, and the client nonce is told without qop too', (t) => {
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const a1 = sha(`${sha('Mufasa:r:Circle of Life')}:n:${GET.clientNonce}`);
  const a2 = sha('GET:/dir/index.html');
  const without = challenge('Digest realm="r", nonce="n", algorithm=SHA-256-sess');
  t.like(parametersOf(digestAuthorization(without, MUFASA, GET)), {
    algorithm: 'SHA-256-sess',
    cnonce: GET.clientNonce,
    response: sha(`${a1}:n:${a2}`),
  });
  const withQop = challenge('Digest realm="r", nonce="n", algorithm=SHA-256-sess, qop=auth');
  t.like(parametersOf(digestAuthorization(withQop, MUFASA, { ...GET, count: 31 })), {
    nc: '0000001f',
    response: sha(`${a1}:n:0000001f:${GET.clientNonce}:auth:${a2}`),
  });
});

test('values are quoted so that they stay what they are, octet for octet', (t) => {
  const asked = challenge('Digest realm="a \\"b\\" \\\\ \xe4", nonce="n"');
  const text = digestAuthorization(asked, { ...MUFASA, name: 'x"y' }, GET);
  t.like(parametersOf(text), { realm: 'a "b" \\ \xe4', username: 'x"y' });
});

test('what cannot be answered is not answered', (t) => {
  for (const text of [
    'Basic realm="r"',
    'Digest realm="r"',
    'Digest nonce="n"',
    'Digest realm="r", nonce="n", algorithm=SHA3-256',
    'Digest realm="r", nonce="n", qop="auth-int"',
  ]) {
    const [parsed] = parseChallenges([text]);
    t.is(parsed && digestChallenge(parsed), undefined, text);
  }
});
