import { Buffer } from 'node:buffer';
import test from 'ava';
import {
  longTermKey,
  prepareCredentials,
  shortTermKey,
  timeLimitedPassword,
  userhash,
} from '../../../wire/stun/keys.ts';
import { opaqueString, prepare, saslPrep } from '../../../wire/stun/precis.ts';
import { LONG_TERM_SHA256, PASSWORD, PREPARED_PASSWORD, REALM, USERNAME } from './vectors.ts';

function hexOf(octets: Uint8Array | undefined): string {
  return Buffer.from(octets ?? []).toString('hex');
}

test('[RFC8265] OpaqueString keeps case, order and compatibility characters', (t) => {
  for (const same of [
    'correct horse battery staple',
    'Correct Horse Battery Staple',
    '\u03c0\u00df\u00e5',
    'Jack of \u2666s',
    '\u00aa\u2168\uff21',
    USERNAME,
    'e\u0301'.normalize('NFC'),
  ]) {
    t.is(opaqueString(same), same);
  }
  t.is(opaqueString('foo\u1680bar'), 'foo bar');
  t.is(opaqueString('foo\u00a0\u3000bar'), 'foo  bar');
  t.is(opaqueString('e\u0301'), '\u00e9');
});

test('[RFC8265] OpaqueString refuses the empty string, controls and what cannot be seen', (t) => {
  for (const bad of [
    '',
    'my cat is a \u0009by',
    '\u007f',
    '\u0085',
    'a\u00adb',
    '\u200b',
    '\ufeff',
    '\u1100',
    '\u0640',
    '\ud800',
    '\ue000',
    '\uffff',
    '\u2028',
    '\u{e0001}',
    '\u0378',
  ]) {
    t.is(opaqueString(bad), undefined, Buffer.from(bad, 'utf16le').toString('hex'));
  }
});

test('[RFC8265] characters that depend on their neighbours (RFC 5892 A)', (t) => {
  for (const good of [
    'l\u00b7l',
    '\u0375\u03b1',
    '\u05d0\u05f3',
    '\u30fb\u30a2',
    '\u6f22\u30fb',
    '\u0660\u0661',
    '\u06f0',
    '\u0915\u094d\u200d',
    '\u0628\u200c\u0628',
  ]) {
    t.is(opaqueString(good), good);
  }
  for (const bad of [
    'a\u00b7l',
    'l\u00b7',
    '\u0375a',
    'a\u05f3',
    'a\u30fbb',
    '\u0660\u06f0',
    '\u06f0\u0660',
    'a\u200db',
    'a\u200cb',
  ]) {
    t.is(opaqueString(bad), undefined, bad);
  }
});

test('[M-08] the password of RFC 5769 2.4 and RFC 8489 B.1 is prepared as both say', (t) => {
  t.is(opaqueString(PASSWORD), undefined);
  t.is(saslPrep(PASSWORD), PREPARED_PASSWORD);
  t.is(prepare(PASSWORD), PREPARED_PASSWORD);
  t.is(prepare(USERNAME), USERNAME);
  t.throws(() => prepare('a\u0000'), { instanceOf: RangeError });
});

test('[RFC4013] SASLprep examples', (t) => {
  t.is(saslPrep('I\u00adX'), 'IX');
  t.is(saslPrep('user'), 'user');
  t.is(saslPrep('USER'), 'USER');
  t.is(saslPrep('\u00aa'), 'a');
  t.is(saslPrep('\u2168'), 'IX');
  t.is(saslPrep('\u0007'), undefined);
});

test('[M-08] keys of the vectors: MD5, SHA-256, USERHASH, short-term', (t) => {
  const credentials = prepareCredentials({ name: USERNAME, password: PASSWORD });
  t.is(hexOf(longTermKey(credentials, REALM, 'md5')), 'e8ca7ad59d5eb0518e312911d2dab2a9');
  t.is(
    hexOf(longTermKey(credentials, REALM, 'sha256')),
    'dd295a613b9058c3c23d6dc7165bda072304d989c9d0af3a8c7e184b4f9bb4a1',
  );
  t.is(hexOf(userhash(USERNAME, REALM)), hexOf(LONG_TERM_SHA256.subarray(24, 56)));
  t.is(hexOf(shortTermKey(credentials)), Buffer.from(PREPARED_PASSWORD).toString('hex'));
});

test('[B5] the key for user, realm, pass is the one that RFC 8489 9.2.2 prints', (t) => {
  const key = longTermKey({ name: 'user', password: 'pass' }, 'realm', 'md5');
  t.is(hexOf(key), '8493fbc53ba582fb4c044c456bdc40eb');
});

test('[B5] keys that were made before are taken as they are, and no other is made up', (t) => {
  const md5 = Buffer.alloc(16, 1);
  t.deepEqual(longTermKey({ name: 'user', md5 }, 'realm', 'md5'), md5);
  t.is(longTermKey({ name: 'user', md5 }, 'realm', 'sha256'), undefined);
  t.is(shortTermKey({ name: 'user', md5 }), undefined);
});

test('[W-3] password of a time-limited user: base64 of HMAC-SHA1', (t) => {
  // openssl dgst -sha1 -hmac north -binary | base64, over the same name
  t.is(timeLimitedPassword('north', '1433895918:alice'), 'RqMvcGPYTJMGThVLSi4amT4zFtI=');
});
