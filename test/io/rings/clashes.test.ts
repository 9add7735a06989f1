import test from 'ava';
import { clashIn, type Found, leftoversIn } from '../../../io/rings/clashes.ts';
import { DEFAULT_PLACE, type Place } from '../../../io/rings/place.ts';
import { missing } from '../../../io/rings/privileges.ts';

const PLACE: Place = { ...DEFAULT_PLACE, table: 7480, priority: 7480 };

/** As `ip -json -details` of iproute2 6.1 prints them. */
const OURS = {
  link: {
    ifname: 'tep0',
    link: 'tep0p',
    flags: ['BROADCAST', 'NOARP', 'UP', 'LOWER_UP'],
    mtu: 65_535,
    link_type: 'ether',
    address: '02:74:65:70:00:00',
    linkinfo: { info_kind: 'veth' },
  },
  route: {
    type: 'unicast',
    dst: 'default',
    gateway: '169.254.1.1',
    dev: 'tep0',
    protocol: '84',
    scope: 'global',
    flags: ['onlink'],
  },
  rules: [
    { priority: 7480, src: 'all', dst: '10.0.0.1', ipproto: 'tcp', goto: 7482, protocol: '84' },
    { priority: 7481, src: 'all', dst: '203.0.113.0', dstlen: 24, table: '7480', protocol: '84' },
    { priority: 7482, src: 'all', nop: null, protocol: '84' },
  ],
};
const SYSTEM = [
  { priority: 0, src: 'all', table: 'local', protocol: 'kernel' },
  { priority: 32_766, src: 'all', table: 'main', protocol: 'kernel' },
  { priority: 32_767, src: 'all', table: 'default', protocol: 'kernel' },
];
const NOTHING: Found = { links: [], routes: [], rules: { 4: SYSTEM, 6: SYSTEM } };

function faultOf(found: Found, place = PLACE): string {
  return clashIn(found, place)?.text ?? 'no fault';
}

test('on a host without anything of ours nothing is to be removed', (t) => {
  t.is(faultOf(NOTHING), 'no fault');
  t.deepEqual(leftoversIn(NOTHING, PLACE), { links: [], rules: { 4: [], 6: [] } });
});

test('everything of a predecessor is found, whatever of it is left', (t) => {
  const found: Found = {
    links: [OURS.link],
    routes: [OURS.route],
    rules: { 4: [...SYSTEM, ...OURS.rules], 6: [...SYSTEM, OURS.rules[2]] },
  };
  t.is(faultOf(found), 'no fault');
  t.deepEqual(leftoversIn(found, PLACE), {
    links: ['tep0'],
    rules: { 4: [7480, 7481, 7482], 6: [7482] },
  });
});

test('numbers instead of texts, as other versions print them, are the same', (t) => {
  const rule = { priority: 7481, src: 'all', table: 7480, protocol: 84 };
  const found = { ...NOTHING, rules: { 4: [...SYSTEM, rule], 6: SYSTEM } };
  t.is(faultOf(found), 'no fault');
  t.deepEqual(leftoversIn(found, PLACE), { links: [], rules: { 4: [7481], 6: [] } });
});

test('what is not ours is in the way, and named', (t) => {
  const other = { address: '02:74:65:71:00:00' };
  t.regex(
    faultOf({ ...NOTHING, links: [{ ...OURS.link, ...other }] }),
    /interface tep0 .* \(veth\)/,
  );
  const bridge = { ...OURS.link, linkinfo: { info_kind: 'bridge' } };
  t.regex(faultOf({ ...NOTHING, links: [bridge] }), /interface tep0 .* \(bridge\)/);
  const route = { ...OURS.route, dev: 'tep1' };
  t.regex(faultOf({ ...NOTHING, routes: [route] }), /table 7480 holds default dev tep1/);
  const atOurs = { priority: 7482, src: 'all', table: 'main', protocol: 'boot' };
  const rules = (rule: object) => ({ ...NOTHING, rules: { 4: SYSTEM, 6: [...SYSTEM, rule] } });
  t.regex(faultOf(rules(atOurs)), /priority 7482 .*table main/);
  const toOurs = { priority: 9, src: 'all', table: '7480', protocol: 'boot' };
  t.regex(faultOf(rules(toOurs)), /table 7480 is used by a rule which is not ours/);
  const bit = (fwmark: string, fwmask?: string) =>
    faultOf(rules({ priority: 9, src: 'all', table: '5', fwmark, ...(fwmask && { fwmask }) }), {
      ...PLACE,
      mark: 0x10,
    });
  t.regex(bit('0x10', '0xf0'), /mark 0x10 is used/);
  t.regex(bit('0x30'), /mark 0x10 is used/);
  t.is(bit('0x20', '0xf0'), 'no fault');
  t.is(bit('0x10', '0x0f'), 'no fault');
});

test('what is ours is found beside what is in the way, and nothing else', (t) => {
  const found: Found = {
    links: [OURS.link, { ...OURS.link, ifname: 'tep0p', linkinfo: { info_kind: 'bridge' } }],
    routes: [],
    rules: { 4: [...OURS.rules, { priority: 7481, src: 'all', table: '5' }], 6: [] },
  };
  t.not(faultOf(found), 'no fault');
  t.deepEqual(leftoversIn(found, PLACE), {
    links: ['tep0'],
    rules: { 4: [7480, 7481, 7482], 6: [] },
  });
});

test('answers that are no objects are in nobody’s way', (t) => {
  const odd: Found = { links: [], routes: [], rules: { 4: [null, 7, 'x', {}], 6: [] } };
  t.is(faultOf(odd), 'no fault');
  t.deepEqual(leftoversIn(odd, PLACE), { links: [], rules: { 4: [], 6: [] } });
});

test('which capabilities are missing, and that they must be ambient for whoever is not root', (t) => {
  const status = (effective: string, ambient: string) =>
    `Name:\tnode\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\nCapAmb:\t${ambient}\n`;
  const both = '0000000000003000';
  const none = '0000000000000000';
  t.is(missing(status(both, both), false), undefined);
  t.is(missing(status(both, none), true), undefined);
  t.regex(
    missing(status(both, none), false)?.text ?? '',
    /CAP_NET_ADMIN and CAP_NET_RAW not ambient/,
  );
  t.regex(missing(status('0000000000001000', none), false)?.text ?? '', /^CAP_NET_RAW missing/);
  t.regex(missing(status(none, none), true)?.text ?? '', /^CAP_NET_ADMIN and CAP_NET_RAW missing/);
  t.is(missing('', true)?.code, 'EPERM');
});
