/** ffmpeg as a video sender and as a video receiver: H.264 over RTP (RFC 6184). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network } from '../../../lab/network.ts';
import { inUri, type Place } from '../../../lab/place.ts';
import type { Program } from '../../../lab/program.ts';

const RATE = 25;
const PAYLOAD_TYPE = 96;
const COMMON = ['-nostdin', '-hide_banner', '-loglevel', 'info'];
const ENDED_MS = 120_000;

/** Where pictures go, and the port of that address to which reports (RTCP) go. */
export type VideoTarget = readonly [Place, number];

/** Sends so many seconds of a test picture; resolves when all is sent. */
export async function sendVideo(
  network: Network,
  host: string,
  from: Place,
  [to, reportPort]: VideoTarget,
  seconds: number,
  logFile: string,
): Promise<void> {
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'];
  // For who joins late: key frames, with all that is needed to decode them, twice a second.
  const keys = ['-g', '12', '-x264-params', 'repeat-headers=1'];
  const own = `localrtpport=${from.port}&localrtcpport=${from.port + 1}`;
  const ports = `${own}&rtcpport=${reportPort}&pkt_size=1200`;
  const program = await network.start(host, {
    name: `ffmpeg sending on ${host}`,
    command: 'ffmpeg',
    args: [
      ...COMMON,
      ...['-re', '-f', 'lavfi', '-i', `testsrc=size=320x240:rate=${RATE}`, '-t', String(seconds)],
      ...[...coding, ...keys],
      ...['-payload_type', String(PAYLOAD_TYPE), '-f', 'rtp', `rtp://${inUri(to)}?${ports}`],
    ],
    logFile,
  });
  const timer = setTimeout(() => program.signal('SIGKILL'), ENDED_MS);
  const { code } = await program.exited;
  clearTimeout(timer);
  if (code !== 0)
    throw new Error(`${program.name} ended with ${code}: ${program.output.slice(-500)}`);
}

/** Receives video at a place. */
export async function receiveVideo(
  network: Network,
  host: string,
  at: Place,
  folder: string,
): Promise<VideoReceiver> {
  const sdp = join(folder, `${host}-${at.port}.sdp`);
  await writeFile(sdp, description(at));
  const program = await network.start(host, {
    name: `ffmpeg receiving on ${host}`,
    command: 'ffmpeg',
    args: [...COMMON, ...['-protocol_whitelist', 'file,udp,rtp', '-i', sdp, '-f', 'framecrc', '-']],
    logFile: join(folder, `${host}-${at.port}.log`),
    ready: { port: at.port, protocol: 'udp' },
  });
  return new VideoReceiver(program);
}

export class VideoReceiver {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  get name(): string {
    return this.#program.name;
  }

  /** Whole pictures, decoded. */
  get pictures(): number {
    return this.#program.output.match(/^0, .*$/gm)?.length ?? 0;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
  }
}

function description({ address, port }: Place): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${address}`,
    's=video',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=video ${port} RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/90000`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1`,
    '',
  ].join('\r\n');
}
