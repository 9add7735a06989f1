/** What holds for every session description: untouched lines, undoing, twice is once, hostile octets. */
import { Buffer } from 'node:buffer';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { apply } from '../../sdp/apply.ts';
import { MAX_LINE_LEN, MAX_SDP_LEN } from '../../sdp/lines.ts';
import { advertise, strip, tepMarks } from '../../sdp/marks.ts';
import { mediaAddresses } from '../../sdp/media.ts';
import { privateAddressesLeft } from '../../sdp/private.ts';
import type { Endpoint } from '../../wire/address.ts';
import { at, difference, good, isProblem, latin1, NAMES, poisoned, vector } from './vectors.ts';

const SEED = { seed: 20_261_121, numRuns: 300 };
const PUBLIC = at('203.0.113.77:1');

/** Local addresses are 10/8; ports of the public side are above all local ones. */
function mapping(local: Endpoint): Endpoint | undefined {
  if (local.family !== 4 || local.address[0] !== 10) return undefined;
  return { ...PUBLIC, port: 32_768 + (local.port % 32_768) };
}

const port = fc.integer({ min: 1, max: 32_767 });
const host = fc.constantFrom(
  '10.0.0.2',
  '10.0.0.3',
  '192.0.2.4',
  '0.0.0.0',
  '224.2.1.1/127',
  'a.example',
);
const other = fc.constantFrom(
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtcp-mux-only',
  'a=rtcp-fb:* nack',
  'a=ice-options:trickle  ice2 ',
  'a=ice-options:',
  'a=fmtp:96 \xff\xfe\x80',
  'a=candidate:nonsense 10.0.0.2',
  'a=x',
  'b=AS:64',
  'k=prompt',
  '',
);
const candidate = fc
  .tuple(
    host,
    port,
    fc.constantFrom('host', 'srflx raddr 10.0.0.2 rport 5', 'relay raddr 192.0.2.9 rport 1'),
  )
  .map(([h, p, typ]) => `a=candidate:1 1 UDP 2130706431 ${h} ${p} typ ${typ} tcptype passive`);
const rtcp = fc.oneof(
  port.map((p) => `a=rtcp:${p}`),
  fc.tuple(port, host).map(([p, h]) => `a=rtcp:${p} IN IP4 ${h}`),
);
const section = fc
  .tuple(
    fc.oneof(port, fc.constant(0), fc.constant(9)),
    fc.constantFrom('', '/1', '/2'),
    fc.constantFrom('RTP/AVP 0', 'TCP/MSRP *', 'udptl t38', 'UDP/TLS/RTP/SAVPF 96 97'),
    fc.array(
      host.map((h) => `c=IN IP4 ${h}`),
      { maxLength: 2 },
    ),
    fc.array(fc.oneof(other, candidate, rtcp), { maxLength: 8 }),
  )
  .map(([p, n, rest, c, lines]) => [`m=audio ${p}${n} ${rest}`, ...c, ...lines]);
const description = fc
  .tuple(
    fc.constantFrom('\r\n', '\n', '\r'),
    fc.boolean(),
    host,
    fc.array(other, { maxLength: 3 }),
    fc.array(section, { minLength: 1, maxLength: 4 }),
  )
  .map(([eol, last, h, lines, media]) => {
    const all = ['v=0', `o=- 1 1 IN IP4 ${h.replace(/\/.*/, '')}`, 's=-', `c=IN IP4 ${h}`, 't=0 0'];
    return Buffer.from([...all, ...lines, ...media.flat()].join(eol) + (last ? eol : ''), 'latin1');
  });

/** Lines that may change at all, and those that may be added. */
const TOUCHABLE = /^[-+](?:[cmo]=|a=(?:rtcp:|candidate:|ice-options:|3gpp-tep:))/;

test('[B8] apply, advertise and strip leave every other line as it is', (t) => {
  fc.assert(
    fc.property(description, (before) => {
      const changed = [
        good(apply(before, mapping)).octets,
        good(advertise(before, { port: 80, transport: 'TCP' })),
        good(strip(before)),
      ];
      return changed.every((after) =>
        difference(before, after).every((line) => TOUCHABLE.test(line)),
      );
    }),
    SEED,
  );
  t.pass();
});

test('[M-04] strip undoes advertise octet by octet', (t) => {
  fc.assert(
    fc.property(description, fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (x, n, tls) => {
      const mark = { port: n, transport: tls ? 'TLS' : 'TCP', address: PUBLIC } as const;
      const marked = good(advertise(x, mark));
      return latin1(good(strip(marked))) === x.toString('latin1');
    }),
    SEED,
  );
  t.pass();
});

test('[M-03] advertise marks every live m= line and no other, once', (t) => {
  fc.assert(
    fc.property(description, (x) => {
      const marked = good(advertise(x, { port: 80, transport: 'TCP' }));
      const again = good(advertise(marked, { port: 80, transport: 'TCP' }));
      const right = good(tepMarks(marked)).every((m) => m.marked === m.live);
      return right && latin1(again) === latin1(marked);
    }),
    SEED,
  );
  t.pass();
});

test('[M-15] apply twice is apply once', (t) => {
  fc.assert(
    fc.property(description, (x) => {
      const once = good(apply(x, mapping)).octets;
      const twice = good(apply(once, mapping));
      return !twice.changed && latin1(twice.octets) === latin1(once);
    }),
    SEED,
  );
  t.pass();
});

test('[M-15] media goes to the mapped address, count and kind of m= lines stay', (t) => {
  fc.assert(
    fc.property(description, (x) => {
      const before = good(mediaAddresses(x));
      const applied = good(apply(x, mapping));
      const after = good(mediaAddresses(applied.octets));
      const misses = applied.unmapped.filter((u) => u.component === 'rtp');
      const missed = new Set(misses.map((u) => u.media));
      return (
        before.length === after.length &&
        before.every((m, i) => {
          const to = m.rtp === undefined || missed.has(i) ? m.rtp : mapping(m.rtp);
          const expected = m.rtp?.port === 9 && to !== undefined ? { ...to, port: 9 } : to;
          const got = after[i]?.rtp;
          return (
            m.count === after[i]?.count &&
            expected?.port === got?.port &&
            expected?.address.join('.') === got?.address.join('.')
          );
        })
      );
    }),
    SEED,
  );
  t.pass();
});

const FUNCTIONS: ReadonlyArray<readonly [name: string, run: (b: Uint8Array) => unknown]> = [
  ['apply', (b) => apply(b, mapping)],
  ['advertise', (b) => advertise(b, { port: 80, transport: 'TCP' })],
  ['strip', (b) => strip(b)],
  ['tepMarks', (b) => tepMarks(b)],
  ['mediaAddresses', (b) => mediaAddresses(b)],
  ['privateAddressesLeft', (b) => privateAddressesLeft(b)],
];

/** What one change adds at most: an a=rtcp, a c= and two marks per m= line, related addresses. */
const GROWTH = 16_384;

for (const [name, run] of FUNCTIONS) {
  test(`${name}: 10 000 seeded mutations neither throw nor grow, and nothing outside is touched`, (t) => {
    const vectors = NAMES.map(vector);
    let state = 20_261_121;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const b = poisoned(vectors[i % vectors.length] ?? new Uint8Array(0));
      for (let n = 1 + random(4); n > 0; n--) b[random(b.length)] = mutation(random);
      const outcome = run(b);
      if (isProblem(outcome)) refused += 1;
      else if (outcome instanceof Uint8Array && outcome.length > b.length + GROWTH) t.fail();
      const all = new Uint8Array(b.buffer);
      if (all[31] !== 0xa5 || all[32 + b.length] !== 0xa5) t.fail();
    }
    t.true(refused > 100 && refused < 9_900, `${refused} refused`);
  });
}

/** Often an octet that means something in SDP. */
function mutation(random: (below: number) => number): number {
  const meaningful = Buffer.from('\r\n\0 :/=.%-[]0919amco', 'latin1');
  return random(2) === 0 ? random(256) : (meaningful[random(meaningful.length)] ?? 0);
}

test('long lines of every kind are worked through in linear time', (t) => {
  const head =
    'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nm=audio 4000 RTP/AVP 0\r\n';
  const starts = [
    'a=candidate:1 1 UDP 1 10.0.0.2 4000 typ host ',
    'a=candidate:',
    'a=path:msrp://',
    'a=path:msrp://10.0.0.2:4000/x ',
    'a=remote-candidates:1 ',
    'a=rtcp:4001 ',
    'a=3gpp-tep:80 TCP ',
    'a=ice-options:tep ',
    'a=simulcast:',
    'a=imageattr:97 send ',
    'c=IN IP4 ',
    'o=- ',
    'a=',
    'a=ssrc:1 ',
    'b=',
  ];
  const fills = [' ', '0', 'x', '1.', ':', '[x] ', 'a=1 ', 'tep ', '%', '1 10.0.0.2 4000 ', 'f:'];
  for (const start of starts) {
    for (const fill of fills) {
      const line = start + fill.repeat((MAX_LINE_LEN - start.length) / fill.length);
      const text =
        head + `${line}\r\n`.repeat(Math.floor((MAX_SDP_LEN - head.length) / (line.length + 2)));
      inLinearTime(t, `${start}${fill}…`, Buffer.from(text, 'latin1'));
    }
  }
});

/** 64 KiB take some milliseconds when the work is linear, most of a second when it is square. */
function inLinearTime(t: ExecutionContext, what: string, octets: Uint8Array): void {
  for (const [name, run] of FUNCTIONS) {
    // Other processes may take the processor, but not each time.
    let ms = timed(run, octets);
    for (let again = 0; again < 5 && ms >= 250; again++) ms = timed(run, octets);
    t.true(ms < 250, `${name}, ${what}: ${ms} ms`);
  }
}

function timed(run: (b: Uint8Array) => unknown, octets: Uint8Array): number {
  const started = process.hrtime.bigint();
  run(octets);
  return Number(process.hrtime.bigint() - started) / 1e6;
}
