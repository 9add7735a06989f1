import test from 'ava';
import { longTermKey } from '../../../wire/stun/keys.ts';
import { readUserFile } from '../../../wire/stun/user-file.ts';
import { keyHashesOf } from '../../../wire/stun/users.ts';

const MD5 = '8493fbc53ba582fb4c044c456bdc40eb';
const SHA256 = '0'.repeat(64);

test('[M-08] passwords and keys, comments and empty lines', (t) => {
  const { users, problems } = readUserFile(
    `# users\n\nalice:a password: with colons \r\nuser:{md5}${MD5}\nuser:{sha256}${SHA256}\n`,
  );
  t.deepEqual(problems, []);
  t.deepEqual(
    users.map(({ name }) => name),
    ['alice', 'user'],
  );
  t.is(users[0]?.password, 'a password: with colons ');
  t.deepEqual(users[1]?.sha256, Buffer.from(SHA256, 'hex'));
  const [, user] = users;
  if (user === undefined) throw new Error('no user');
  const made = longTermKey({ name: 'user', password: 'pass' }, 'realm', 'md5');
  t.deepEqual(Buffer.from(longTermKey(user, 'realm', 'md5') ?? []), Buffer.from(made ?? []));
});

test('what is wrong is told by its line, without the secret', (t) => {
  const { problems } = readUserFile(
    [
      'alice:secret-1',
      'alice:secret-2',
      'no colon',
      ':secret-3',
      'bob:',
      'carol:{md5}secret-4',
      'dave:{sha256}abc',
      `erin:{md5}${MD5}`,
      `erin:{md5}${MD5}`,
      'mal\u0000lory:secret-5',
    ].join('\n'),
  );
  t.deepEqual(problems, [
    'line 2: alice is there already',
    'line 3: not name:password',
    'line 4: not name:password',
    'line 5: the password is empty',
    'line 6: {md5} wants 32 hexadecimal digits',
    'line 7: {sha256} wants 64 hexadecimal digits',
    'line 9: erin is there already',
    'line 10: a character that neither name nor password may have',
  ]);
  t.false(problems.some((problem) => problem.includes('secret')));
});

test('[M-08] a hash is offered only when every user has a key of it', (t) => {
  const hashesOf = (text: string) => keyHashesOf(readUserFile(text).users);
  t.deepEqual(hashesOf('alice:x\nbob:y'), ['sha256', 'md5']);
  t.deepEqual(hashesOf(`alice:x\nbob:{md5}${MD5}`), ['md5']);
  t.deepEqual(hashesOf(`alice:x\nbob:{sha256}${SHA256}`), ['sha256']);
  t.deepEqual(hashesOf(`bob:{sha256}${SHA256}\nbob:{md5}${MD5}`), ['sha256', 'md5']);
  t.deepEqual(hashesOf(`alice:{md5}${MD5}\nbob:{sha256}${SHA256}`), []);
  t.deepEqual(hashesOf(''), ['sha256', 'md5']);
});
