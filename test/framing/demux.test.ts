import test from 'ava';
import { classify, MAX_LOOK_AHEAD } from '../../framing/demux.ts';
import { FAULTS } from '../../wire/faults.ts';
import { bordered, random } from './cut.ts';
import { INDICATION, ipv4Record, ipv6Record, stunRecord } from './records.ts';

const PLAIN = { insideTls: false, turn: false };
const IN_TLS = { insideTls: true, turn: false };
const TURN = { insideTls: false, turn: true };

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ask = (octets: Uint8Array, state = PLAIN) => classify(octets, 0, octets.length, state);

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >>> 8, message.length & 0xff]), message]);
}

/** One row of the table of B4 each: what comes first, and what it is. */
const STARTS: readonly (readonly [string, Buffer, ReturnType<typeof ask>])[] = [
  ['TLS ClientHello', hex('16 03 01 02 00 01 00 01 fc'), 'tls'],
  ['CONNECT', Buffer.from('CONNECT tep.example:80 HTTP/1.1\r\n'), 'connect'],
  ['HTTP GET', Buffer.from('GET / HTTP/1.0\r\n\r\n'), 'http'],
  ['HTTP HEAD', Buffer.from('HEAD / HTTP/1.1\r\n'), 'http'],
  ['HTTP DELETE', Buffer.from('DELETE /x HTTP/1.1\r\n'), 'http'],
  ['HTTP OPTIONS', Buffer.from('OPTIONS * HTTP/1.1\r\n'), 'http'],
  ['HTTP/2 preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'http'],
  ['SIP OPTIONS', Buffer.from('OPTIONS sip:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP OPTIONS over TLS', Buffer.from('OPTIONS sips:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP INVITE', Buffer.from('INVITE sip:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP MESSAGE', Buffer.from('MESSAGE sip:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP NOTIFY', Buffer.from('NOTIFY sip:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP CANCEL, beside CONNECT', Buffer.from('CANCEL sip:a@b.example SIP/2.0\r\n'), 'sip'],
  ['SIP response', Buffer.from('SIP/2.0 200 OK\r\n'), 'sip'],
  ['CRLF keep-alive', Buffer.from('\r\n\r\n'), 'crlf'],
  ['STUN Binding request', stunRecord(40), 'stun'],
  ['STUN Binding indication', INDICATION, 'stun'],
  ['STUN Binding error response', stunRecord(20, 0x0111), 'stun'],
  ['STUN Refresh before an Allocate', stunRecord(20, 0x0004), 'stun'],
  ['STUN Allocate', stunRecord(36, 0x0003), 'turn'],
  ['STUN ConnectionBind', stunRecord(28, 0x000b), 'turn'],
  ['RFC 4571 STUN', framed(INDICATION), 'stun-rfc4571'],
  ['RFC 4571 STUN of 256 octets, beside TPKT', framed(stunRecord(256)), 'stun-rfc4571'],
  ['RFC 4571 STUN of 768 octets, beside TPKT 3', framed(stunRecord(768)), 'stun-rfc4571'],
  ['RFC 4571 STUN of 1,500 octets', framed(stunRecord(1500)), 'stun-rfc4571'],
  ['RFC 4571 STUN of 1,504 octets', framed(stunRecord(1504)), FAULTS.FRAME_UNKNOWN],
  ['RFC 4571 STUN of the highest type', framed(stunRecord(28, 0x3fff)), 'stun-rfc4571'],
  ['TPKT prime with ESP', hex('01 00 00 14 c1c2c3c4 00000001 aaaaaaaaaaaaaaaa'), 'tpkt'],
  ['TPKT prime with IKE', hex('01 00 00 24 00000000 1122334455667788 0000000000000000'), 'tpkt'],
  ['TPKT version 3', hex('03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00'), FAULTS.FRAME_FOREIGN],
  ['TSCF Configuration_Request', hex('10 01 00 00 ffffffffffffffff 00000000'), 'tscf'],
  ['IPv4', ipv4Record(32), 'inner-ip'],
  ['IPv6', ipv6Record(60), 'inner-ip'],
  ['IKETCP', Buffer.from('IKETCP\0\x08'), FAULTS.FRAME_FOREIGN],
  ['RTP without a length', hex('80 00 00 01 00000000 00000000'), FAULTS.FRAME_UNKNOWN],
  ['TLS alert first', hex('15 03 01 00 02 02 28'), FAULTS.FRAME_UNKNOWN],
  ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), FAULTS.FRAME_UNKNOWN],
  ['lower-case text', Buffer.from('hello world, hello'), FAULTS.FRAME_UNKNOWN],
  ['an unknown method', Buffer.from('HELO mail.example\r\n'.repeat(4)), FAULTS.FRAME_UNKNOWN],
  [
    'TURN channel data before any Allocate',
    hex('4000 0005 68656c6c6f000000'),
    FAULTS.FRAME_UNKNOWN,
  ],
];

for (const [name, octets, wanted] of STARTS) {
  test(`[B4] first octets of ${name}`, (t) => {
    t.is(ask(octets), wanted);
    t.is(ask(octets.subarray(0, MAX_LOOK_AHEAD)), wanted);
    for (let n = 0; n < octets.length; n++) {
      const early = ask(octets.subarray(0, n));
      t.true(early === 'need-more' || early === wanted, `${early} at ${n}`);
    }
  });
}

test('[B4] IPv4 with options against the text methods of the same first octet', (t) => {
  for (const method of ['GET', 'HEAD', 'INVITE', 'LOCK', 'MESSAGE', 'NOTIFY', 'OPTIONS']) {
    const words = method.charCodeAt(0) & 0x0f;
    t.is(ask(ipv4Record(80, words)), 'inner-ip', `IHL ${words}`);
    const sameTos = ipv4Record(80, words, method.charCodeAt(1));
    t.is(ask(sameTos), 'inner-ip', `IHL ${words}, TOS of ${method}`);
    sameTos.writeUInt8(sameTos.readUInt8(11) ^ 1, 11);
    t.is(ask(sameTos), FAULTS.FRAME_UNKNOWN, 'the same with a wrong checksum');
  }
});

test('[B4] a request shorter than the IPv4 header of its first letter is not waited on', (t) => {
  const shortest = Buffer.from('GET / HTTP/1.0\r\n\r\n');
  t.true(shortest.length < 7 * 4);
  t.is(ask(shortest), 'http');
});

test('[B4] channel data is told by the state of the connection, not by its octets', (t) => {
  const channel = hex('4500 0005 68656c6c6f000000 0000000000000000');
  t.is(ask(channel), FAULTS.FRAME_UNKNOWN);
  t.is(ask(channel, TURN), 'turn');
  t.is(ask(hex('6000 0001 aa000000'), TURN), 'turn');
  t.is(ask(stunRecord(20, 0x0004), TURN), 'turn');
  t.is(ask(ipv4Record(20), TURN), 'turn');
  t.is(ask(hex('80'), TURN), FAULTS.FRAME_UNKNOWN);
});

test('[B4] TPKT prime whose SPI is the STUN cookie passes for STUN, as the table says', (t) => {
  t.is(ask(hex('01 00 00 14 2112a442 00000001 aaaaaaaaaaaaaaaa')), 'stun');
  t.is(ask(hex('01 00 00 07 c1c2c3')), FAULTS.FRAME_UNKNOWN);
});

test('[B4] what is nearly STUN behind a length, or nearly TPKT prime, is nothing', (t) => {
  const good = framed(stunRecord(100));
  const changed = (at: number, octet: number) => {
    const octets = Buffer.from(good);
    octets.writeUInt8(octet, at);
    return octets;
  };
  t.is(ask(good), 'stun-rfc4571');
  const wrong = [
    changed(1, 101),
    changed(2, 0x40),
    changed(4, 1),
    changed(5, 84),
    changed(9, 0x43),
  ];
  for (const octets of wrong) t.is(ask(octets), FAULTS.FRAME_UNKNOWN, octets.toString('hex'));
  const oddBoth = changed(1, 102);
  oddBoth.writeUInt8(82, 5);
  t.is(ask(oddBoth), FAULTS.FRAME_UNKNOWN);
  t.is(ask(hex('01 01 00 14 c1c2c3c4 00000001')), FAULTS.FRAME_UNKNOWN);
});

test('[B4] the same rules hold inside TLS, where no second TLS begins', (t) => {
  for (const [name, octets, wanted] of STARTS) {
    t.is(ask(octets, IN_TLS), wanted === 'tls' ? FAULTS.FRAME_FOREIGN : wanted, name);
  }
});

test('[B4] every prefix of every start is judged by itself alone', (t) => {
  for (const [name, octets] of STARTS) {
    for (let n = 1; n <= Math.min(octets.length, MAX_LOOK_AHEAD); n++) {
      const [a, ...others] = [0xa5, 0x00, 0x03].map((poison) =>
        classify(bordered(octets.subarray(0, n), poison), 16, 16 + n, PLAIN),
      );
      t.deepEqual(others, [a, a], `${name}, ${n} octets`);
    }
  }
});

test('[B4] no octets say nothing, whatever stands behind them', (t) => {
  for (const state of [PLAIN, IN_TLS, { ...PLAIN, turn: true }]) {
    for (const poison of [0x00, 0x16, 0x45, 0xa5]) {
      t.is(classify(bordered(Buffer.alloc(0), poison), 16, 16, state), 'need-more');
    }
  }
});

test('[B4] any octets: no throw, an answer within the look-ahead, nothing outside read', (t) => {
  const next = random(0xb4);
  for (let i = 0; i < 10_000; i++) {
    const start = STARTS[next(STARTS.length)]?.[1] ?? INDICATION;
    const octets = Buffer.concat([start, Buffer.alloc(MAX_LOOK_AHEAD, next(256))]);
    for (let n = next(4); n >= 0; n--) octets[next(12)] = next(256);
    const length = next(octets.length + 1);
    const [a, b] = [0xa5, 0x00].map((poison) => {
      const whole = bordered(octets.subarray(0, length), poison);
      return classify(whole, 16, 16 + length, PLAIN);
    });
    if (a !== b) return t.fail(`octets outside decide: ${octets.toString('hex')}`);
    if (a === 'need-more' && length >= MAX_LOOK_AHEAD) return t.fail('waits for ever');
  }
  return t.pass();
});
