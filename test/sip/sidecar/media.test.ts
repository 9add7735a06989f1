/** Media of calls as the sidecar sees them: what is bound, what both sides are told, when it ends. */
import test from 'ava';
import { privateAddressesLeft } from '../../../sdp/private.ts';
import { descriptionsIn, octetsIn } from '../../../sip/body.ts';
import { header, type Message } from '../../../sip/message.ts';
import { GRACE_MS } from '../../../sip/sidecar/holdings.ts';
import { WAIT_MS } from '../../../sip/sidecar/waiting.ts';
import { datagram, sip } from '../vectors.ts';
import {
  audio,
  Driver,
  PEER,
  placeOf,
  requestText,
  responseText,
  sdpOf,
  TUNNEL,
} from './driver.ts';

const OWN = '10.0.0.2:4000';
const CORE = '203.0.113.9:30000';

test('[M-06] [M-17] an offer waits for its public addresses, and shows no others', (t) => {
  const d = new Driver(TUNNEL, false);
  t.is(d.phoneAsks('INVITE 1', { sdp: audio(OWN) }), undefined);
  t.deepEqual([...d.asked.keys()], [`17 ${OWN}`]);
  d.grantAll();
  const [invite] = d.sent('to-core');
  t.is(placeOf(invite), '198.51.100.2:40000');
  t.deepEqual(privateAddressesLeft(sdpOf(invite)), []);
  t.is(Number(header(invite ?? failed(), 'content-length')), sdpOf(invite).length);
});

test('an offer that waited long enough goes as it is, and is told', (t) => {
  const d = new Driver(TUNNEL, false);
  d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  t.is(d.sidecar.nextTimeout(), WAIT_MS);
  d.pass(WAIT_MS);
  t.is(sdpOf(d.sent('to-core')[0]), audio(OWN));
  t.true(d.outputs.some(({ type }) => type === 'without-tunnel'));
  // The addresses come too late: the same INVITE again says the same.
  d.grantAll();
  t.is(sdpOf(d.phoneAsks('INVITE 1', { sdp: audio(OWN) })), audio(OWN));
});

test('no tunnel: the offer goes at once, as it is', (t) => {
  const d = new Driver(TUNNEL, false);
  d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.denyAll();
  t.is(sdpOf(d.sent('to-core')[0]), audio(OWN));
});

test('a request that is repeated while it waits goes once, and binds once', (t) => {
  const d = new Driver(TUNNEL, false);
  for (let i = 0; i < 5; i++) d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.grantAll();
  t.is(d.sent('to-core').length, 1);
  t.is(d.outputs.filter(({ type }) => type === 'need').length, 1);
  t.deepEqual(d.drops(), { retransmission: 4 });
  const again = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  t.is(again?.text, d.sent('to-core')[0]?.text);
});

test('messages of a call keep their order behind one that waits; those of others pass', (t) => {
  const d = new Driver(TUNNEL, false);
  d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  t.is(d.phoneAsks('CANCEL 1'), undefined);
  t.not(d.phoneAsks('OPTIONS 1', { callId: 'other' }), undefined);
  d.grantAll();
  const methods = d.sent('to-core').map((one) => (one.type === 'request' ? one.method : ''));
  t.deepEqual(methods, ['OPTIONS', 'INVITE', 'CANCEL']);
  const [, invite, cancel] = d.sent('to-core');
  t.is(header(cancel ?? failed(), 'via'), header(invite ?? failed(), 'via'));
});

test('[M-04] without marks and where UDP passes not one octet of a description changes', (t) => {
  const d = new Driver({ ...TUNNEL, tunnels: false });
  t.is(sdpOf(d.phoneAsks('INVITE 1', { sdp: audio(OWN) })), audio(OWN));
  const invite = d.coreAsks('INVITE 1', { callId: 'in', sdp: audio(CORE) });
  t.is(sdpOf(invite), audio(CORE));
  t.is(sdpOf(d.phoneAnswers(invite, 200, { sdp: audio(OWN) })), audio(OWN));
  t.is(d.asked.size, 0);
});

test('[M-03] an offer of the core with the mark is obeyed where UDP passes, unless media are to be native', (t) => {
  for (const obeysMarks of [true, false]) {
    const d = new Driver({ ...TUNNEL, tunnels: false, obeysMarks });
    d.phoneAsks('OPTIONS 1', { callId: 'hello' });
    const invite = d.coreAsks('INVITE 1', { sdp: audio(CORE, 'a=ice-options:tep') });
    t.is(sdpOf(invite), audio(CORE));
    const ok = d.phoneAnswers(invite, 200, { sdp: audio(OWN) });
    t.is(placeOf(ok), obeysMarks ? '198.51.100.2:40000' : OWN);
    t.is(/tep/.test(sdpOf(ok)), obeysMarks);
  }
});

test('[M-18] addresses are held as long as the call, and a little longer', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(invite, 200, { sdp: audio(CORE) });
  d.phoneAsks('ACK 1', { to: 'x' });
  d.sentMs.set(`17 ${OWN}`, 3_600_000);
  d.pass(3_600_000);
  t.deepEqual(d.givenBack, []);
  d.coreAnswers(d.phoneAsks('BYE 2', { to: 'x' }), 200);
  d.pass(GRACE_MS - 1);
  t.deepEqual(d.givenBack, []);
  d.pass(1);
  t.deepEqual(d.givenBack, [`17 ${OWN}`]);
  t.deepEqual(d.sidecar.calls, { all: 0, tunnelled: 0, waiting: 0 });
});

test('a challenged INVITE comes again and gets the same addresses', (t) => {
  const d = new Driver();
  const first = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(first, 407);
  d.phoneAsks('ACK 1', { to: 'x', branch: 'z9hG4bKphonecallINVITE1' });
  d.pass(500);
  const second = d.phoneAsks('INVITE 2', { sdp: audio(OWN) });
  t.is(placeOf(second), placeOf(first));
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, []);
});

test('CANCEL: the addresses of a call that nobody answered are given back', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(invite, 180);
  d.coreAnswers(d.phoneAsks('CANCEL 1'), 200);
  d.coreAnswers(invite, 487);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [`17 ${OWN}`]);
});

test('[M-18] what nobody answers gives its addresses back: INVITE, BYE, and what we refused ourselves', (t) => {
  const d = new Driver();
  d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.pass(32_000);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [`17 ${OWN}`]);

  const refused = new Driver();
  refused.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  const asks = refused.outputs.flatMap((one) => (one.type === 'to-core' ? (one.asks ?? []) : []));
  for (const one of asks) refused.sidecar.undeliverable(one, refused.now);
  t.regex(refused.sent('to-phone').at(-1)?.text ?? '', /^SIP\/2\.0 503 /);
  refused.pass(GRACE_MS);
  t.deepEqual(refused.givenBack, [`17 ${OWN}`]);

  const unanswered = new Driver();
  unanswered.coreAnswers(unanswered.phoneAsks('INVITE 1', { sdp: audio(OWN) }), 200, {
    to: 'c',
    sdp: audio(CORE),
  });
  unanswered.coreAsks('BYE 1', { to: 'p' });
  unanswered.pass(32_000);
  unanswered.pass(GRACE_MS);
  t.deepEqual(unanswered.givenBack, [`17 ${OWN}`]);
});

test('[M-18] a phone whose connection is gone keeps its call until the core hangs up', (t) => {
  const d = new Driver();
  const peer = { ...PEER, transport: 'TCP' as const, conn: 7 };
  const invite = datagram(requestText('phone', 'INVITE 1', { sdp: audio(OWN) }));
  d.sidecar.fromPhone(invite, peer, d.now);
  d.coreAnswers(d.sent('to-core').at(-1), 200, { to: 'c', sdp: audio(CORE) });
  d.sidecar.forgetPhone(7);
  d.coreAsks('INVITE 1', { to: 'p', sdp: audio(CORE, 'a=sendonly') });
  t.regex(d.sent('to-core').at(-1)?.text ?? '', /^SIP\/2\.0 480 /);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [], 'it may come back');
  d.coreAsks('BYE 2', { to: 'p' });
  t.regex(d.sent('to-core').at(-1)?.text ?? '', /^SIP\/2\.0 480 /);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [`17 ${OWN}`]);
  t.is(d.sidecar.calls.all, 0);
});

test('[M-03] an m= line that took the tunnel stays in it through a hold by 0.0.0.0', (t) => {
  const d = new Driver({ ...TUNNEL, tunnels: false, standIns: true });
  d.phoneAsks('OPTIONS 1', { callId: 'hello' });
  const invite = d.coreAsks('INVITE 1', { sdp: audio(CORE, 'a=ice-options:tep') });
  d.phoneAnswers(invite, 200, { to: 'p', sdp: audio(OWN) });
  const hold = d.phoneAsks('INVITE 2', { to: 'c', sdp: audio('0.0.0.0:4000') });
  t.is(placeOf(hold), '0.0.0.0:4000');
  t.regex(placeOf(d.coreAnswers(hold, 200, { sdp: audio(CORE) })), /^127\.0\.0\.1:/);
  const resumed = d.phoneAsks('INVITE 3', { to: 'c', sdp: audio(OWN) });
  t.regex(placeOf(resumed), /^198\.51\.100\.2:/);
  t.regex(sdpOf(resumed), /a=ice-options:tep/);
});

test('forks with early media: each is told its own stand-in, those of the losers go', (t) => {
  const d = new Driver({ ...TUNNEL, standIns: true });
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  const places = ['30000', '30010'].map((port, i) => {
    const early = d.coreAnswers(invite, 183, { to: `f${i}`, sdp: audio(`203.0.113.9:${port}`) });
    return placeOf(early);
  });
  t.is(new Set(places).size, 2);
  const ok = d.coreAnswers(invite, 200, { to: 'f1', sdp: audio('203.0.113.9:30010') });
  t.is(placeOf(ok), places.at(1) ?? '');
  d.pass(32_000);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, ['for 203.0.113.9:30000']);
});

test('reliable early media with PRACK and UPDATE: each answer is mapped', (t) => {
  const d = new Driver({ ...TUNNEL, standIns: true });
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  const early = d.coreAnswers(invite, 183, {
    sdp: audio(CORE),
    more: ['Require: 100rel', 'RSeq: 1'],
  });
  const prack = d.phoneAsks('PRACK 2', {
    to: 'x',
    sdp: audio('10.0.0.2:4002'),
    more: ['RAck: 1 1 INVITE'],
  });
  t.is(placeOf(prack), '198.51.100.2:40004');
  const answer = d.coreAnswers(prack, 200, { sdp: audio(CORE) });
  t.is(placeOf(answer), placeOf(early));
  const update = d.phoneAsks('UPDATE 3', { to: 'x', sdp: audio('10.0.0.2:4004') });
  t.is(placeOf(update), '198.51.100.2:40006');
  d.coreAnswers(update, 200, { sdp: audio(CORE) });
  d.coreAnswers(invite, 200);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, [`17 ${OWN}`, '17 10.0.0.2:4002']);
});

test('hold and resume bind nothing anew; a refused new port leaves what was agreed', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(invite, 200, { sdp: audio(CORE) });
  const hold = d.phoneAsks('INVITE 2', { to: 'x', sdp: audio(OWN, 'a=sendonly') });
  t.is(placeOf(hold), placeOf(invite));
  d.coreAnswers(hold, 200, { sdp: audio(CORE, 'a=recvonly') });
  const moved = d.phoneAsks('INVITE 3', { to: 'x', sdp: audio('10.0.0.2:4010') });
  t.not(placeOf(moved), placeOf(invite));
  d.coreAnswers(moved, 488);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, ['17 10.0.0.2:4010']);
});

test('glare: both offers are refused, what was agreed stays bound', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(invite, 200, { sdp: audio(CORE), to: 'c' });
  const up = d.phoneAsks('INVITE 2', { to: 'c', sdp: audio(OWN, 'a=sendonly') });
  const down = d.coreAsks('INVITE 1', { to: 'p', sdp: audio(CORE, 'a=sendonly') });
  d.coreAnswers(up, 491);
  d.phoneAnswers(down, 491);
  d.pass(GRACE_MS);
  t.deepEqual(d.givenBack, []);
  t.is(d.sidecar.calls.all, 1);
});

test('an offer in 200 and its answer in ACK (delayed offer of the core)', (t) => {
  const d = new Driver({ ...TUNNEL, standIns: true });
  d.phoneAsks('OPTIONS 1', { callId: 'hello' });
  const invite = d.coreAsks('INVITE 1');
  const ok = d.phoneAnswers(invite, 200, { sdp: audio(OWN) });
  t.is(placeOf(ok), '198.51.100.2:40000');
  t.regex(sdpOf(ok), /a=3gpp-tep:9 TCP/);
  const ack = d.coreAsks('ACK 1', { to: 'x', sdp: audio(CORE, 'a=ice-options:tep') });
  t.is(placeOf(ack), '127.0.0.1:40002');
  t.notRegex(sdpOf(ack), /tep/);
});

test('two phones beside one sidecar call each other: one Call-ID, two calls', (t) => {
  const d = new Driver();
  const out = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  // The core sends the same call back, to the phone beside.
  const text = sdpOf(out);
  const back = d.coreAsks('INVITE 1', { sdp: text });
  d.phoneAnswers(back, 200, { sdp: audio('10.0.0.3:5000'), to: 'q' });
  d.coreAnswers(out, 200, { sdp: audio(CORE), to: 'q' });
  t.is(d.sidecar.calls.all, 2);
  d.phoneAsks('BYE 2', { to: 'q' });
  t.deepEqual(d.givenBack, []);
});

test('SRTP, preconditions and multiplexing are not touched', (t) => {
  const d = new Driver();
  const lines = [
    'a=rtcp-mux',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
    'a=curr:qos local none',
    'a=des:qos mandatory local sendrecv',
  ];
  const sdp = sdpOf(d.phoneAsks('INVITE 1', { sdp: audio(OWN, ...lines) }));
  for (const line of lines) t.true(sdp.includes(`${line}\r\n`), line);
});

function failed(): never {
  throw new Error('no message');
}

test('[M-17] hold by 0.0.0.0 shows the address that the call has shown before', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  d.coreAnswers(invite, 200, { sdp: audio(CORE) });
  d.phoneAsks('ACK 1', { to: 'x' });
  const sdp = audio(OWN).replace('c=IN IP4 10.0.0.2', 'c=IN IP4 0.0.0.0');
  const hold = sdpOf(d.phoneAsks('INVITE 2', { sdp, to: 'x' }));
  t.deepEqual(privateAddressesLeft(hold), []);
  t.regex(hold, /^o=- 1 1 IN IP4 198\.51\.100\.2\r$/m);
  t.regex(hold, /^c=IN IP4 0\.0\.0\.0\r$/m);
  t.is(placeOf(d.phoneAsks('INVITE 3', { sdp: audio(OWN), to: 'x' })), '198.51.100.2:40000');
});

test('[M-17] a call that begins on hold, and a refused m= line, show nothing private', (t) => {
  const d = new Driver();
  const held = audio(OWN).replace('c=IN IP4 10.0.0.2', 'c=IN IP4 0.0.0.0');
  const first = sdpOf(d.phoneAsks('INVITE 1', { sdp: held, callId: 'held' }));
  t.deepEqual(privateAddressesLeft(first), []);
  const refused = `${audio(OWN)}m=video 0 RTP/AVP 96\r\nc=IN IP4 10.0.0.3\r\n`;
  t.deepEqual(privateAddressesLeft(sdpOf(d.phoneAsks('INVITE 1', { sdp: refused }))), []);
});

test('[M-17] a description of early media beside the session shows nothing private, where media take the tunnel', (t) => {
  const parts = (first: string, early: string) => {
    const part = (sdp: string) => `--b\r\nContent-Type: application/sdp\r\n${sdp}\r\n`;
    return `${part(`\r\n${first}`)}${part(`Content-Disposition: early-session\r\n\r\n${early}`)}--b--\r\n`;
  };
  const said = (text: string, sdp: string, early = sdp) => {
    const plain = text.replace('application/sdp', 'multipart/mixed;boundary=b');
    const [head = ''] = plain.split('\r\n\r\n');
    return sip(
      head.split('\r\n').filter((line) => !line.startsWith('Content-Length')),
      parts(sdp, early),
    );
  };
  const early = audio('10.0.0.2:5000', 'a=x-early');
  const mark = 'a=3gpp-tep:443 TLS';
  for (const tunnels of [true, false]) {
    const d = new Driver({ ...TUNNEL, tunnels });
    const invite = said(requestText('phone', 'INVITE 1', { sdp: 'x' }), audio(OWN), early);
    d.sidecar.fromPhone(datagram(invite), PEER, d.now);
    const [asked] = d.sent('to-core');
    t.is(placeOf(asked), tunnels ? '198.51.100.2:40000' : OWN);
    t.is(/m=audio 5000/.test(asked?.text ?? ''), true);
    t.is(/10\.0\.0\.2:?5000|IN IP4 10\.0\.0\.2/.test(bodyOf(asked)), !tunnels);
    t.is(header(asked ?? failed(), 'content-length'), `${bodyOf(asked).length}`);
    const answer = said(responseText(asked, 183, { sdp: 'x' }), audio(CORE), audio(CORE, mark));
    d.sidecar.fromCore(datagram(answer), d.now);
    t.notRegex(d.sent('to-phone').at(-1)?.text ?? '', /3gpp-tep/);
  }
  // The core asks for the tunnel, which the phone would not have taken.
  const d = new Driver({ ...TUNNEL, tunnels: false });
  d.phoneAsks('OPTIONS 1', { callId: 'hello' });
  const invite = d.coreAsks('INVITE 1', { sdp: audio(CORE, mark) });
  const answer = said(responseText(invite, 183, { sdp: 'x' }), audio(OWN), early);
  d.sidecar.fromPhone(datagram(answer), PEER, d.now);
  const told = d.sent('to-core').at(-1) ?? failed();
  const all = descriptionsIn(told) ?? [];
  t.is(all.length, 2);
  for (const one of all) t.deepEqual(privateAddressesLeft(octetsIn(told, one)), []);
});

function bodyOf(message: Message | undefined): string {
  return message?.text.slice(message.bodyStart, message.bodyEnd) ?? '';
}

test('[M-17] what the phone says it can do shows nothing private, where UDP does not pass', (t) => {
  for (const tunnels of [true, false]) {
    const d = new Driver({ ...TUNNEL, tunnels });
    const asked = sdpOf(d.phoneAsks('OPTIONS 1', { callId: 'can', sdp: audio(OWN) }));
    const options = d.coreAsks('OPTIONS 1', { callId: 'asked' });
    const answered = sdpOf(d.phoneAnswers(options, 200, { sdp: audio(OWN) }));
    const invite = d.coreAsks('INVITE 1', { callId: 'no', sdp: audio(CORE) });
    const refused = sdpOf(d.phoneAnswers(invite, 488, { sdp: audio(OWN) }));
    for (const sdp of [asked, answered, refused]) {
      if (tunnels) t.deepEqual(privateAddressesLeft(sdp), []);
      else t.is(sdp, audio(OWN));
    }
    t.is(d.asked.size, 0);
  }
});

test('[G-25] what the m= line is goes along with what is asked for; whom two descriptions call differently, nobody knows', (t) => {
  const d = new Driver(TUNNEL);
  const asked = () =>
    d.outputs.flatMap((one) =>
      one.type === 'need' && one.need.type === 'bind' ? [one.need.carries] : [],
    );
  d.phoneAsks('INVITE 1', { sdp: audio(OWN) });
  t.deepEqual(asked(), ['audio']);
  d.phoneAsks('INVITE 1', { callId: 'fork', sdp: audio(OWN) });
  t.deepEqual(asked(), ['audio']);
  const video = audio(OWN).replace('m=audio', 'm=video');
  d.phoneAsks('INVITE 1', { callId: 'other', sdp: video });
  t.deepEqual(asked(), ['audio', undefined]);
  d.phoneAsks('INVITE 1', { callId: 'another', sdp: audio(OWN) });
  t.deepEqual(asked(), ['audio', undefined]);
  t.is(d.sent('to-core').length, 4);
});
