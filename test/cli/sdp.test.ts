/** `tep sdp`: the four actions inside this process, and once as the real program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { dispatch } from '../../cli/dispatch.ts';
import { fakeWorld } from './world.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BAD = 'v=0\r\ns=-\r\na=x\ra=evil\r\n';

function sample(name: string): string {
  return join(ROOT, 'test/vectors/sdp', `${name}.sdp`);
}

async function tep(args: readonly string[], stdin = '') {
  const world = fakeWorld(stdin);
  const status = await dispatch(['sdp', ...args], world);
  return { status, out: world.out(), err: world.err() };
}

test('[M-15] show: addresses, codecs, marks and private addresses for people', async (t) => {
  const { status, out, err } = await tep(['show', sample('linphone')]);
  t.is(status, 0);
  t.is(err, '');
  t.regex(
    out,
    /^m= line 1 \(line 10\): audio RTP\/AVPF, sendrecv\n {2}media {3}192\.168\.1\.7:7078 udp\n/,
  );
  t.regex(out, /^ {2}RTCP {4}192\.168\.1\.7:60101 udp$/m);
  t.regex(out, /96 opus\/48000\/2, 97 speex\/16000, .* 0 PCMU\/8000/);
  t.regex(out, /^ {2}TEP {5}not marked$/m);
  t.regex(out, /^ {2}line 21 {2}a=candidate {2}fd12:3456::7$/m);
});

test('[M-03] show --json: one object, m= lines counted from 1', async (t) => {
  const { out } = await tep(['show', '--json', sample('tep-answer')]);
  const shown = JSON.parse(out);
  t.is(shown.media.length, 3);
  t.like(shown.media[0], {
    media: 1,
    line: 7,
    rtp: '203.0.113.9:50000',
    rtcp: '203.0.113.9:50001',
  });
  t.deepEqual(shown.media[0].codecs, [{ payloadType: 0, name: 'PCMU', rate: 8000, channels: 1 }]);
  t.deepEqual(shown.media[0].tep, {
    marked: true,
    token: 'media',
    attribute: true,
    listener: '[2001:db8::53]:443',
    transport: 'TLS',
  });
  t.deepEqual(shown.privateAddresses, [{ line: 12, field: 'a=candidate', address: 'fe80::1' }]);
});

test('show lets no control octet of the description reach a terminal', async (t) => {
  const { out } = await tep(
    ['show', '-'],
    'v=0\nm=a\u001b[2J 4000 RTP/AVP 96\na=rtpmap:96 x\u009b\u0007/8000\n',
  );
  t.regex(out, /^[\n -~]+$/);
});

test('[M-03] advertise then strip gives the same octets, from a file and from standard input', async (t) => {
  for (const name of ['baresip', 'chrome', 'several', 't38']) {
    const marked = await tep([
      'advertise',
      '--json',
      '--port',
      '443',
      '--transport',
      'TLS',
      sample(name),
    ]);
    t.is(marked.status, 0);
    const { changed, sdp } = JSON.parse(marked.out);
    t.true(changed);
    t.regex(sdp, /a=3gpp-tep:443 TLS[\r\n]?/);
    const plain = await tep(['strip'], sdp);
    t.is(plain.out, (await tep(['strip', sample(name)])).out);
  }
});

test('[M-03] advertise: chosen m= lines and another address', async (t) => {
  const { out } = await tep([
    'advertise',
    '--media',
    '2',
    '--address',
    '2001:db8::53',
    sample('linphone'),
  ]);
  t.is(out.match(/a=3gpp-tep:80 TCP IN IP6 2001:db8::53\r\n/g)?.length, 1);
  t.true(out.indexOf('3gpp-tep') > out.indexOf('m=video'));
});

test('[M-06] apply --map and --public', async (t) => {
  const maps = [
    '--map',
    '192.0.2.2:20046=198.51.100.7:5000',
    '--map',
    '192.0.2.2:20047=198.51.100.7:7001',
  ];
  const mapped = await tep(['apply', ...maps, sample('baresip')]);
  t.is(mapped.status, 0);
  t.is(mapped.err, '');
  t.regex(mapped.out, /^m=audio 5000 /m);
  t.regex(mapped.out, /^a=rtcp:7001\r$/m);
  const kept = await tep(['apply', '--public', '2001:db8::5', sample('asterisk')]);
  t.regex(kept.out, /^c=IN IP6 2001:db8::5\r\n/m);
  t.regex(kept.out, /^m=audio 13412 /m);
  const both = await tep([
    'apply',
    '--public',
    '203.0.113.1',
    ...maps.slice(0, 2),
    sample('baresip'),
  ]);
  t.regex(both.out, /^m=audio 5000 /m);
  t.regex(both.out, /^a=rtcp:20047 IN IP4 203\.0\.113\.1\r$/m);
});

test('[M-17] apply --public changes own addresses only, and names those that stayed', async (t) => {
  const chrome = await tep(['apply', '--public', '203.0.113.1', '--json', sample('chrome')]);
  const { sdp, privateLeft, unmapped } = JSON.parse(chrome.out);
  t.deepEqual([privateLeft, unmapped], [[], []]);
  t.true(sdp.includes('198.51.100.61 36768 typ srflx raddr 0.0.0.0 rport 9'));
  const several = await tep([
    'apply',
    '--map',
    '10.0.0.3:51372=203.0.113.6:5000',
    sample('several'),
  ]);
  t.is(several.status, 0);
  t.regex(several.err, /line 28: no public address for RTCP 10\.0\.0\.3:51373\n/);
  t.regex(several.err, /line 27: c shows 10\.0\.0\.2\n/);
});

test('apply options: answer, private candidates kept, version raised', async (t) => {
  const answer = await tep([
    'apply',
    '--answer',
    '--map',
    '10.0.0.2:4000=203.0.113.5:6000',
    sample('bundle-answer'),
  ]);
  t.notRegex(answer.out, /a=rtcp:/);
  const ice = ['--map', '192.0.2.2:20018=198.51.100.7:5000', '--keep-private', '--raise-version'];
  const kept = await tep(['apply', ...ice, sample('baresip-ice')]);
  t.regex(kept.out, /fd00::2 20018 typ host/);
  t.regex(kept.out, /^o=- 3545420338 366616761 /m);
});

const REFUSED: ReadonlyArray<readonly [args: readonly string[], stdin: string, line: RegExp]> = [
  [['show', '-'], BAD, /^tep: standard input: line 3: CR that ends no line\n$/],
  [['strip'], BAD, /^tep: standard input: line 3: CR that ends no line\n$/],
  [['show', 'no/such'], '', /^tep: no\/such: no such file\n$/],
  [['show', '.'], '', /^tep: \.: is a directory\n$/],
  [['strip'], 'x'.repeat(70_000), /^tep: standard input: longer than 65535 octets\n$/],
  [['advertise'], 'v=0\ns=-\n', /^tep: standard input: no m= line with a port\n$/],
  [['advertise', '--media', '3', sample('sipp')], '', /sipp\.sdp: m= line 3: there are 1\n$/],
  [
    ['advertise', '--media', '2', sample('chrome')],
    '',
    /m= line 2 has port 0 and is never changed\n$/,
  ],
  [['apply', '--map', '10.0.0.1:1=10.0.0.2:2', sample('sipp')], '', /such as 127\.0\.0\.1:6000\n$/],
];

for (const [args, stdin, line] of REFUSED) {
  test(`refused with status 1, one line, nothing written: ${args[0]} ${line.source}`, async (t) => {
    const { status, out, err } = await tep(args, stdin);
    t.is(status, 1);
    t.is(out, '');
    t.regex(err, line);
    t.is(err.split('\n').length, 2);
  });
}

const WRONG: ReadonlyArray<readonly [args: readonly string[], message: RegExp]> = [
  [[], /one of show, advertise, strip, apply is missing/],
  [['stripp'], /unknown action stripp \(did you mean strip\?\)/],
  [['toString'], /unknown action toString/],
  [['show', '--port', '80'], /unknown option --port/],
  [['show', 'a', 'b'], /unexpected argument b/],
  [['advertise', '--port', '0'], /--port 0: must be a whole number from 1 to 65535/],
  [['advertise', '--transport', 'tls'], /--transport tls: must be TCP or TLS/],
  [
    ['advertise', '--address', '1.2.3.4\r\na=evil'],
    /--address .*: must be an IPv4 or IPv6 address/s,
  ],
  [['advertise', '--media', '0'], /--media 0: must be the number of an m= line/],
  [['apply'], /--map or --public is missing/],
  [
    ['apply', '--map', '10.0.0.2=192.0.2.1'],
    /--map 10\.0\.0\.2=192\.0\.2\.1: must be LOCAL=PUBLIC/,
  ],
  [['apply', '--map', '10.0.0.2:1=192.0.2.1:2=x'], /must be LOCAL=PUBLIC/],
  [['apply', '--map', '10.0.0.2:1=192.0.2.1:0'], /must be LOCAL=PUBLIC/],
  [
    ['apply', '--public', '192.0.2.1:80'],
    /--public 192\.0\.2\.1:80: must be an IPv4 or IPv6 address/,
  ],
];

for (const [args, message] of WRONG) {
  test(`wrong usage is status 2 and one line: sdp ${JSON.stringify(args)}`, async (t) => {
    const { status, out, err } = await tep(args);
    t.is(status, 2);
    t.is(out, '');
    t.regex(err, message);
  });
}

test('help has examples and needs no input', async (t) => {
  const { status, out } = await tep(['apply', '--help']);
  t.is(status, 0);
  t.regex(out, /Examples:\n {2}tep sdp show offer\.sdp/);
});

test('[M-04] the real program: octets that are not UTF-8 come through, a bad file writes nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tep-sdp-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const good = join(folder, 'good.sdp');
  const octets = Buffer.from('v=0\r\ns=\xff\xfe\x80\r\nm=audio 4000 RTP/AVP 0', 'latin1');
  writeFileSync(good, octets);
  writeFileSync(join(folder, 'bad.sdp'), BAD);
  const run = async (...args: string[]) => {
    const program = join(ROOT, 'build/cli/tep.js');
    const tep = spawn(process.execPath, [program, 'sdp', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [status]] = await Promise.all([
      buffer(tep.stdout),
      text(tep.stderr),
      once(tep, 'exit'),
    ]);
    return { out, err, status };
  };
  const marked = await run('advertise', 'good.sdp');
  t.like(marked, { err: '', status: 0 });
  writeFileSync(join(folder, 'marked.sdp'), marked.out);
  t.deepEqual(await run('strip', 'marked.sdp'), { out: octets, err: '', status: 0 });
  t.deepEqual(await run('strip', 'bad.sdp'), {
    out: Buffer.alloc(0),
    err: 'tep: bad.sdp: line 3: CR that ends no line\n',
    status: 1,
  });
});

test('docs/sdp.md shows what the program really says', async (t) => {
  const page = readFileSync(join(ROOT, 'docs/sdp.md'), 'utf8');
  const blocks = [
    ...page.matchAll(/```console\n\$ tep sdp (.*?)( \| diff offer\.sdp -)?\n([^`]*)```/g),
  ];
  t.is(blocks.length, 3);
  const before = readFileSync(sample('linphone'), 'latin1').split('\r\n');
  for (const [, args = '', diff, shown = ''] of blocks) {
    const { out } = await tep(args.replace('offer.sdp', sample('linphone')).split(' '));
    const after = out.split('\r\n');
    const lines = shown.split('\n');
    const marked = (mark: string) =>
      lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
    if (diff === undefined) t.is(out, shown);
    else {
      t.deepEqual(
        marked('< '),
        before.filter((line) => !after.includes(line)),
      );
      t.deepEqual(
        marked('> '),
        after.filter((line) => !before.includes(line)),
      );
    }
  }
});
