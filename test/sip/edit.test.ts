/** What an edit changes, and above all what it leaves. */
import test from 'ava';
import fc from 'fast-check';
import { Edit } from '../../sip/edit.ts';
import {
  lowerMaxForwards,
  noteSource,
  popVia,
  pushVia,
  type SentBy,
  viaWithSource,
} from '../../sip/hop.ts';
import { header } from '../../sip/message.ts';
import { listOf, nameAddrs } from '../../sip/name-addr.ts';
import { pushPath, pushRecordRoute, pushRoute, setRequestUri } from '../../sip/routing.ts';
import { topVia, vias } from '../../sip/via.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { datagram, invite, names, request, textOf, vector } from './vectors.ts';

const SEED = { seed: 20_261_125, numRuns: 500 };
const US: SentBy = { transport: 'TLS', host: '10.0.0.9', port: 5061 };

function source(text: string) {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new RangeError(text);
  return endpoint;
}

function edited(text: string, change: (edit: Edit) => void): string {
  const edit = new Edit(request(text));
  change(edit);
  return textOf(edit.octets());
}

/** Lines that only one of the two has. */
function difference(before: string, after: string): string[] {
  const [a, b] = [before.split('\r\n'), after.split('\r\n')];
  const rest = [...b];
  const gone = a.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return [...gone.map((line) => `-${line}`), ...rest.map((line) => `+${line}`)];
}

test('without a change every octet of every vector stays', (t) => {
  for (const folder of ['torture', 'torture-ipv6']) {
    for (const name of names(folder)) {
      const message = datagram(vector(folder, name));
      t.is(textOf(new Edit(message).octets()), message.text, name);
    }
  }
});

test('[RFC3261] a Via goes on top, with rport, and comes off again', (t) => {
  const before = invite();
  const after = edited(before, (edit) => pushVia(edit, US, { branch: 'z9hG4bK9', keep: false }));
  t.deepEqual(difference(before, after), ['+Via: SIP/2.0/TLS 10.0.0.9:5061;rport;branch=z9hG4bK9']);
  t.is(topVia(request(after))?.host, '10.0.0.9');
  t.is(edited(after, popVia), before);
});

test('[R-05] [RFC6223] keep is offered in our own Via only', (t) => {
  const after = edited(invite(), (edit) => pushVia(edit, US, { branch: 'z9hG4bK9', keep: true }));
  t.deepEqual(
    vias(request(after))?.map((via) => via.parameters.has('keep')),
    [true, false],
  );
});

test('[RFC5118] IPv6 in a Via has brackets', (t) => {
  const by = { transport: 'UDP', host: '2001:db8::1', port: undefined };
  const after = edited(invite(), (edit) => pushVia(edit, by, { branch: 'z9hG4bK9', keep: false }));
  t.true(after.includes('Via: SIP/2.0/UDP [2001:db8::1];rport;branch=z9hG4bK9\r\n'));
});

test('[RFC3261] the first value of a list comes off wherever commas and lines are', (t) => {
  const cases: ReadonlyArray<readonly [before: string, after: string]> = [
    ['Via: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b\r\n', 'Via: SIP/2.0/UDP b\r\n'],
    [
      'v:SIP/2.0/UDP a,SIP/2.0/UDP b ,\r\n SIP/2.0/UDP c\r\n',
      'v:SIP/2.0/UDP b ,\r\n SIP/2.0/UDP c\r\n',
    ],
    ['Via : SIP/2.0/UDP a;x="," \r\nVia: SIP/2.0/UDP b\r\n', 'Via: SIP/2.0/UDP b\r\n'],
    ['Via: SIP/2.0/UDP a (1, 2),\r\n\tSIP/2.0/UDP b\r\n', 'Via: SIP/2.0/UDP b\r\n'],
  ];
  for (const [before, after] of cases) {
    const message = (text: string) => `OPTIONS sip:a SIP/2.0\r\n${text}X: y\r\n\r\n`;
    t.is(edited(message(before), popVia), message(after));
  }
});

test('several values come off at once, from the front, the middle and the end', (t) => {
  const head = 'OPTIONS sip:a SIP/2.0\r\n';
  const text = `${head}Route: <a>, <b>\r\nRoute: <c>\r\nRoute: <d>, <e>, <f>\r\n\r\n`;
  const left = (from: number, to: number) =>
    nameAddrs(request(edited(text, (edit) => edit.removeValues('route', from, to))), 'route')
      ?.map((value) => value.uri)
      .join('');
  for (let from = 0; from < 6; from++) {
    for (let to = from; to <= 6; to++) {
      t.is(left(from, to), 'abcdef'.slice(0, from) + 'abcdef'.slice(to));
    }
  }
  t.is(
    edited(text, (edit) => t.false(edit.removeValues('route', 0, 7))),
    text,
  );
});

test('[RFC3581] received and rport are what really is, not what the request says', (t) => {
  const via = (value: string, from: string) => {
    const before = `OPTIONS sip:a SIP/2.0\r\nVia: ${value}\r\n\r\n`;
    const after = edited(before, (edit) => noteSource(edit, source(from)));
    const noted = header(request(after), 'via');
    const top = topVia(request(before));
    t.is(top && viaWithSource(before, top, source(from)), noted);
    return noted;
  };
  t.is(
    via('SIP/2.0/UDP 10.0.0.2:5060;branch=x', '10.0.0.2:5060'),
    'SIP/2.0/UDP 10.0.0.2:5060;branch=x',
  );
  t.is(
    via('SIP/2.0/UDP 10.0.0.2;branch=x', '192.0.2.1:9'),
    'SIP/2.0/UDP 10.0.0.2;branch=x;received=192.0.2.1',
  );
  t.is(via('SIP/2.0/UDP a.example', '192.0.2.1:9'), 'SIP/2.0/UDP a.example;received=192.0.2.1');
  t.is(
    via('SIP/2.0/UDP 10.0.0.2;rport;branch=x', '10.0.0.2:9'),
    'SIP/2.0/UDP 10.0.0.2;rport=9;branch=x;received=10.0.0.2',
  );
  t.is(
    via('SIP/2.0/UDP 10.0.0.2;received=1.1.1.1;rport=1', '192.0.2.1:9'),
    'SIP/2.0/UDP 10.0.0.2;received=192.0.2.1;rport=9',
  );
  t.is(via('SIP/2.0/UDP [2001:DB8:0::1]', '[2001:db8::1]:5060'), 'SIP/2.0/UDP [2001:DB8:0::1]');
  t.is(
    via('SIP/2.0/UDP [2001:db8::1]', '[2001:db8::2]:5060'),
    'SIP/2.0/UDP [2001:db8::1];received=2001:db8::2',
  );
});

test('[RFC3261] one hop less; 70 where there is none', (t) => {
  const lower = (line: string) =>
    header(
      request(edited(`OPTIONS sip:a SIP/2.0\r\nVia: x\r\n${line}\r\n`, lowerMaxForwards)),
      'max-forwards',
    );
  t.is(lower('Max-Forwards: 70\r\n'), '69');
  t.is(lower('MAX-forwards :\r\n 0010\r\n'), '9');
  t.is(lower(''), '70');
});

test('Request-URI, Route, Record-Route and Path', (t) => {
  const before = invite('Route: <sip:p1;lr>', 'Record-Route: <sip:r1;lr>');
  const after = edited(before, (edit) => {
    setRequestUri(edit, request(before), 'sip:bob@192.0.2.9');
    pushRoute(edit, 'sip:p0;lr');
    pushRecordRoute(edit, 'sip:me;lr');
    pushPath(edit, 'sip:me;lr;ob');
  });
  t.deepEqual(difference(before, after), [
    '-INVITE sip:bob@example.net SIP/2.0',
    '+INVITE sip:bob@192.0.2.9 SIP/2.0',
    '+Route: <sip:p0;lr>',
    '+Record-Route: <sip:me;lr>',
    '+Path: <sip:me;lr;ob>',
  ]);
  const uris = (key: string) => nameAddrs(request(after), key)?.map((value) => value.uri);
  t.deepEqual(uris('route'), ['sip:p0;lr', 'sip:p1;lr']);
  t.deepEqual(uris('record-route'), ['sip:me;lr', 'sip:r1;lr']);
});

test('Content-Length follows the body, and is written where a stream needs it', (t) => {
  const before = invite().replace('Content-Length: 0\r\n\r\n', 'l :\r\n 5 \r\n\r\nhello');
  const body = { start: before.length - 5, end: before.length };
  const after = edited(before, (edit) => edit.replace(body, 'good morning'));
  t.deepEqual(difference(before, after), ['- 5 ', '-hello', '+ 12 ', '+good morning']);
  const bare = before.replace('l :\r\n 5 \r\n', '');
  t.is(
    edited(bare, (edit) => edit.writeLength()),
    bare.replace('\r\n\r\nhello', '\r\nContent-Length: 5\r\n\r\nhello'),
  );
});

test('two changes of the same octets are our own mistake', (t) => {
  const edit = new Edit(request(invite()));
  edit.replace({ start: 3, end: 9 }, 'x');
  edit.replace({ start: 5, end: 6 }, 'y');
  t.throws(() => edit.octets(), { instanceOf: RangeError });
});

const space = fc.constantFrom('', ' ', '\t', '\r\n ', ' \r\n\t ');
const value = fc.constantFrom(
  'SIP/2.0/UDP a.example;branch=z9hG4bK1',
  'SIP/2.0/TCP [2001:db8::1]:5070;rport',
  'SIP  / 2.0 / TLS b ; received = "1,2" ; x',
  'SIP/2.0/UDP c (note, with comma)',
);
const name = fc.constantFrom('Via', 'v', 'VIA ', 'via\t');
const field = fc
  .tuple(name, space, fc.array(value, { minLength: 1, maxLength: 3 }), space)
  .map(([n, s, values, c]) => `${n}:${s}${values.join(`${c},${c}`)}\r\n`);
const other = fc.constantFrom(
  'X: \xff\xfe\x80\r\n',
  'From: "a, <b>" <sip:a@b>;tag=1\r\n',
  'Subject:\r\n',
  'Y:1\r\n 2\r\n\t3\r\n',
  'Max-Forwards: 7\r\n',
);
const message = fc
  .tuple(
    fc.array(fc.oneof(field, other), { maxLength: 5 }),
    field,
    fc.array(fc.oneof(field, other), { maxLength: 5 }),
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  )
  .map(([a, b, c, body]) => `OPTIONS sip:a@b SIP/2.0\r\n${a.join('')}${b}${c.join('')}\r\n${body}`);

test('any message: push and pop of a Via give back every octet', (t) => {
  fc.assert(
    fc.property(message, (before) => {
      const after = edited(before, (edit) => pushVia(edit, US, { branch: 'z9', keep: true }));
      return topVia(request(after))?.host === US.host && edited(after, popVia) === before;
    }),
    SEED,
  );
  t.pass();
});

test('any message: popping takes exactly one value and no octet of another field', (t) => {
  fc.assert(
    fc.property(message, (before) => {
      const after = request(edited(before, popVia));
      const was = request(before);
      const texts = (m: typeof was) =>
        (listOf(m, 'via') ?? []).map((range) => m.text.slice(range.start, range.end));
      const others = (m: typeof was) =>
        m.fields.filter((f) => f.key !== 'via').map((f) => m.text.slice(f.start, f.end));
      return (
        texts(after).join('|') === texts(was).slice(1).join('|') &&
        others(after).join('') === others(was).join('') &&
        after.text.slice(after.bodyStart) === was.text.slice(was.bodyStart)
      );
    }),
    SEED,
  );
  t.pass();
});

test('any message: what is replaced reads as the new value, all other octets are the same', (t) => {
  fc.assert(
    fc.property(message, fc.nat(), fc.constantFrom('v', 'a b', '"q"'), (before, pick, text) => {
      const was = request(before);
      const target = was.fields[pick % was.fields.length];
      if (target === undefined) return true;
      const range = { start: target.valueStart, end: target.valueEnd };
      const after = edited(before, (edit) => edit.replace(range, text));
      const head = before.slice(0, range.start);
      const tail = before.slice(range.end);
      return after === head + text + tail && request(after).fields.length === was.fields.length;
    }),
    SEED,
  );
  t.pass();
});

test('[RFC 3261 7.3.1] a value that ends in UTF-8 keeps its last octet', (t) => {
  const text = Buffer.from('OPTIONS sip:a SIP/2.0\r\nSubject: \tvoilà \r\n\r\n').toString('latin1');
  const subject = header(datagram(text), 'subject') ?? '';
  t.is(Buffer.from(subject, 'latin1').toString(), 'voilà');
});
