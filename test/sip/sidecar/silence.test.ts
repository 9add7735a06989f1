/** Phones that are gone without a word: what their calls have got is given back, and nobody else's. */
import test from 'ava';
import { GRACE_MS } from '../../../sip/sidecar/holdings.ts';
import type { Peer } from '../../../sip/sidecar/phones.ts';
import { LOOK_MS } from '../../../sip/sidecar/sidecar.ts';
import { LATE_MS, MAX_PHONES, SILENT_MS, Silence } from '../../../sip/sidecar/silence.ts';
import { datagram } from '../vectors.ts';
import { audio, Driver, PEER, requestText, TUNNEL } from './driver.ts';

const OWN = '10.0.0.2:4000';
const KEY = `17 ${OWN}`;
const CORE = '203.0.113.9:30000';
const SECONDS = 600;

test('[M-18] a registered phone that crashed in a call: its addresses are given back when its registration is over', (t) => {
  const d = talking();
  const goneMs = SECONDS * 1_000 + LATE_MS;
  passIn(d, goneMs - 1);
  t.deepEqual(d.givenBack, []);
  passIn(d, LOOK_MS + 1);
  t.true(d.outputs.some((one) => one.type === 'abandoned' && one.callId === 'call'));
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [KEY]);
  t.deepEqual(d.sidecar.calls, { all: 0, tunnelled: 0, waiting: 0 });
});

test('[M-18] a phone that is called and crashes', (t) => {
  const d = new Driver();
  register(d, SECONDS);
  const invite = d.coreAsks('INVITE 1', { sdp: audio(CORE) });
  d.phoneAnswers(invite, 200, { sdp: audio(OWN) });
  d.coreAsks('ACK 1', { to: 'x' });
  passIn(d, SECONDS * 1_000 + LATE_MS + LOOK_MS + GRACE_MS);
  t.deepEqual(d.givenBack, [KEY]);
});

test('a phone on hold that sends no media stays as long as it registers again, or says anything', (t) => {
  const d = talking();
  for (let i = 0; i < 20; i++) {
    passIn(d, SECONDS * 1_000);
    if (i % 2 === 0) register(d, SECONDS);
    else d.phoneAsks(`OPTIONS ${i}`, { callId: 'hello' });
  }
  t.deepEqual(d.givenBack, []);
  t.is(d.sidecar.calls.all, 1);
});

test('a phone whose registrar cannot be reached is not gone', (t) => {
  const d = talking();
  const request = datagram(requestText('phone', 'REGISTER 2', { callId: 'registration' }));
  if (request.type !== 'request') throw new Error('no request');
  for (let i = 0; i < 3; i++) {
    passIn(d, SECONDS * 1_000);
    d.sidecar.undeliverable({ request, peer: PEER }, d.now);
  }
  t.is(d.sidecar.calls.all, 1);
});

test('media without a word keep a call', (t) => {
  const d = talking();
  for (let i = 0; i < 20; i++) {
    passIn(d, SECONDS * 1_000);
    d.sentMs.set(KEY, d.now);
  }
  t.deepEqual(d.givenBack, []);
});

test('of a phone that is not registered, or not any more, nothing is heard for an hour', (t) => {
  for (const seconds of [undefined, 0, 7_200]) {
    const d = new Driver();
    if (seconds !== undefined) register(d, seconds);
    talk(d);
    passIn(d, SILENT_MS - 1);
    t.deepEqual(d.givenBack, [], `${seconds}`);
    passIn(d, LOOK_MS + GRACE_MS + 1);
    t.deepEqual(d.givenBack, [KEY], `${seconds}`);
  }
});

test('a call whose media are native is nobody’s to give up', (t) => {
  const d = new Driver({ ...TUNNEL, tunnels: false });
  talk(d);
  passIn(d, 3 * SILENT_MS);
  t.is(d.sidecar.calls.all, 1);
  t.false(d.outputs.some(({ type }) => type === 'abandoned'));
});

test('who is not gone at all is in the call again with the next offer', (t) => {
  const d = talking();
  passIn(d, SILENT_MS);
  t.is(d.sidecar.calls.all, 0);
  d.phoneAsks('INVITE 7', { sdp: audio(OWN), to: 'x' });
  t.is(d.sidecar.calls.all, 1);
  t.true(d.sentMs.has(KEY));
});

test('without calls nothing is waited for', (t) => {
  const d = talking();
  passIn(d, SILENT_MS + LOOK_MS);
  t.is(d.sidecar.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('a phone by TCP whose connection is gone may go on by another: it is not taken at its word', (t) => {
  const peer: Peer = { ...PEER, transport: 'TCP', conn: 7 };
  const silence = new Silence();
  silence.heard(peer, 0);
  silence.registered(peer, SECONDS, 0);
  t.is(silence.goneAtMs(peer, 0), SECONDS * 1_000 + LATE_MS);
  silence.forget(7);
  t.is(silence.goneAtMs(peer, 0), SILENT_MS);
});

test('of more phones than are remembered the one that was silent longest goes', (t) => {
  const silence = new Silence();
  const peers = Array.from({ length: MAX_PHONES + 1 }, (_, i): Peer => {
    return { ...PEER, address: { ...PEER.address, port: 6_000 + i } };
  });
  for (const peer of peers) {
    silence.heard(peer, 0);
    silence.registered(peer, SECONDS, 0);
  }
  t.is(silence.goneAtMs(peers[0], 0), SILENT_MS);
  t.is(silence.goneAtMs(peers[1], 0), SECONDS * 1_000 + LATE_MS);
});

/** A registered phone in a call. */
function talking(): Driver {
  const d = new Driver();
  register(d, SECONDS);
  talk(d);
  return d;
}

function talk(d: Driver): void {
  d.coreAnswers(d.phoneAsks('INVITE 1', { sdp: audio(OWN) }), 200, { sdp: audio(CORE) });
  d.phoneAsks('ACK 1', { to: 'x' });
}

function register(d: Driver, seconds: number): void {
  const contact = `Contact: <sip:alice@127.0.0.1:5070>;expires=${seconds}`;
  const asked = d.phoneAsks('REGISTER 1', { callId: 'registration' });
  d.coreAnswers(asked, 200, { more: seconds === 0 ? [] : [contact] });
}

/** As a timer does it: in steps, as far as somebody waits. */
function passIn(d: Driver, ms: number): void {
  const end = d.now + ms;
  while (d.sidecar.nextTimeout() < end) d.pass(d.sidecar.nextTimeout() - d.now);
  d.pass(end - d.now);
}
