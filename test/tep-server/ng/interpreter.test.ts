/** What becomes of the messages between a proxy and its gateway, without either. */

import test from 'ava';
import fc from 'fast-check';
import type { Plain } from '../../../framing/ng/bencode.ts';
import { octetsOf, readDatagram } from '../../../framing/ng/message.ts';
import { pinholeText } from '../../../session/pinholes.ts';
import type { Ways } from '../../../tep-server/ng/call.ts';
import { Calls, MAX_CALLS } from '../../../tep-server/ng/calls.ts';
import { describe } from '../../../tep-server/ng/description.ts';
import { NgCounts } from '../../../tep-server/ng/faults.ts';
import { Interpreter, type MarkRules } from '../../../tep-server/ng/interpreter.ts';
import { formatEndpoint, parseEndpoint } from '../../../wire/address.ts';
import { answer, bye, type Dialog, lines, MARK, offer, type Phone, sdpOf } from './descriptions.ts';
import { command, type Dictionary } from './proxies.ts';

const DIALOG: Dialog = { callId: 'call', fromTag: 'a', toTag: 'b' };
const UE: Phone = { address: '198.51.100.9', port: 50_000, can: true };
const CORE: Phone = { address: '192.0.2.9', port: 6_000 };
/** The gateway towards whoever sent the offer, and towards the other end. */
const NEAR: Phone = { address: '203.0.113.1', port: 30_000 };
const FAR: Phone = { address: '203.0.113.1', port: 30_100 };
const MARKED = lines('a=ice-options:tep', MARK);

class Scene {
  readonly ways = new Map<string, Ways>();
  readonly ended: string[] = [];
  readonly counts = new NgCounts();
  /** Public addresses that no tunnel has. */
  readonly unbound = new Set<string>();
  readonly calls = new Calls(
    {
      ways: (callId, ways) => this.ways.set(callId, ways),
      opened: () => {},
      crowdedOut: () => this.counts.fault('call-crowded-out'),
      ended: (callId, why) => this.ended.push(`${callId} ${why}`),
    },
    (address) => !this.unbound.has(formatEndpoint(address)),
  );
  readonly interpreter: Interpreter;
  now = 1_000_000;
  #cookies = 0;

  constructor(offersTowards: readonly string[] = [], reaches: MarkRules['reaches'] = () => false) {
    const at = parseEndpoint('198.51.100.7:443');
    if (at === undefined) throw new RangeError();
    const mark = { port: at.port, transport: 'TLS', address: at } as const;
    this.interpreter = new Interpreter(this.calls, this.counts, { mark, offersTowards, reaches });
  }

  /** The description that the proxy gets when the gateway answers with `sdp`; untouched or not. */
  pass(dictionary: Dictionary, sdp: string, peer = 'kamailio'): { sdp: string; same: boolean } {
    this.#cookies += 1;
    const cookie = `${this.#cookies}_1`;
    this.interpreter.command(peer, command(cookie, dictionary), this.now);
    const octets = command(cookie, { sdp, result: 'ok' });
    const told = this.interpreter.answer(peer, octets, this.now);
    const message = readDatagram(told, 0, told.length);
    if (typeof message === 'number') throw new Error(`fault ${message}`);
    return { sdp: `${Buffer.from(octetsOf(message, 'sdp') ?? [])}`, same: told === octets };
  }

  waysOf(callId = 'call'): string[] {
    return (this.ways.get(callId)?.pinholes ?? []).map(pinholeText).toSorted();
  }
}

/** A call of the UE into the core. */
function establish(scene: Scene, dialog = DIALOG): void {
  scene.pass(offer(dialog, sdpOf(UE)), sdpOf(FAR));
  scene.pass(answer(dialog, sdpOf(CORE)), sdpOf(NEAR));
}

const UE_WAYS = [
  '198.51.100.9:50000 203.0.113.1:30000 17',
  '198.51.100.9:50001 203.0.113.1:30001 17',
];

test('[M-15] where the gateway does not stand in between, no way opens to what the other end names', (t) => {
  const inner = 'a=candidate:1 1 UDP 2130706431 127.0.0.1 53 typ host';
  const many = Array.from({ length: 9 }, (_, i) => inner.replace('53', `${100 + i}`));
  const msrp = ['m=message 22 TCP/MSRP *', 'c=IN IP4 127.0.0.1'];
  const marked = ['a=ice-options:tep', 'a=3gpp-tep:9 TCP'];
  const tcp = 'a=candidate:2 1 TCP 2130706430 10.0.0.5 25 typ host tcptype passive';
  const scene = new Scene();
  const ue = sdpOf({ ...UE, more: [...marked, 'm=message 50010 TCP/MSRP *'], can: true });
  scene.pass(offer(DIALOG, ue), sdpOf({ ...FAR, more: ['m=message 50010 TCP/MSRP *'] }));
  // What ICE=optional leaves in, behind many others, and a line of which rtpengine knows nothing.
  const core = sdpOf({ ...CORE, more: [...many, inner, ...msrp, tcp] });
  scene.pass(answer(DIALOG, core), sdpOf({ ...NEAR, more: [inner, ...msrp, tcp] }));
  t.deepEqual(scene.waysOf(), UE_WAYS);
});

test('[M-04] between ends that have said nothing not one octet changes', (t) => {
  const scene = new Scene();
  const foreign = ['a=ice-options:trickle  ice2', 'a=x-custom:1', 'a=tep:80', 'a=candidate:odd'];
  for (const gateway of [sdpOf({ ...FAR, more: foreign }), 'v=0\n', '', 'no description']) {
    t.true(scene.pass(offer(DIALOG, sdpOf(CORE)), gateway).same);
    t.true(scene.pass(answer(DIALOG, sdpOf(CORE)), gateway).same);
  }
  t.deepEqual([...scene.ways], []);
});

test('[M-03] the UE that offered is told where TEP-S is, per m= line that it marked', (t) => {
  const scene = new Scene();
  const video = lines('m=video 50002 RTP/AVP 96', 'a=ice-options:tep');
  const screen = lines('m=video 50004 RTP/AVP 96');
  scene.pass(offer(DIALOG, sdpOf(UE) + video + screen), sdpOf(FAR));
  const own = [sdpOf(NEAR), lines('m=video 30002 RTP/AVP 96'), lines('m=video 30004 RTP/AVP 96')];
  const { sdp } = scene.pass(answer(DIALOG, sdpOf(CORE)), own.join(''));
  t.is(sdp, own[0] + MARKED + own[1] + MARKED + own[2]);
});

test('[M-03] a line that the gateway leaves alone is not marked, unless tunnels may go there anyway', (t) => {
  const msrp = (port: number, ...more: readonly string[]) => {
    return lines(`m=message ${port} TCP/MSRP *`, 'c=IN IP4 192.0.2.9', ...more);
  };
  const told = (scene: Scene, line: string, reply = line) => {
    scene.pass(offer(DIALOG, sdpOf(UE) + msrp(2855, 'a=ice-options:tep')), sdpOf(FAR));
    return scene.pass(answer(DIALOG, sdpOf(CORE) + line), sdpOf(NEAR) + reply).sdp;
  };
  const audio = sdpOf(NEAR) + MARKED;
  t.is(told(new Scene(), msrp(2855)), audio + msrp(2855));
  t.is(told(new Scene(), msrp(2855), msrp(30_004)), audio + msrp(30_004) + MARKED);
  const allowed = new Scene([], ({ at, protocol }) => at.port === 2855 && protocol === 6);
  t.is(told(allowed, msrp(2855)), audio + msrp(2855) + MARKED);
  t.is(told(allowed, msrp(2856)), audio + msrp(2856));
});

test('[M-03] marks of a UE do not go to anybody else', (t) => {
  const scene = new Scene();
  const left = sdpOf({ ...FAR, more: ['a=3gpp-tep:9 TCP', 'a=ice-options:trickle tep'] });
  const { sdp } = scene.pass(offer(DIALOG, sdpOf(UE)), left);
  t.is(sdp, sdpOf({ ...FAR, more: ['a=ice-options:trickle'] }));
  const subscribed = { command: 'subscribe request', 'call-id': 'call', 'from-tag': 'a' };
  t.notRegex(scene.pass(subscribed, left).sdp, /tep/);
});

test('[M-03] [M-10] a UE that answered is told in later offers, and has its ways from then on', (t) => {
  const scene = new Scene();
  t.true(scene.pass(offer(DIALOG, sdpOf(CORE)), sdpOf(FAR)).same);
  t.true(scene.pass(answer(DIALOG, sdpOf(UE)), sdpOf(NEAR)).same);
  t.deepEqual(scene.waysOf(), [
    '198.51.100.9:50000 203.0.113.1:30100 17',
    '198.51.100.9:50001 203.0.113.1:30101 17',
  ]);
  const again = { ...offer(DIALOG, sdpOf(CORE)), 'to-tag': 'b' };
  t.is(scene.pass(again, sdpOf(FAR)).sdp, sdpOf(FAR) + MARKED);
  t.true(scene.pass(answer(DIALOG, sdpOf({ ...UE, can: false })), sdpOf(NEAR)).same);
  t.deepEqual(scene.waysOf(), [], 'it does without from now on');
  t.true(scene.pass(again, sdpOf(FAR)).same);
});

test('[M-03] where phones are, an offer is marked before they have said anything', (t) => {
  const towards = (name: string) => offer(DIALOG, sdpOf(CORE), { direction: ['core', name] });
  const some = new Scene(['access']);
  t.is(some.pass(towards('access'), sdpOf(FAR)).sdp, sdpOf(FAR) + MARKED);
  t.true(some.pass(towards('core'), sdpOf(FAR)).same);
  t.true(some.pass(offer(DIALOG, sdpOf(CORE)), sdpOf(FAR)).same);
  const all = new Scene(['all']);
  t.is(all.pass(offer(DIALOG, sdpOf(CORE)), sdpOf(FAR)).sdp, sdpOf(FAR) + MARKED);
  t.true(all.pass(answer(DIALOG, sdpOf({ ...CORE, port: 7_000 })), sdpOf(NEAR)).same);
  const again = { ...offer(DIALOG, sdpOf(CORE)), 'to-tag': 'b' };
  t.true(all.pass(again, sdpOf(FAR)).same, 'whoever answered without cannot');
});

test('[M-10] [M-15] exactly the 5-tuples of the call are open, until it is deleted', (t) => {
  const scene = new Scene();
  scene.pass(offer(DIALOG, sdpOf(UE)), sdpOf(FAR));
  t.deepEqual(scene.waysOf(), []);
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf(NEAR));
  t.deepEqual(scene.waysOf(), UE_WAYS);
  scene.interpreter.command('kamailio', command('bye', bye(DIALOG)), scene.now);
  t.deepEqual(scene.waysOf(), [], 'before the gateway has answered, or when it never does');
  t.deepEqual(scene.ended, ['call deleted']);
  t.is(scene.calls.size, 0);
  t.is(scene.calls.ways, 0);
});

test('[M-15] rtcp-mux of both ends leaves RTP alone open; candidates open their own ways', (t) => {
  const scene = new Scene();
  const candidates = [
    'a=candidate:1 1 UDP 1694498815 198.51.100.10 50010 typ srflx raddr 0.0.0.0 rport 9',
    'a=candidate:2 1 UDP 1 2001:db8::1 50010 typ host',
    'a=candidate:3 1 TCP 1 198.51.100.10 9 typ host tcptype active',
  ];
  const more = ['a=rtcp-mux', ...candidates];
  scene.pass(offer(DIALOG, sdpOf({ ...UE, more })), sdpOf(FAR));
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf({ ...NEAR, more: ['a=rtcp-mux'] }));
  t.deepEqual(scene.waysOf(), [
    '198.51.100.10:50010 203.0.113.1:30000 17',
    '198.51.100.9:50000 203.0.113.1:30000 17',
  ]);
});

test('[M-10] a new port is open beside the old one until the offer is answered', (t) => {
  const scene = new Scene();
  establish(scene);
  const moved = { ...UE, port: 51_000 };
  const MOVED_WAYS = UE_WAYS.map((way) => way.replace(':5000', ':5100'));
  scene.pass({ ...offer(DIALOG, sdpOf(moved)), 'to-tag': 'b' }, sdpOf(FAR));
  t.deepEqual(scene.waysOf(), [...UE_WAYS, ...MOVED_WAYS]);
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf(NEAR));
  t.deepEqual(scene.waysOf(), MOVED_WAYS);
});

test('[M-10] forks have ways of their own, and lose them one by one', (t) => {
  const scene = new Scene();
  const fork = (toTag: string, branch: string) =>
    [{ ...DIALOG, toTag }, { 'via-branch': branch }] as const;
  const [b, one] = fork('b', '1');
  const [c, two] = fork('c', '2');
  scene.pass(offer(DIALOG, sdpOf(UE), one), sdpOf(FAR));
  scene.pass(offer(DIALOG, sdpOf(UE), two), sdpOf({ ...FAR, port: 30_200 }));
  scene.pass(answer(b, sdpOf({ ...UE, port: 52_000 }), one), sdpOf(NEAR));
  scene.pass(answer(c, sdpOf({ ...UE, port: 53_000 }), two), sdpOf({ ...NEAR, port: 30_300 }));
  const rtp = () => scene.waysOf().filter((way) => /00 17$/.test(way));
  t.deepEqual(rtp(), [
    '198.51.100.9:50000 203.0.113.1:30000 17',
    '198.51.100.9:50000 203.0.113.1:30300 17',
    '198.51.100.9:52000 203.0.113.1:30100 17',
    '198.51.100.9:53000 203.0.113.1:30200 17',
  ]);
  const gone = { command: 'delete', 'call-id': 'call', 'from-tag': 'a' };
  scene.interpreter.command('kamailio', command('x', { ...gone, ...two }), scene.now);
  t.deepEqual(rtp(), [
    '198.51.100.9:50000 203.0.113.1:30000 17',
    '198.51.100.9:52000 203.0.113.1:30100 17',
  ]);
  scene.interpreter.command('kamailio', command('y', bye(b)), scene.now);
  t.deepEqual(scene.ended, ['call deleted']);
});

test('[M-10] a change that was refused leaves nothing open, and may yet be answered', (t) => {
  const moved = { ...UE, port: 51_000 };
  const MOVED_WAYS = UE_WAYS.map((way) => way.replace(':5000', ':5100'));
  const scene = new Scene();
  const change = () => {
    establish(scene);
    scene.pass({ ...offer(DIALOG, sdpOf(moved)), 'to-tag': 'b' }, sdpOf(FAR));
    t.deepEqual(scene.waysOf(), [...UE_WAYS, ...MOVED_WAYS]);
  };
  change();
  scene.pass(
    offer({ callId: 'call', fromTag: 'b', toTag: '' }, sdpOf(CORE), { 'to-tag': 'a' }),
    sdpOf(NEAR),
  );
  t.deepEqual(scene.waysOf(), UE_WAYS, 'the other end makes an offer');
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf(NEAR));
  t.deepEqual(scene.waysOf(), MOVED_WAYS, 'an answer that nobody expected any more');
  change();
  scene.now += 31_000;
  scene.calls.remembered('call', [], scene.now);
  t.deepEqual(scene.waysOf(), [...UE_WAYS, ...MOVED_WAYS], 'it may still be answered');
  change();
  scene.now += 60_000;
  scene.calls.remembered('call', [], scene.now);
  t.deepEqual(scene.waysOf(), UE_WAYS, 'the gateway has the call, of which nothing was heard');
});

test('[M-10] what rings for long is no change that was refused', (t) => {
  const scene = new Scene();
  scene.pass(offer(DIALOG, sdpOf(UE)), sdpOf(FAR));
  scene.now += 120_000;
  scene.calls.remembered('call', [], scene.now);
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf(NEAR));
  t.deepEqual(scene.waysOf(), UE_WAYS);
});

test('[M-10] a fork that is over stays closed though the gateway remembers it for a while', (t) => {
  const scene = new Scene();
  const [one, two] = [{ 'via-branch': '1' }, { 'via-branch': '2' }];
  scene.pass(offer(DIALOG, sdpOf(CORE), one), sdpOf(NEAR));
  scene.pass(offer(DIALOG, sdpOf(CORE), two), sdpOf(NEAR));
  scene.pass(answer(DIALOG, sdpOf(UE), one), sdpOf(FAR));
  const other = { ...UE, port: 52_000 };
  scene.pass(answer({ ...DIALOG, toTag: 'c' }, sdpOf(other), two), sdpOf(FAR));
  t.true(scene.waysOf().some((way) => way.includes(':52000')));
  const over = { command: 'delete', 'call-id': 'call', 'from-tag': 'a', ...two };
  scene.interpreter.command('kamailio', command('x', over), scene.now);
  const left = scene.waysOf();
  t.true(left.length > 0 && !left.some((way) => way.includes(':52000')));
  const [said, told] = [describe(Buffer.from(sdpOf(other))), describe(Buffer.from(sdpOf(NEAR)))];
  if (said === undefined || told === undefined) throw new RangeError();
  scene.calls.remembered('call', [{ tag: 'c', other: 'a', said, told }], scene.now);
  t.deepEqual(scene.waysOf(), left);
});

/** Names as they may stand in `delete`, and what rtpengine 10.5 does then. */
test('[M-10] ways whose addresses no tunnel has close after two looks, until their phone names them again', (t) => {
  const scene = new Scene();
  establish(scene);
  const look = () => {
    scene.now += 60_000;
    scene.calls.remembered('call', [], scene.now);
    return scene.waysOf();
  };
  t.deepEqual(look(), UE_WAYS);
  scene.unbound.add('198.51.100.9:50000').add('198.51.100.9:50001');
  t.deepEqual(look(), UE_WAYS, 'its tunnel may come back');
  scene.unbound.clear();
  t.deepEqual(look(), UE_WAYS, 'as it has');
  scene.unbound.add('198.51.100.9:50001');
  look();
  t.deepEqual(look(), UE_WAYS.slice(0, 1));
  scene.unbound.add('198.51.100.9:50000');
  look();
  t.deepEqual(look(), []);
  t.deepEqual(scene.ended, ['call no-tunnel']);
  t.false(scene.calls.isOpen('call'));
  t.is(scene.calls.ways, 0);
  scene.unbound.clear();
  t.deepEqual(look(), [], 'who has the addresses now is anybody');
  const turned = { callId: 'call', fromTag: DIALOG.toTag, toTag: DIALOG.fromTag };
  scene.pass({ ...offer(turned, sdpOf(CORE)), 'to-tag': DIALOG.fromTag }, sdpOf(NEAR));
  t.deepEqual(scene.waysOf(), [], 'the other end talks to nobody');
  scene.pass(answer(turned, sdpOf(UE)), sdpOf(FAR));
  t.deepEqual(scene.waysOf(), UE_WAYS);
  t.true(scene.calls.isOpen('call'));
  scene.pass(bye(DIALOG), '');
  t.deepEqual(scene.ended, ['call no-tunnel', 'call deleted']);
});

test('[M-10] doubts about a call are no second look at its addresses', (t) => {
  const scene = new Scene();
  establish(scene);
  scene.unbound.add('198.51.100.9:50000').add('198.51.100.9:50001');
  scene.now += 60_000;
  for (let i = 0; i < 5; i++) {
    scene.calls.remembered('call', [], scene.now);
    scene.now += 1_000;
  }
  t.deepEqual(scene.waysOf(), UE_WAYS);
});

test('[M-10] a call of which only a gateway knows that deletes it late has no ways for long', (t) => {
  const scene = new Scene();
  const [said, told] = [describe(Buffer.from(sdpOf(UE))), describe(Buffer.from(sdpOf(NEAR)))];
  if (said === undefined || told === undefined) throw new RangeError();
  scene.unbound.add('198.51.100.9:50000').add('198.51.100.9:50001');
  scene.calls.remembered('call', [{ tag: 'a', other: 'b', said, told }], scene.now);
  t.deepEqual(scene.waysOf(), UE_WAYS, 'a phone in a call comes back');
  scene.now += 60_000;
  scene.calls.remembered('call', [], scene.now);
  t.deepEqual(scene.waysOf(), []);
});

test('[M-10] a delete by names that the call does not have leaves its ways open, and puts it in doubt', (t) => {
  const gone = { command: 'delete', 'call-id': 'call' };
  const [one, two] = [{ 'via-branch': '1' }, { 'via-branch': '2' }];
  const established = (names: Dictionary) => {
    const scene = new Scene();
    scene.pass(offer(DIALOG, sdpOf(UE), one), sdpOf(FAR));
    scene.pass(offer(DIALOG, sdpOf(UE), two), sdpOf({ ...FAR, port: 30_200 }));
    scene.pass(answer(DIALOG, sdpOf(CORE), one), sdpOf(NEAR));
    scene.pass(answer({ ...DIALOG, toTag: 'c' }, sdpOf(CORE), two), sdpOf(NEAR));
    scene.interpreter.command('kamailio', command('x', { ...gone, ...names }), scene.now);
    const isDoubted = scene.calls.doubtful(0, 10).includes('call');
    return [scene.waysOf().length > 0, isDoubted];
  };
  const kept = [
    { 'from-tag': 'x' },
    { 'from-tag': 'x', 'to-tag': 'y' },
    { 'from-tag': 'x', 'via-branch': '9' },
  ];
  for (const names of [...kept, { 'from-tag': 'a', 'to-tag': 'y' }]) {
    t.deepEqual(established(names), [true, true], JSON.stringify(names));
  }
  const parts = [
    { 'from-tag': 'x', ...one },
    { 'from-tag': 'a', 'to-tag': 'y', ...one },
  ];
  for (const names of [...parts, { 'from-tag': 'x', 'to-tag': 'b' }, { 'from-tag': 'b' }]) {
    t.deepEqual(established(names), [true, false], JSON.stringify(names));
  }
  const whole = [{}, { 'from-tag': 'a' }, { 'from-tag': 'a', 'via-branch': '9' }];
  for (const names of [...whole, { 'from-tag': 'c', 'to-tag': 'a' }, { 'to-tag': 'b' }]) {
    t.deepEqual(established(names), [false, false], JSON.stringify(names));
  }
});

test('[M-08] [M-10] ufrag and pwd of both ends are credentials while the call lasts', (t) => {
  const scene = new Scene();
  const ice = (ufrag: string, pwd: string) => [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`];
  const [ue, gateway] = ['x'.repeat(22), 'y'.repeat(22)];
  scene.pass(offer(DIALOG, sdpOf({ ...UE, more: ice('ueue', ue) })), sdpOf(FAR));
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf({ ...NEAR, more: ice('core', gateway) }));
  t.deepEqual(scene.ways.get('call')?.users, [{ name: 'core:ueue', password: gateway }]);
  const again = 'z'.repeat(22);
  const more = ice('ueue', ue);
  scene.pass({ ...offer(DIALOG, sdpOf({ ...UE, more })), 'to-tag': 'b' }, sdpOf(FAR));
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf({ ...NEAR, more: ice('core', again) }));
  t.deepEqual(scene.ways.get('call')?.users, [{ name: 'core:ueue', password: again }]);
  const odd = { ...offer(DIALOG, sdpOf({ ...UE, more: ice('u-ue', ue) })), 'to-tag': 'b' };
  scene.pass(odd, sdpOf(FAR));
  scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf({ ...NEAR, more: ice('core', gateway) }));
  t.deepEqual(scene.ways.get('call')?.users, []);
});

test('a command that comes again changes nothing more, and its answer is the same', (t) => {
  const scene = new Scene();
  scene.pass(offer(DIALOG, sdpOf(UE)), sdpOf(FAR));
  const octets = command('7_1', answer(DIALOG, sdpOf(CORE)));
  const reply = command('7_1', { result: 'ok', sdp: sdpOf(NEAR) });
  scene.interpreter.command('kamailio', octets, scene.now);
  const first = scene.interpreter.answer('kamailio', reply, scene.now);
  scene.interpreter.command('kamailio', command('8_1', bye(DIALOG)), scene.now);
  scene.interpreter.command('kamailio', octets, scene.now);
  t.deepEqual(scene.interpreter.answer('kamailio', reply, scene.now), first);
  t.true(Buffer.from(first).includes(MARK));
  t.deepEqual(scene.waysOf(), [], 'an answer that came late does not bring the call back');
  t.is(scene.counts.commands.get('answer'), 1);
  t.is(scene.counts.commands.get('repeated'), 1);
});

test('cookies of two proxies have nothing to do with each other; answers come in any order', (t) => {
  const scene = new Scene();
  const { interpreter: it, now } = scene;
  const other = { ...DIALOG, callId: 'other' };
  it.command('one', command('1', offer(DIALOG, sdpOf(UE))), now);
  it.command('two', command('1', offer(other, sdpOf(CORE))), now);
  it.answer('two', command('1', { result: 'ok', sdp: sdpOf(FAR) }), now);
  it.answer('one', command('1', { result: 'ok', sdp: sdpOf(FAR) }), now);
  t.true(scene.pass(answer(DIALOG, sdpOf(CORE)), sdpOf(NEAR), 'one').sdp.includes(MARK));
  t.true(scene.pass(answer(other, sdpOf(CORE)), sdpOf(NEAR), 'two').same);
});

test('an answer of the gateway that is an error teaches nothing', (t) => {
  const scene = new Scene();
  scene.interpreter.command('k', command('1', offer(DIALOG, sdpOf(UE))), scene.now);
  const error = command('1', { result: 'error', 'error-reason': 'Ran out of ports' });
  t.is(scene.interpreter.answer('k', error, scene.now), error);
  t.is(scene.calls.size, 0);
  t.is(scene.counts.faults.get('refused'), 1);
});

test('what nobody asked, and what cannot be read, passes as it is and is counted', (t) => {
  const scene = new Scene();
  const octets = command('nobody', { result: 'ok', sdp: sdpOf({ ...UE }) });
  t.is(scene.interpreter.answer('k', octets, scene.now), octets);
  t.is(scene.counts.faults.get('unasked'), 1);
  scene.interpreter.command('k', command('1', { ...offer(DIALOG, 'x'.repeat(60_000)) }), scene.now);
  t.is(scene.counts.faults.get('sdp-unreadable'), 1);
  const long = { ...DIALOG, callId: 'x'.repeat(600) };
  scene.interpreter.command('k', command('2', offer(long, sdpOf(UE))), scene.now);
  t.is(scene.counts.faults.get('long-name'), 1);
});

test('any octets pass as they are, and any bencode', (t) => {
  const scene = new Scene(['all']);
  const { interpreter: it, now } = scene;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      it.command('k', octets, now);
      return it.answer('k', octets, now) === octets;
    }),
    { seed: 5, numRuns: 2_000 },
  );
  const { value } = fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.maxSafeInteger(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc
        .dictionary(fc.string(), tie('value'), { maxKeys: 3 })
        .map((o) => new Map(Object.entries(o))),
    ),
  }));
  const names = ['command', 'call-id', 'from-tag', 'to-tag', 'via-branch', 'direction', 'sdp'];
  const dictionary = fc.record(
    Object.fromEntries(['result', ...names].map((name) => [name, value])),
    { requiredKeys: [] },
  );
  const commandName = fc.constantFrom('offer', 'answer', 'delete');
  fc.assert(
    fc.property(dictionary, commandName, (some, name) => {
      const octets = command('c', { ...(some as Dictionary), command: name });
      it.command('k', octets, now);
      const told = it.answer('k', octets, now);
      return Buffer.compare(told, octets) === 0;
    }),
    { seed: 6, numRuns: 2_000 },
  );
  t.pass();
});

test('commands are forgotten after 30 s, and there are only so many of them and of calls', (t) => {
  const scene = new Scene();
  const ask = (n: number) => {
    const dialog = { ...DIALOG, callId: `call ${n}` };
    scene.interpreter.command('k', command(`${n}`, offer(dialog, sdpOf(UE))), scene.now);
    const reply = command(`${n}`, { result: 'ok', sdp: sdpOf(FAR) });
    scene.interpreter.answer('k', reply, scene.now);
  };
  for (let n = 0; n < MAX_CALLS + 10; n++) ask(n);
  t.is(scene.calls.size, MAX_CALLS);
  t.is(scene.calls.find('call 9'), undefined);
  scene.interpreter.answer('k', command('0', { result: 'ok' }), scene.now);
  t.is(scene.counts.faults.get('unasked'), 1, 'crowded out');
  scene.now += 31_000;
  ask(-1);
  scene.interpreter.answer('k', command(`${MAX_CALLS}`, { result: 'ok' }), scene.now);
  t.is(scene.counts.faults.get('unasked'), 2, 'too old');
  t.is(scene.counts.faults.get('call-crowded-out'), 11);
  t.is(scene.counts.faults.get('command-crowded-out'), 10);
});

/** As many m= lines as a description may have, and many candidates in each. */
const LINES = Array.from({ length: 60 }, (_, i) => `m=video ${1_024 + 2 * i} RTP/AVP 96`);
const CANDIDATES = LINES.flatMap((line) => [
  line,
  ...Array.from({ length: 15 }, (_, i) => {
    return `a=candidate:${i} 1 UDP 1 198.51.100.10 ${1_024 + i} typ host`;
  }),
]);

test('what waits for answers takes so much memory, whatever is said in it; the oldest make room', (t) => {
  const scene = new Scene();
  const long = sdpOf({ ...UE, more: CANDIDATES });
  const ask = (n: number) => {
    const dialog = { ...DIALOG, callId: `call ${n}` };
    scene.interpreter.command('k', command(`${n}`, offer(dialog, long)), scene.now);
  };
  const reply = (n: number) => {
    const told = command(`${n}`, { result: 'ok', sdp: sdpOf(FAR) });
    scene.interpreter.answer('k', told, scene.now);
  };
  // Those that are answered take none.
  for (let n = 0; n < 100; n++) {
    ask(n);
    reply(n);
  }
  t.is(scene.counts.faults.get('command-crowded-out'), undefined);
  for (let n = 100; n < 200; n++) ask(n);
  const crowded = scene.counts.faults.get('command-crowded-out') ?? 0;
  t.true(crowded > 100 && crowded < 180, `${crowded}`);
  reply(100);
  t.is(scene.counts.faults.get('unasked'), 1);
  reply(199);
  t.is(scene.counts.faults.get('unasked'), 1);
});

test('calls take so much memory, whatever is said in them; the oldest without ways makes room', (t) => {
  const scene = new Scene();
  const many = (phone: Phone) => sdpOf({ ...phone, more: LINES });
  const call = (n: number) => {
    const dialog = { ...DIALOG, callId: `call ${n}` };
    scene.pass(offer(dialog, many(UE)), many(FAR));
    scene.pass(answer(dialog, many(CORE)), many(NEAR));
  };
  establish(scene);
  scene.pass(offer({ ...DIALOG, callId: 'rings' }, sdpOf(UE)), sdpOf(FAR));
  for (let n = 0; n < 700; n++) call(n);
  t.true(scene.calls.size > 200 && scene.calls.size < 600, `${scene.calls.size}`);
  t.is(scene.counts.faults.get('call-crowded-out'), 702 - scene.calls.size);
  t.is(scene.calls.find('rings'), undefined);
  t.not(scene.calls.find('call 699'), undefined);
});

test('a call whose parties say too much forgets the oldest of them', (t) => {
  const scene = new Scene();
  scene.pass(offer(DIALOG, sdpOf({ ...UE, more: LINES })), sdpOf({ ...FAR, more: LINES }));
  for (let n = 0; n < 60; n++) {
    const dialog = { ...DIALOG, toTag: `fork ${n}` };
    scene.pass(answer(dialog, sdpOf({ ...CORE, more: LINES })), sdpOf({ ...NEAR, more: LINES }));
  }
  const { pinholes, users } = scene.ways.get('call') ?? { pinholes: [], users: [] };
  const octets = scene.calls.find('call')?.octets({ pinholes, users }) ?? 0;
  t.true(octets > 200_000 && octets < 1_200_000, `${octets}`);
});
