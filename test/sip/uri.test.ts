import test from 'ava';
import { nameAddrs, readNameAddr } from '../../sip/name-addr.ts';
import { parameters, split } from '../../sip/tokens.ts';
import { readUri, sameHost, schemeOf } from '../../sip/uri.ts';
import { readVia } from '../../sip/via.ts';
import { invite, request } from './vectors.ts';

function all(text: string) {
  return { start: 0, end: text.length };
}

test('[RFC3261] URIs: user, host, port, parameters, headers', (t) => {
  const uri = readUri('SIPS:alice;x=1:pass@[2001:DB8::1]:5061;LR;transport=TCP;lr=2?To=a%40b&x=?');
  t.deepEqual(
    { ...uri, parameters: [...(uri?.parameters ?? [])] },
    {
      scheme: 'sips',
      user: 'alice;x=1:pass',
      host: '2001:db8::1',
      port: 5061,
      parameters: [
        ['lr', ''],
        ['transport', 'TCP'],
      ],
      headers: 'To=a%40b&x=?',
    },
  );
  t.deepEqual(
    [readUri('sip:Example.ORG')?.host, readUri('sip:Example.ORG')?.user],
    ['example.org', undefined],
  );
  t.is(readUri('sip:+1-555@a_b.example:1;x')?.host, 'a_b.example');
  const escaped = readUri('sip:a@b.example;%6cr;x=%41%z1');
  t.deepEqual(
    [...(escaped?.parameters ?? [])],
    [
      ['lr', ''],
      ['x', 'A%z1'],
    ],
  );
});

test('[RFC3261] what is no SIP URI gives none', (t) => {
  for (const text of [
    '',
    'sip:',
    'tel:+1555',
    'sip:a@',
    'sip:a@b:70000',
    'sip:a@b:x',
    'sip:a@[1.2.3.4]',
    'sip:a@2001:db8::1',
    'sip:a@[::g]',
    'sip:a b@c',
    'sip:a@b;x="1"',
    '<sip:a@b>',
    'sip:a@b c',
    'sip:a@b@c',
  ]) {
    t.is(readUri(text), undefined, text);
  }
  t.deepEqual([schemeOf('TEL:1'), schemeOf('1:2'), schemeOf('x')], ['tel', undefined, undefined]);
});

test('the same host: addresses by value, names without case', (t) => {
  t.true(sameHost('[2001:db8::1]', '2001:DB8:0::1'));
  t.true(sameHost('A.example', 'a.EXAMPLE'));
  t.false(sameHost('10.0.0.1', '10.0.0.2'));
  t.false(sameHost('::ffff:10.0.0.1', '10.0.0.1'));
});

test('[RFC3261] lists are cut outside quotes, brackets and comments', (t) => {
  const pieces = (text: string) =>
    split(text, all(text), ',')?.map((range) => text.slice(range.start, range.end));
  t.deepEqual(pieces('a, "b,\\",c" <d,e> ,\r\n f'), ['a', '"b,\\",c" <d,e>', 'f']);
  t.deepEqual(pieces('a (b, (c), \\)), d'), ['a (b, (c), \\))', 'd']);
  t.deepEqual(pieces('sip:(a,b'), ['sip:(a', 'b']);
  t.deepEqual(pieces(''), ['']);
  t.deepEqual(pieces('a,,'), ['a', '', '']);
  for (const open of ['"a', 'a <b', 'a "\\"', 'a (b', '"a\\']) t.is(pieces(open), undefined, open);
  t.is(pieces(','.repeat(256)), undefined);
});

test('[RFC3261] parameters: case, white space, quotes, none, twice', (t) => {
  const read = (text: string) =>
    [...(parameters(text, all(text)) ?? [])].map(([name, one]) => [
      name,
      one.value,
      text.slice(one.start, one.end),
    ]);
  t.deepEqual(read(' ; A = "x\\"; y" ;b;; c=\r\n [::1] ;a=2;"q";d=1 (comment)'), [
    ['a', 'x"; y', '; A = "x\\"; y"'],
    ['b', undefined, ';b'],
    ['c', '[::1]', '; c=\r\n [::1]'],
    ['d', '1', ';d=1 (comment)'],
  ]);
  t.is(parameters(';a="x', all(';a="x')), undefined);
});

test('[RFC3261] names and addresses: with and without brackets', (t) => {
  const read = (text: string) => {
    const value = readNameAddr(text, all(text));
    return value === undefined ? undefined : [value.uri, ...value.parameters.keys()];
  };
  t.deepEqual(read('"A, <x> \\"" <sip:a@b;c=1>;tag=2 ; x'), ['sip:a@b;c=1', 'tag', 'x']);
  t.deepEqual(read('sip:a@b;tag=2'), ['sip:a@b', 'tag']);
  t.deepEqual(read('Anna Schmidt <sip:a@b>'), ['sip:a@b']);
  t.deepEqual(read('*'), ['*']);
  for (const bad of ['', '<>', '<sip:a', '"A <sip:a>', '<sip:a> x', 'sip: a', '<sip:a>;x="']) {
    t.is(read(bad), undefined, bad);
  }
});

test('[RFC3261] contacts over several fields and lines, one bad value spoils them', (t) => {
  const contacts = (...lines: readonly string[]) =>
    nameAddrs(request(invite(...lines)), 'contact')?.map((one) => one.uri);
  t.deepEqual(contacts('m: <a>,\r\n <b>;q=1', 'Contact: c'), ['a', 'b', 'c']);
  t.deepEqual(contacts(), []);
  t.is(contacts('Contact: <a>, <b'), undefined);
  t.is(contacts('Contact: <a>, '), undefined);
  t.is(contacts('Contact: <a', 'X: >;y'), undefined, 'a bracket that another field closes');
});

test('[RFC3261] Via: transport, host, port, comment', (t) => {
  const read = (text: string) => {
    const via = readVia(text, all(text));
    return via === undefined
      ? undefined
      : [via.transport, via.host, via.port, ...via.parameters.keys()];
  };
  t.deepEqual(read('SIP/2.0/udp A.example : 5070 ;branch=x'), ['UDP', 'a.example', 5070, 'branch']);
  t.deepEqual(read('sip / 2.0 /TLS [2001:DB8::1]'), ['TLS', '2001:db8::1', undefined]);
  t.deepEqual(read('SIP/2.0/UDP a:4000;ttl=16 (Acme, server)'), ['UDP', 'a', 4000, 'ttl']);
  for (const bad of [
    'SIP/3.0/UDP a',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP [::x]',
    'SIP/2.0/UDP [1.2.3.4]',
    'SIP/2.0/UDP a:99999',
    'SIP/2.0/UDP 2001:db8::1',
    'HTTP/2.0/UDP a',
    '',
  ]) {
    t.is(read(bad), undefined, bad);
  }
});
