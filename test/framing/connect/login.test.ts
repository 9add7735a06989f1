import test from 'ava';
import { parseChallenges } from '../../../framing/connect/challenges.ts';
import { ProxyLogin } from '../../../framing/connect/login.ts';

const CREDENTIALS = { name: 'test', password: '123£' };
const TARGET = 'tep.example:443';

const newLogin = () => new ProxyLogin(CREDENTIALS, (n) => new Uint8Array(n));

const BASIC = parseChallenges(['Basic realm="r"']);
const DIGEST = parseChallenges(['Basic realm="r", Digest realm="r", nonce="n1", qop="auth"']);
const STALE = parseChallenges(['Digest realm="r", nonce="n2", qop="auth", stale=TRUE']);

test('[H-05] nothing is said to a proxy that does not ask', (t) => {
  t.is(newLogin().authorization(TARGET), undefined);
});

test('[H-05] RFC 7617 2.1: Basic in UTF-8, when asked for nothing better', (t) => {
  const login = newLogin();
  t.is(login.challenged(BASIC, undefined, false), 'answer');
  t.is(login.authorization(TARGET), 'Basic dGVzdDoxMjPCow==');
});

test('[H-05] the strongest challenge is answered, with the authority as uri', (t) => {
  const login = newLogin();
  const values = ['MD5', 'SHA-256', 'MD5-sess'].map(
    (a) => `Digest realm="r", nonce="${a}", algorithm=${a}`,
  );
  t.is(
    login.challenged(parseChallenges(['Basic realm="r"', ...values]), undefined, false),
    'answer',
  );
  const [sent] = parseChallenges([login.authorization(TARGET) ?? '']);
  t.is(sent?.parameters.get('algorithm'), 'SHA-256');
  t.is(sent?.parameters.get('uri'), TARGET);
});

test('a nonce is used again, and counted', (t) => {
  const login = newLogin();
  login.challenged(DIGEST, undefined, false);
  for (const count of ['00000001', '00000002', '00000003']) {
    t.true(login.authorization(TARGET)?.includes(`nc=${count}`));
  }
});

test('a wrong password ends it, a nonce that is too old does not', (t) => {
  const login = newLogin();
  t.is(login.challenged(DIGEST, undefined, false), 'answer');
  const sent = login.authorization(TARGET);
  t.is(login.challenged(DIGEST, sent, true), 'refused');
  t.is(login.challenged(STALE, sent, true), 'answer');
  t.true(login.authorization(TARGET)?.includes('nonce="n2"'));
  t.true(login.authorization(TARGET)?.includes('nc=00000002'));
});

test('what was remembered from an earlier connection may be out of date', (t) => {
  const login = newLogin();
  login.challenged(DIGEST, undefined, false);
  t.is(login.challenged(DIGEST, login.authorization(TARGET), false), 'answer');
});

test('Basic that was refused is wrong, whenever it was sent', (t) => {
  const login = newLogin();
  login.challenged(BASIC, undefined, false);
  t.is(login.challenged(BASIC, login.authorization(TARGET), false), 'refused');
  t.is(login.challenged(DIGEST, login.authorization(TARGET), false), 'answer');
});

test('a proxy that wants something else cannot be answered', (t) => {
  t.is(
    newLogin().challenged(parseChallenges(['Negotiate', 'NTLM']), undefined, false),
    'unsupported',
  );
  t.is(newLogin().challenged([], undefined, false), 'unsupported');
});

test('credentials that no header can hold are our own mistake; the text does not tell them', (t) => {
  for (const wrong of [
    { name: 'a:b', password: 'secret' },
    { name: 'a', password: 'secret\r\n' },
  ]) {
    const error = t.throws(() => new ProxyLogin(wrong, () => new Uint8Array(0)), {
      instanceOf: RangeError,
    });
    t.notRegex(error.message, /secret/);
  }
});

test('a login that is printed shows no credentials', (t) => {
  t.notRegex(JSON.stringify(newLogin()), /123|test/);
});
