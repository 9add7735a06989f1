import test from 'ava';
import { parseProxy } from '../../../io/dial/proxy-address.ts';
import { isException, proxyFromEnvironment } from '../../../io/dial/proxy-environment.ts';

const HOST = 'tep.example';

function found(environment: Record<string, string>, host = HOST, port = 443) {
  const answer = proxyFromEnvironment(environment, host, port);
  return answer.type === 'proxy'
    ? `${answer.variable} ${answer.proxy.host}:${answer.proxy.port}`
    : answer.type;
}

test('[H-05] which variable counts: that for tunnels first, lower case before upper case', (t) => {
  const all = {
    https_proxy: 'http://a:1',
    HTTPS_PROXY: 'http://b:2',
    http_proxy: 'http://c:3',
    all_proxy: 'http://d:4',
    ALL_PROXY: 'http://e:5',
    HTTP_PROXY: 'http://f:6',
  };
  const order: string[] = [];
  const left: Record<string, string> = { ...all };
  for (let name = found(left); name !== 'none'; name = found(left)) {
    order.push(name);
    delete left[name.split(' ', 1).join('')];
  }
  t.deepEqual(order, [
    'https_proxy a:1',
    'HTTPS_PROXY b:2',
    'http_proxy c:3',
    'all_proxy d:4',
    'ALL_PROXY e:5',
  ]);
  // Never that one: a web server sets it from a header of whoever asks.
  t.deepEqual(left, { HTTP_PROXY: 'http://f:6' });
});

test('an empty variable is the user saying: no proxy', (t) => {
  t.is(found({ https_proxy: '', all_proxy: 'http://d:4' }), 'none');
  t.is(found({}), 'none');
});

test('a variable that cannot be used is told, without its password', (t) => {
  const answer = proxyFromEnvironment({ https_proxy: 'socks5://u:secret@p:1' }, HOST, 443);
  t.is(answer.type, 'unusable');
  t.regex(JSON.stringify(answer), /https_proxy in the environment: .*socks5 is not supported/);
  t.notRegex(JSON.stringify(answer), /secret/);
});

for (const [exceptions, host, port, expected] of [
  ['', HOST, 443, false],
  ['*', HOST, 443, true],
  ['tep.example', HOST, 443, true],
  ['TEP.example', 'tep.EXAMPLE.', 443, true],
  ['example', HOST, 443, true],
  ['.example', HOST, 443, true],
  ['*.example', HOST, 443, true],
  ['.tep.example', HOST, 443, true],
  ['p.example', HOST, 443, false],
  ['a.example, b.example  tep.example', HOST, 443, true],
  ['tep.example:443', HOST, 443, true],
  ['tep.example:80', HOST, 443, false],
  ['*:80', HOST, 443, false],
  ['*:443', HOST, 443, true],
  ['192.0.2.1', '192.0.2.1', 80, true],
  ['192.0.2.0/24', '192.0.2.1', 80, true],
  ['192.0.2.0/24', '192.0.3.1', 80, false],
  ['192.0.2.1:80', '192.0.2.1', 80, true],
  ['2.1', '192.0.2.1', 80, false],
  ['2001:db8::/32', '2001:db8::1', 80, true],
  ['2001:db8::1', '2001:DB8:0::1', 80, true],
  ['[2001:db8::1]', '2001:db8::1', 80, true],
  ['[2001:db8::1]:443', '2001:db8::1', 80, false],
  ['10.0.0.0/8', '2001:db8::1', 80, false],
] as const) {
  test(`no_proxy=${exceptions} and ${host}:${port}: ${expected ? 'without' : 'through'}`, (t) => {
    t.is(isException(exceptions, host, port), expected);
    const environment = { https_proxy: 'http://a:1', no_proxy: exceptions };
    t.is(found(environment, host, port), expected ? 'none' : 'https_proxy a:1');
    t.is(
      found({ https_proxy: 'http://a:1', NO_PROXY: exceptions }, host, port) === 'none',
      expected,
    );
  });
}

test('a proxy as people write it', (t) => {
  t.deepEqual(parseProxy('http://proxy.example:3128'), { host: 'proxy.example', port: 3128 });
  t.deepEqual(parseProxy('proxy.example'), { host: 'proxy.example', port: 1080 });
  t.deepEqual(parseProxy('HTTP://[2001:db8::1]:8080/'), { host: '2001:db8::1', port: 8080 });
  t.deepEqual(parseProxy('http://a%40b:c%3Ad%25@p:1'), {
    host: 'p',
    port: 1,
    user: 'a@b',
    password: 'c:d%',
  });
  t.deepEqual(parseProxy('http://alice@p:1'), { host: 'p', port: 1, user: 'alice' });
});

test('what is no proxy: a text, and no secret in it', (t) => {
  for (const text of [
    '',
    'http://',
    'http://p:0',
    'http://p:65536',
    'https://u:secret@p:1',
    'http://u:secret@p:1/path',
    'http://u:%zzsecret@p:1',
    'http://u%3A:secret@p:1',
    'http://u:secret%0d%0a@p:1',
    'http://a b:1',
  ]) {
    const problem = parseProxy(text);
    t.is(typeof problem, 'string', text);
    t.notRegex(String(problem), /secret/);
  }
});
