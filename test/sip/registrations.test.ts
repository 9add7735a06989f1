import test from 'ava';
import { MAX_BINDINGS, Registrations } from '../../sip/registrations.ts';
import { request, response, sip, vector } from './vectors.ts';

const CONTACT = '<sip:alice@10.0.0.2:5060;transport=tcp>';

function register(...more: readonly string[]) {
  return request(
    sip([
      'REGISTER sip:example.org SIP/2.0',
      'Via: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK1',
      'From: <sip:alice@example.org>;tag=1',
      'To: "Alice" <sip:alice@example.org;user=phone>',
      'Call-ID: r',
      'CSeq: 1 REGISTER',
      ...more,
    ]),
  );
}

function ok(...more: readonly string[]) {
  return response(
    sip(['SIP/2.0 200 OK', 'Via: SIP/2.0/TCP 10.0.0.2', 'CSeq: 1 REGISTER', ...more]),
  );
}

test('[RFC3261] a recorded registration: a challenge changes nothing, 200 registers', (t) => {
  const all = new Registrations();
  const [first, second] = ['register-1-register', 'register-3-register'].map((name) =>
    request(vector('recorded', name)),
  );
  if (first === undefined || second === undefined) return t.fail();
  const [refused, granted] = ['register-2-401', 'register-4-200'].map((name) =>
    response(vector('recorded', name)),
  );
  if (refused === undefined || granted === undefined) return t.fail();
  t.is(all.response(first, refused, 0), undefined);
  t.deepEqual(all.response(second, granted, 1_000), {
    type: 'registered',
    aor: 'sip:alice@127.0.0.1:25180',
    seconds: 600,
  });
  const [binding] = all.bindings(1_000);
  t.is(binding?.instance, '<urn:uuid:639831cd-0985-0289-de02-ccd45efe9ae3>');
  t.is(all.nextTimeout(), 601_000);
  t.deepEqual(all.bindings(601_000), []);
  t.is(all.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[RFC3261] seconds: the contact of the response, its Expires, then what was asked for', (t) => {
  const seconds = (asked: readonly string[], granted: readonly string[]) =>
    new Registrations().response(register(...asked), ok(...granted), 0)?.seconds;
  const c = `Contact: ${CONTACT}`;
  t.is(seconds([c, 'Expires: 10'], [`${c};expires=20`, 'Expires: 30']), 20);
  t.is(seconds([c, 'Expires: 10'], [c, 'Expires: 30']), 30);
  t.is(seconds([`${c};expires=5`, 'Expires: 10'], [c]), 5);
  t.is(seconds([c, 'Expires: 10'], [c]), 10);
  t.is(seconds([c], [c]), 3_600);
  t.is(seconds([c], [`${c};expires=99999999999`, 'Expires: 9999999999']), 2 ** 32 - 1);
});

test('[RFC3261] bindings of other phones in the response are not ours', (t) => {
  const all = new Registrations();
  const granted = ok(`m: <sip:alice@10.9.9.9>;expires=50, ${CONTACT};expires=60;reg-id=1`);
  all.response(register(`Contact: ${CONTACT};reg-id=1`), granted, 0);
  t.deepEqual(
    all.bindings(0).map((one) => [one.aor, one.contact, one.regId, one.expiresAtMs]),
    [['sip:alice@example.org', CONTACT.slice(1, -1), '1', 60_000]],
  );
});

test('[RFC3261] a contact that the registrar wrote otherwise is the same by user, host and port', (t) => {
  const all = new Registrations();
  const granted = ok('Contact: <sip:alice@10.0.0.2:5060;ob>;expires=60');
  t.is(all.response(register(`Contact: ${CONTACT}`), granted, 0)?.type, 'registered');
  const otherPort = ok('Contact: <sip:alice@10.0.0.2:5070>;expires=60');
  t.is(all.response(register(`Contact: ${CONTACT}`), otherPort, 0)?.type, 'unregistered');
});

test('[RFC3261] left by expires 0, by a response without it, or by *', (t) => {
  for (const [asked, granted] of [
    [`Contact: ${CONTACT};expires=0`, ''],
    [`Contact: ${CONTACT}`, `Contact: ${CONTACT};expires=0`],
    ['Contact: *\r\nExpires: 0', ''],
  ] as const) {
    const all = new Registrations();
    all.response(register(`Contact: ${CONTACT}`), ok(`Contact: ${CONTACT};expires=60`), 0);
    t.is(all.bindings(0).length, 1);
    const answer = granted === '' ? ok() : ok(granted);
    t.is(all.response(register(asked), answer, 0)?.type, 'unregistered', asked);
    t.deepEqual(all.bindings(0), [], asked);
  }
});

test('[RFC3261] a question for bindings, a refusal or another method changes nothing', (t) => {
  const all = new Registrations();
  const granted = ok(`Contact: ${CONTACT};expires=60`);
  t.is(all.response(register(), granted, 0), undefined);
  const refused = response(
    sip(['SIP/2.0 403 Forbidden', 'CSeq: 1 REGISTER', `Contact: ${CONTACT}`]),
  );
  t.is(all.response(register(`Contact: ${CONTACT}`), refused, 0), undefined);
  t.deepEqual(all.bindings(0), []);
});

test('a REGISTER with more contacts than any phone has means nothing', (t) => {
  const contacts = (n: number) =>
    Array.from({ length: n }, (_, i) => `Contact: <sip:a@10.0.0.2:${i + 1}>`);
  const registered = (n: number) =>
    new Registrations().response(register(...contacts(n)), ok(...contacts(n)), 0)?.type;
  t.is(registered(16), 'registered');
  t.is(registered(17), undefined);
});

test(`no more than ${MAX_BINDINGS} bindings are kept`, (t) => {
  const all = new Registrations();
  for (let i = 0; i <= MAX_BINDINGS; i++) {
    const contact = `Contact: <sip:a@10.0.0.2:${i + 1}>`;
    all.response(register(contact), ok(contact), 0);
  }
  t.is(all.bindings(0).length, MAX_BINDINGS);
});
