/**
 * The messages of test/vectors/sip/torture, one for each clause of RFC 4475, and torture-ipv6, for RFC 5118:
 * what a proxy that changes only what it must does with each.
 */
import test from 'ava';
import { checkRequest, checkResponse } from '../../sip/check.ts';
import { Edit } from '../../sip/edit.ts';
import { cseqOf, party, tagOf } from '../../sip/identity.ts';
import { header, MAX_MESSAGE_LEN, type Message, readDatagram } from '../../sip/message.ts';
import { nameAddrs } from '../../sip/name-addr.ts';
import { responseTarget, routeRequest } from '../../sip/routing.ts';
import { readUri } from '../../sip/uri.ts';
import { topVia, vias } from '../../sip/via.ts';
import { FAULTS } from '../../wire/faults.ts';
import { datagram, names, request, response, textOf, vector } from './vectors.ts';

/** `pass`: goes through; a status: is refused with it; `drop`: a response that goes nowhere. */
const WANTED: Readonly<Record<string, 'pass' | 'drop' | number>> = {
  // 3.1.1 valid
  wsinv: 'pass',
  intmeth: 'pass',
  esc01: 'pass',
  escnull: 'pass',
  esc02: 'pass',
  lwsdisp: 'pass',
  longreq: 'pass',
  dblreq: 'pass',
  semiuri: 'pass',
  transports: 'pass',
  mpart01: 'pass',
  unreason: 'pass',
  noreason: 'pass',
  // 3.1.2 invalid, where a proxy needs what is broken
  badinv01: 400,
  clerr: 400,
  ncl: 400,
  scalar02: 400,
  scalarlg: 'drop',
  quotbal: 400,
  ltgtruri: 400,
  lwsruri: 400,
  lwsstart: 400,
  trws: 400,
  badvers: 505,
  mismatch01: 400,
  mismatch02: 400,
  bigcode: 'drop',
  // 3.1.2 invalid, but none of a proxy's business
  escruri: 'pass',
  baddate: 'pass',
  regbadct: 'pass',
  badaspec: 'pass',
  baddn: 'pass',
  // 3.2 and 3.3
  badbranch: 'pass',
  insuf: 400,
  unkscm: 'pass',
  novelsc: 'pass',
  unksm2: 'pass',
  bext01: 420,
  invut: 'pass',
  regaut01: 'pass',
  multi01: 400,
  mcl01: 400,
  bcast: 'pass',
  zeromf: 483,
  cparam01: 'pass',
  cparam02: 'pass',
  regescrt: 'pass',
  sdp01: 'pass',
  // 3.4
  inv2543: 'pass',
};

function outcome(message: Message): 'pass' | 'drop' | number {
  if (message.type === 'response') return checkResponse(message) ? 'pass' : 'drop';
  return checkRequest(message, new Set())?.status ?? 'pass';
}

test('[RFC4475] there is a message for each of the 49 and a verdict on each', (t) => {
  t.deepEqual(names('torture').sort(), Object.keys(WANTED).sort());
});

for (const [name, wanted] of Object.entries(WANTED)) {
  test(`[RFC4475] ${name}: ${wanted}`, (t) => {
    const octets = vector('torture', name);
    const message = datagram(octets);
    t.is(outcome(message), wanted);
    t.is(textOf(new Edit(message).octets()), octets.toString('latin1').slice(0, message.bodyEnd));
  });
}

test('[RFC4475] wsinv: white space, folding, lists, compact names and case hide nothing', (t) => {
  const message = request(vector('torture', 'wsinv'));
  t.deepEqual(
    vias(message)?.map((via) => [via.transport, via.host, via.parameters.get('branch')?.value]),
    [
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'relay.example.org', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ],
  );
  t.deepEqual(cseqOf(message), { number: 9, method: 'INVITE' });
  t.deepEqual([tagOf(message, 'to'), tagOf(message, 'from')], ['19a77cc3', '77ah']);
  t.is(header(message, 'newkindoffield'), 'new kind of value and the rest of it');
  t.is(header(message, 'unknownfieldwithoddvalue'), ';;,,;;,;');
  t.is(header(message, 'subject'), '');
  const [contact] = nameAddrs(message, 'contact') ?? [];
  t.is(contact?.uri, 'sip:ines@ua.example.org');
  t.deepEqual([...(contact?.parameters.keys() ?? [])], ['newparam', 'secondparam', 'q']);
  t.is(nameAddrs(message, 'route')?.[0]?.uri, 'sip:services.example.org;lr;odd=x;other');
});

test('[RFC4475] intmeth: every legal character, NUL in a quoted pair included', (t) => {
  const message = request(vector('torture', 'intmeth'));
  t.is(message.method, "!odd-Method0123456789_*+`.%really'~");
  t.is(cseqOf(message)?.method, message.method);
  t.true(message.text.includes('NUL:\\\0 '));
  t.is(tagOf(message, 'from'), "_mark~1'+`*%!-.");
  t.is(readUri(message.uri)?.host, 'example.net');
  t.true(
    readUri(message.uri)?.user?.endsWith(",weird!*pas$wo~d_too.(don't-it)".replace('weird', 'odd')),
  );
});

test('[RFC4475] esc01, escnull: escapes stay as they are, in parameters they are understood', (t) => {
  const message = request(vector('torture', 'esc01'));
  t.is(message.uri, 'sip:sips%3Aolga%40example.net@example.org');
  t.is(readUri(message.uri)?.user, 'sips%3Aolga%40example.net');
  const [contact] = nameAddrs(message, 'contact') ?? [];
  t.deepEqual(
    [...(readUri(contact?.uri ?? '')?.parameters ?? [])],
    [
      ['lr', ''],
      ['name', 'value%41'],
    ],
  );
  const contacts = nameAddrs(request(vector('torture', 'escnull')), 'contact');
  t.deepEqual(
    contacts?.map((c) => readUri(c.uri)?.user),
    ['%00', '%00%00'],
  );
});

test('[RFC4475] esc02: escapes in a method, a display name or a field name mean nothing', (t) => {
  const message = request(vector('torture', 'esc02'));
  t.is(message.method, 'RE%47IST%45R');
  t.is(nameAddrs(message, 'contact')?.length, 2);
});

test('[RFC4475] dblreq: octets behind the body of a datagram are discarded', (t) => {
  const message = request(vector('torture', 'dblreq'));
  t.is(message.method, 'REGISTER');
  t.true(message.text.endsWith('Content-Length: 0\r\n\r\n'));
});

test('[RFC4475] semiuri: the user part may hold semicolons and an escaped at sign', (t) => {
  const uri = readUri(request(vector('torture', 'semiuri')).uri);
  t.deepEqual(
    [uri?.user, uri?.host, uri?.parameters.size],
    ['user;par=u%40example.net', 'example.org', 0],
  );
});

test('[RFC4475] longreq, transports: many long Via, unknown transports', (t) => {
  const long = vias(request(vector('torture', 'longreq')));
  t.is(long?.length, 34);
  t.is(long?.at(-2)?.host, 'hop1.example.org');
  t.deepEqual(
    vias(request(vector('torture', 'transports')))?.map((via) => via.transport),
    ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
  );
});

test('[RFC4475] unreason, noreason: a reason phrase is any text, or none', (t) => {
  t.is(response(vector('torture', 'unreason')).status, 200);
  t.is(response(vector('torture', 'noreason')).reason, '');
});

test('[RFC4475] unkscm, novelsc: a foreign scheme has no SIP target, which the caller sees', (t) => {
  for (const name of ['unkscm', 'novelsc']) {
    const routing = routeRequest(request(vector('torture', name)), () => false);
    t.true(routing.type === 'routing' && routing.next.uri === undefined, name);
  }
});

test('[RFC4475] bcast: under our Via stands a broadcast address, which the caller sees', (t) => {
  const list = vias(response(vector('torture', 'bcast')));
  const target = list?.[1] === undefined ? undefined : responseTarget(list[1]);
  t.is(target?.host, '255.255.255.255');
});

test('[RFC4475] cparam01, cparam02: brackets decide whose parameter it is', (t) => {
  const contact = (name: string) => nameAddrs(request(vector('torture', name)), 'contact')?.[0];
  t.deepEqual([...(contact('cparam01')?.parameters.keys() ?? [])], ['unknownparam']);
  t.is(contact('cparam01')?.uri, 'sip:+15550100@gate2.example.org');
  t.is(contact('cparam02')?.parameters.size, 0);
  t.is(contact('cparam02')?.uri, 'sip:+15550100@gate2.example.org;unknownparam');
});

test('[RFC4475] multi01: of two From or To none is the right one', (t) => {
  const message = request(vector('torture', 'multi01'));
  t.deepEqual([party(message, 'from'), party(message, 'to')], [undefined, undefined]);
});

test('[RFC4475] inv2543: no tags, no branch, no Content-Type problem', (t) => {
  const message = request(vector('torture', 'inv2543'));
  t.deepEqual([tagOf(message, 'from'), tagOf(message, 'to')], ['', '']);
  t.is(party(message, 'to')?.uri, 'sip:+15550102@first.example.net');
});

test('[RFC5118] there is a message for each of the twelve, and each goes through', (t) => {
  const all = names('torture-ipv6');
  t.is(all.length, 12);
  for (const name of all) t.is(outcome(datagram(vector('torture-ipv6', name))), 'pass', name);
});

test('[RFC5118] IPv6 in a URI needs brackets, and three colons are none of its forms', (t) => {
  const uri = (name: string) => readUri(request(vector('torture-ipv6', name)).uri);
  t.is(uri('ipv6-good')?.host, '2001:db8::10');
  t.is(uri('ipv6-bad'), undefined);
  t.is(uri('ipv6-bug-abnf-3-colons'), undefined);
  t.is(uri('ipv6-correct-abnf-2-colons')?.host, '2001:db8::192.0.2.1');
  t.deepEqual(
    [uri('port-ambiguous')?.host, uri('port-ambiguous')?.port],
    ['2001:db8::10:5070', undefined],
  );
  t.deepEqual(
    [uri('port-unambiguous')?.host, uri('port-unambiguous')?.port],
    ['2001:db8::10', 5070],
  );
});

test('[RFC5118] received with and without brackets is the same address', (t) => {
  for (const name of ['via-received-param-with-delim', 'via-received-param-no-delim']) {
    const via = topVia(request(vector('torture-ipv6', name)));
    t.is(via === undefined ? '' : responseTarget(via).host, '2001:db8::9:255', name);
  }
});

test('[RFC5118] addresses of both families in one message', (t) => {
  const list = vias(request(vector('torture-ipv6', 'mult-ip-in-header')));
  t.deepEqual(
    list?.map((via) => [via.host, via.port, via.parameters.get('received')?.value]),
    [
      ['2001:db8::9:1', 6050, undefined],
      ['192.0.2.1', undefined, undefined],
      ['2001:db8::9:255', undefined, '192.0.2.200'],
    ],
  );
  const mapped = vias(request(vector('torture-ipv6', 'ipv4-mapped-ipv6')));
  t.deepEqual(
    mapped?.map((via) => via.host),
    ['::ffff:192.0.2.10', '::ffff:192.0.2.2'],
  );
});

test('what is no SIP, or no whole head, is a fault', (t) => {
  const read = (text: string) => {
    const b = Buffer.from(text, 'latin1');
    return readDatagram(b, 0, b.length);
  };
  t.is(read(''), FAULTS.SIP_EMPTY);
  t.is(read('\r\n\r\n'), FAULTS.SIP_EMPTY);
  t.is(read('INVITE sip:a SIP/2.0\r\nVia: x\r\n'), FAULTS.SIP_HEAD_SHORT);
  t.is(read('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), FAULTS.FRAME_FOREIGN);
  t.is(read('INVITE sip:a SIP/2.0\r\nno field\r\n\r\n'), FAULTS.SIP_FIELD);
  t.is(read('INVITE sip:a SIP/2.0\r\n: x\r\n\r\n'), FAULTS.SIP_FIELD);
  t.is(read('INVITE sip:a SIP/2.0\r\nVia: x\n\r\n\r\n'), FAULTS.SIP_LINE_END);
  t.is(read('INVITE sip:a SIP/2.0\r\nVia: a\rb\r\n\r\n'), FAULTS.SIP_LINE_END);
  t.is(read('INVITE sip:a\n SIP/2.0\r\nVia: a\r\n\r\n'), FAULTS.SIP_LINE_END);
  const long = (body: number) => read(`INVITE sip:a SIP/2.0\r\n\r\n${'x'.repeat(body)}`);
  t.is(typeof long(MAX_MESSAGE_LEN - 24), 'object');
  t.is(long(MAX_MESSAGE_LEN - 23), FAULTS.SIP_TOO_LONG);
});

test('[RFC3261] 18.3: a body one octet short, exact, and one octet long', (t) => {
  const fault = (length: number) => {
    const message = datagram(`INVITE sip:a SIP/2.0\r\nl: ${length}\r\n\r\nbody`);
    return [message.lengthFault, message.text.slice(message.bodyStart, message.bodyEnd)];
  };
  t.deepEqual(fault(5), [FAULTS.SIP_BODY_SHORT, 'body']);
  t.deepEqual(fault(4), [0, 'body']);
  t.deepEqual(fault(3), [0, 'bod']);
});
