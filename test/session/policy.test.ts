import test from 'ava';
import type { Pinhole } from '../../session/pinholes.ts';
import { MAX_RULES, Policy, type PolicyRule } from '../../session/policy.ts';
import { type Endpoint, parseAddress, parseEndpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { seededRandom } from '../sim/random.ts';

const UDP = 17;
const TCP = 6;
const SEED = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2]);
const { DESTINATION_FORBIDDEN, DESTINATION_DISGUISED, DESTINATION_OWN } = FAULTS;

function rule(prefixText: string, first = 0, last = 65_535, protocol?: number): PolicyRule {
  const prefix = parsePrefix(prefixText);
  if (prefix === undefined) throw new RangeError(prefixText);
  const ports = { first, last };
  return protocol === undefined ? { prefix, ports } : { prefix, ports, protocol };
}

function policy(...rules: PolicyRule[]): Policy {
  return new Policy({ rules, maxPinholes: 10, seed: SEED });
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

const LOCALS = { 4: endpoint('198.51.100.200:5004'), 6: endpoint('[2001:db8:99::1]:5004') };

/** The addresses in the middle of other octets, as in a packet. */
function judge(
  of: Policy,
  addressText: string,
  port = 30_000,
  protocol = UDP,
  local: Endpoint = addressText.includes(':') ? LOCALS[6] : LOCALS[4],
): number {
  const address = parseAddress(addressText);
  if (address === undefined) throw new RangeError(addressText);
  const b = new Uint8Array(64).fill(0xa5);
  b.set(local.address, 11);
  b.set(address, 31);
  return of.judge(b, 31, address.length, port, protocol, 11, local.port);
}

function way(remoteText: string, protocol = UDP, localText?: string): Pinhole {
  const remote = endpoint(remoteText);
  const local = localText === undefined ? LOCALS[remote.family] : endpoint(localText);
  return { local, remote, protocol };
}

test('[M-10] without a rule and without a session nothing is allowed', (t) => {
  t.is(judge(policy(), '192.0.2.1'), DESTINATION_FORBIDDEN);
  t.is(judge(policy(), '2001:db8::1'), DESTINATION_FORBIDDEN);
});

test('[W-6] a rule allows its prefix, its ports, its protocol, and nothing beside them', (t) => {
  const media = policy(rule('192.0.2.0/25', 30_000, 30_999, UDP), rule('2001:db8:1::/48'));
  t.is(judge(media, '192.0.2.0', 30_000), 0);
  t.is(judge(media, '192.0.2.127', 30_999), 0);
  t.is(judge(media, '192.0.2.128', 30_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.1.255', 30_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 29_999), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 31_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 30_000, TCP), DESTINATION_FORBIDDEN);
  t.is(judge(media, '2001:db8:1:ffff::1', 1, TCP), 0);
  t.is(judge(media, '2001:db8:2::1', 1, TCP), DESTINATION_FORBIDDEN);
});

test('[G-22] what another process has given to a call is no destination, until it has it back', (t) => {
  const media = policy(rule('192.0.2.0/24'), rule('2001:db8:1::/48'));
  for (const text of ['192.0.2.9:30000', '[2001:db8:1::9]:30000']) {
    media.setForeign(endpoint(text), UDP, true);
  }
  t.is(judge(media, '192.0.2.9'), DESTINATION_OWN);
  t.is(judge(media, '::ffff:192.0.2.9'), DESTINATION_OWN);
  t.is(judge(media, '2001:db8:1::9'), DESTINATION_OWN);
  t.is(judge(media, '192.0.2.9', 30_001), 0);
  t.is(judge(media, '192.0.2.9', 30_000, TCP), 0);
  t.is(judge(media, '192.0.2.8'), 0);
  media.setForeign(endpoint('192.0.2.9:30000'), UDP, false);
  t.is(judge(media, '192.0.2.9'), 0);
  t.is(judge(media, '2001:db8:1::9'), DESTINATION_OWN);
});

test('[G-22] special addresses need a rule that is about them', (t) => {
  const everything = policy(rule('0.0.0.0/0'), rule('::/0'), rule('126.0.0.0/7'), rule('fe00::/7'));
  t.is(judge(everything, '8.8.8.8'), 0);
  t.is(judge(everything, '126.0.0.1'), 0);
  t.is(judge(everything, '2001:db8::1'), 0);
  for (const special of [
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '169.254.1.1',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    '240.0.0.1',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
  ]) {
    t.is(judge(everything, special), DESTINATION_FORBIDDEN, special);
  }
  t.is(judge(policy(rule('127.0.0.0/8')), '127.0.0.1'), 0);
  t.is(judge(policy(rule('127.0.0.1')), '127.0.0.1'), 0);
  t.is(judge(policy(rule('127.0.0.1')), '127.0.0.2'), DESTINATION_FORBIDDEN);
  t.is(judge(policy(rule('169.254.0.0/16')), '169.254.3.4'), 0);
  t.is(judge(policy(rule('fe80::/10')), 'fe80::1'), 0);
  t.is(judge(policy(rule('::1')), '::1'), 0);
  t.is(judge(policy(rule('::/127')), '::1'), DESTINATION_FORBIDDEN);
});

const DISGUISES_OF_192_0_2_1 = [
  '::ffff:192.0.2.1',
  '::ffff:0:192.0.2.1',
  '::192.0.2.1',
  '64:ff9b::192.0.2.1',
  '2002:c000:201::1',
  '2001:0:1:2:3:4:3fff:fdfe',
  'fe81::5efe:192.0.2.1',
  '2001:db8::200:5efe:192.0.2.1',
];

test('[W-6] a disguised destination is judged as the IPv4 address that it reaches', (t) => {
  const four = policy(rule('192.0.2.1', 30_000, 30_999));
  const six = policy(rule('::/0'), rule('64:ff9b::/96'), rule('2002::/16'), rule('::/96'));
  for (const disguise of DISGUISES_OF_192_0_2_1) {
    // ISATAP under fe80::/10 is link-local, whatever it ends in.
    if (disguise.startsWith('fe8')) continue;
    t.is(judge(four, disguise), 0, disguise);
    t.is(judge(four, disguise, 31_000), DESTINATION_DISGUISED, disguise);
    t.is(judge(six, disguise), DESTINATION_DISGUISED, disguise);
  }
});

test('[G-22] a disguise opens no way to the own host', (t) => {
  const open = policy(rule('0.0.0.0/0'), rule('::/0'));
  for (const disguise of [
    '::ffff:127.0.0.1',
    '::ffff:0:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:1:2:3:4:80ff:fffe',
    '2001:db8::5efe:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::255.255.255.255',
    '::ffff:0.0.0.0',
    '::ffff:224.0.0.1',
  ]) {
    t.is(judge(open, disguise), DESTINATION_DISGUISED, disguise);
  }
  t.is(judge(open, '64:ff9b:1::8.8.8.8'), DESTINATION_DISGUISED);
  t.is(judge(policy(rule('64:ff9b:1::/48')), '64:ff9b:1::8.8.8.8'), DESTINATION_DISGUISED);
});

test('[M-10] [M-15] a pinhole lets one 5-tuple through, until its call is over', (t) => {
  const media = policy();
  t.is(media.setPinholes('call-1', [way('192.0.2.1:30000')]), 0);
  t.is(judge(media, '192.0.2.1', 30_000), 0);
  t.is(judge(media, '192.0.2.1', 30_001), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.2', 30_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 30_000, TCP), DESTINATION_FORBIDDEN);
  const otherPort = endpoint('198.51.100.200:5006');
  t.is(judge(media, '192.0.2.1', 30_000, UDP, otherPort), DESTINATION_FORBIDDEN);
  const otherUe = endpoint('198.51.100.201:5004');
  t.is(judge(media, '192.0.2.1', 30_000, UDP, otherUe), DESTINATION_FORBIDDEN);
  media.setPinholes('call-1', []);
  t.is(judge(media, '192.0.2.1', 30_000), DESTINATION_FORBIDDEN);
  t.is(media.setPinholes('call-1', []), 0);
  t.is(media.pinholeCount, 0);
});

test('[G-22] a disguised destination goes through the pinhole of what it reaches', (t) => {
  const media = policy();
  media.setPinholes('call', [way('192.0.2.1:30000', UDP, '[2001:db8:99::1]:5004')]);
  t.is(judge(media, '::ffff:192.0.2.1', 30_000), 0);
  t.is(judge(media, '::ffff:192.0.2.2', 30_000), DESTINATION_DISGUISED);
  media.setPinholes('call', [way('[::ffff:192.0.2.3]:30000', UDP, '198.51.100.200:5004')]);
  t.is(judge(media, '192.0.2.3', 30_000), 0);
});

test('[M-15] a way of two calls is open until both are over', (t) => {
  const media = policy();
  const shared = way('[2001:db8::1]:30000');
  media.setPinholes('call-1', [shared, shared]);
  media.setPinholes('call-2', [shared]);
  t.is(media.pinholeCount, 2);
  media.setPinholes('call-1', []);
  t.is(judge(media, '2001:db8::1'), 0);
  media.setPinholes('call-2', []);
  t.is(judge(media, '2001:db8::1'), DESTINATION_FORBIDDEN);
  t.is(media.pinholeCount, 0);
});

test('[M-15] two UEs share an endpoint of the gateway, and each has its own way there', (t) => {
  const media = policy();
  media.setPinholes('call-1', [way('192.0.2.1:30000')]);
  media.setPinholes('call-2', [way('192.0.2.1:30000', UDP, '198.51.100.201:6000')]);
  t.is(judge(media, '192.0.2.1', 30_000, UDP, endpoint('198.51.100.201:6000')), 0);
  media.setPinholes('call-1', []);
  t.is(judge(media, '192.0.2.1', 30_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 30_000, UDP, endpoint('198.51.100.201:6000')), 0);
});

test('[M-15] what a call says anew replaces what it said', (t) => {
  const media = policy();
  media.setPinholes('call', [way('192.0.2.1:30000'), way('192.0.2.1:30001')]);
  media.setPinholes('call', [way('192.0.2.1:30001'), way('192.0.2.1:30002')]);
  t.is(judge(media, '192.0.2.1', 30_000), DESTINATION_FORBIDDEN);
  t.is(judge(media, '192.0.2.1', 30_001), 0);
  t.is(judge(media, '192.0.2.1', 30_002), 0);
  t.is(media.pinholeCount, 2);
});

test('[G-22] pinholes open no way to what is no host, and there are only so many', (t) => {
  const media = policy();
  for (const text of [
    '0.0.0.0:9',
    '[::]:9',
    '224.0.0.1:5004',
    '[ff02::1]:5004',
    '255.255.255.255:5004',
    '[::ffff:0.0.0.0]:9',
    '[64:ff9b:1::1]:9',
    '192.0.2.1:0',
  ]) {
    t.is(media.setPinholes('call', [way(text)]), 1, text);
  }
  t.is(media.setPinholes('call', [way('127.0.0.1:30000')]), 0);
  t.is(judge(media, '127.0.0.1'), 0);
  for (let i = 1; i < 10; i++) t.is(media.setPinholes(`call ${i}`, [way(`192.0.2.${i}:5`)]), 0);
  t.is(media.setPinholes('call 10', [way('192.0.2.1:5')]), 1);
  t.is(media.setPinholes('call 9', [way('192.0.2.9:6'), way('192.0.2.9:7')]), 1);
  media.setPinholes('call 1', []);
  t.is(media.setPinholes('call 10', [way('192.0.2.2:5')]), 0);
  t.is(media.pinholeCount, 10);
});

test("the endpoints of a pinhole stay the caller's", (t) => {
  const media = policy();
  const own = way('192.0.2.1:30000', UDP, '198.51.100.200:5004');
  media.setPinholes('call', [own]);
  own.remote.address.fill(0);
  own.local.address.fill(0);
  t.is(judge(media, '192.0.2.1'), 0);
  media.setPinholes('call', []);
  t.is(judge(media, '192.0.2.1'), DESTINATION_FORBIDDEN);
});

test("[G-22] the server's own ports are refused before any rule, in disguise too", (t) => {
  const media = new Policy({
    rules: [rule('198.51.100.0/24'), rule('127.0.0.1/32'), rule('2001:db8::/32')],
    own: [rule('198.51.100.7/32', 80, 80), rule('127.0.0.1/32', 80, 80, TCP)],
    maxPinholes: 10,
    seed: SEED,
  });
  t.is(judge(media, '198.51.100.7', 80), DESTINATION_OWN);
  t.is(judge(media, '198.51.100.7', 81), 0);
  t.is(judge(media, '198.51.100.8', 80), 0);
  t.is(judge(media, '::ffff:198.51.100.7', 80), DESTINATION_OWN);
  t.is(judge(media, '127.0.0.1', 80, TCP), DESTINATION_OWN);
  t.is(judge(media, '127.0.0.1', 80, UDP), 0);
  media.setPinholes('call', [way('198.51.100.7:80')]);
  t.is(judge(media, '198.51.100.7', 80), DESTINATION_OWN);
  media.setOwn([rule('2001:db8::7', 443, 443)]);
  t.is(judge(media, '198.51.100.7', 80), 0);
  t.is(judge(media, '2001:db8::7', 443), DESTINATION_OWN);
});

test('[M-10] other rules hold from then on; pinholes stay', (t) => {
  const media = policy(rule('192.0.2.0/24'));
  media.setPinholes('call', [way('203.0.113.1:30000')]);
  media.setRules([rule('198.51.100.0/24')]);
  t.is(judge(media, '192.0.2.1'), DESTINATION_FORBIDDEN);
  t.is(judge(media, '198.51.100.1'), 0);
  t.is(judge(media, '203.0.113.1'), 0);
});

test('judging allocates nothing', (t) => {
  const media = policy(rule('198.51.100.0/24'), rule('192.0.2.0/24', 30_000, 39_999, UDP));
  media.setPinholes('call', [way('203.0.113.1:30000', UDP, '[2001:db8:99::1]:5004')]);
  const b = seededRandom(1).octets(64);
  b.set(LOCALS[6].address, 48);
  b.set([192, 0, 2, 9], 10);
  b.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1], 30);
  let allowed = 0;
  const ask = () => {
    for (let i = 0; i < 200_000; i++) {
      if (media.judge(b, 10, 4, 30_000, UDP, 50, 5004) === 0) allowed += 1;
      if (media.judge(b, 30, 16, 30_000, UDP, 48, 5004) === 0) allowed += 1;
      if (media.judge(b, 14, 4, 30_000, UDP, 50, 5004) === 0) allowed += 1;
    }
  };
  ask();
  const before = process.memoryUsage().heapUsed;
  ask();
  const grown = process.memoryUsage().heapUsed - before;
  t.is(allowed, 800_000);
  t.true(grown < 400_000, `${grown} octets for 600 000 questions`);
});

test('rules that cannot be are refused', (t) => {
  t.throws(() => policy(rule('192.0.2.1', 5, 4)), { instanceOf: RangeError });
  t.throws(() => policy(rule('192.0.2.1', 0, 65_536)), { instanceOf: RangeError });
  const many = Array.from({ length: MAX_RULES + 1 }, () => rule('192.0.2.1'));
  t.throws(() => policy(...many), { instanceOf: RangeError });
});

test('a host may have more addresses than there may be rules', (t) => {
  const own = Array.from({ length: MAX_RULES + 1 }, (_, i) =>
    rule(`10.0.${i >> 8}.${i & 255}`, 80, 80),
  );
  const media = new Policy({ rules: [rule('10.0.0.0/8')], own, maxPinholes: 1, seed: SEED });
  t.is(judge(media, '10.0.4.0', 80), DESTINATION_OWN);
  t.is(judge(media, '10.0.4.1', 80), 0);
});
