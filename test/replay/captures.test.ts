/** Every recording in captures/ goes through the tunnel and gives what stands beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { peerOutput, peerTest } from '../peers.ts';
import { newFile, replay } from './story.ts';

const FOLDER = fileURLToPath(new URL('../../../captures', import.meta.url));
const CAPTURES = readdirSync(FOLDER).filter((file) => /\.pcap(?:ng)?$/.test(file));
/** What an ICMP error cites is as the citing host had it, often before its checksum was finished. */
const WRONG_CHECKSUM = `icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || (!icmp && !icmpv6 &&
  (udp.checksum.status == 0 || tcp.checksum.status == 0 || ip.checksum.status == 0))`;
const SEEDS = [1, 77];

for (const name of CAPTURES) {
  const file = join(FOLDER, name);
  const expected = JSON.parse(readFileSync(file.replace(/\.pcap(?:ng)?$/, '.expect.json'), 'utf8'));

  for (const seed of SEEDS) {
    test(`[M-11, M-12, M-13, M-14] ${name} comes out as it should, cut with seed ${seed}`, async (t) => {
      const { status, err, out } = await replay(file, '--seed', String(seed));
      t.is(err, '');
      t.is(status, 0);
      t.deepEqual(JSON.parse(out).files[0], { file, ...expected });
    });
  }

  test(`README.md tells what ${name} shows`, (t) => {
    t.true(readFileSync(join(FOLDER, 'README.md'), 'utf8').includes(`| \`${name}\` |`));
  });

  peerTest('tshark', `${name}: tshark finds no fault in the tunnel's TCP connection`, async (t) => {
    const tunnel = newFile('tunnel.pcap');
    await replay(file, '--tunnel-out', tunnel);
    const faults = 'tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0';
    const ends = 'tcp.flags.syn == 1 || tcp.flags.fin == 1';
    const fields = ['-T', 'fields', '-e', 'tcp.flags.str'];
    const lines = await tshark(tunnel, '-Y', `${faults} || ${ends}`, ...fields);
    const flags = lines.replaceAll('·', '').trim().split('\n');
    t.deepEqual(flags, ['S', 'AS', 'AF', 'AF']);
  });

  peerTest(
    'tshark',
    `[M-12, M-17] ${name}: tshark finds the same RTP at the core, no UE`,
    async (t) => {
      const core = newFile('core.pcap');
      await replay(file, '--core-out', core);
      const [ue] = expected.ue;
      const hidden = `${ue.includes(':') ? 'ipv6.addr' : 'ip.addr'} == ${ue}`;
      const wrong = expected.snapped > 0 ? hidden : `${hidden} || ${WRONG_CHECKSUM}`;
      t.is(await tshark(core, '-Y', wrong), '');
      const streams = await rtpStreams(core);
      t.deepEqual(streams, await rtpStreams(file));
      t.true(streams.length > 0 || name === 'msrp.pcap');
    },
  );
}

async function tshark(file: string, ...args: string[]): Promise<string> {
  const sums = ['ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum'];
  const options = sums.flatMap((name) => ['-o', `${name}:TRUE`]);
  return peerOutput('tshark', ['-n', '-r', file, ...options, ...args]);
}

/** SSRC, packets and losses of each stream, whatever its addresses; not what ICMP errors cite. */
async function rtpStreams(file: string): Promise<string[]> {
  const media = ['-2', '-R', '!icmp && !icmpv6', '--enable-heuristic', 'rtp_udp'];
  const table = await tshark(file, ...media, '-q', '-z', 'rtp,streams');
  return table
    .split('\n')
    .map((line) => /(0x[0-9A-F]{8})\s+.*?\s(\d+)\s+(-?\d+) \(/.exec(line))
    .filter((found) => found !== null)
    .map(([, ssrc, packets, lost]) => `${ssrc} ${packets} ${lost}`)
    .sort();
}
