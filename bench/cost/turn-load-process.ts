/**
 * Telephones with TURN as a load: one connection and one allocation with a channel for each telephone, packets at
 * an even pace, all that are due in one write. A connection for each would cost the server more.
 */
import type { Socket } from 'node:net';
import { formatEndpoint, parseEndpoint } from '../../wire/address.ts';
import type { Credentials } from '../../wire/stun/keys.ts';
import { answer } from '../agents/child.ts';
import { Pace } from '../pace.ts';
import { FIRST_CHANNEL, TurnConnection, type TurnServerAt } from '../turn/turn-connection.ts';

const RTP_LEN = 172;
const HEADER_LEN = 4;
const FRAME_LEN = HEADER_LEN + RTP_LEN;
const TICK_MS = 1;
/** What waits longer in this process is not offered to the server. */
const MAX_WAITING = 1 << 20;

let socket: Socket | undefined;
let channels = 0;
let next = 0;
let sent = 0;
let received = 0;
const pace = new Pace();
let unread: Buffer = Buffer.alloc(0);

const answers = {
  /** Gives the relayed address, at which all peers reach the telephones. */
  async open(plan: {
    server: TurnServerAt;
    credentials: Credentials;
    peers: readonly string[];
  }): Promise<string> {
    const turn = await TurnConnection.open(plan.server, plan.credentials);
    const relayed = await turn.allocate();
    for (const text of plan.peers) {
      const peer = parseEndpoint(text);
      if (peer === undefined) throw new RangeError(text);
      await turn.bindChannel(FIRST_CHANNEL + channels++, peer);
    }
    socket = turn.socket;
    socket.on('data', count);
    socket.resume();
    setInterval(tick, TICK_MS);
    return formatEndpoint(relayed);
  },
  /** Packets a second, of all channels together. */
  send({ perSecond }: { perSecond: number }): void {
    pace.start(perSecond, performance.now());
  },
  counts: (_: object) => ({ sent, received }),
} as const;
export type TurnLoad = typeof answers;
answer(answers);

function tick(): void {
  if (socket === undefined || socket.writableLength > MAX_WAITING) return;
  const n = pace.take(performance.now());
  if (n === 0) return;
  const frames = Buffer.alloc(n * FRAME_LEN);
  for (let i = 0; i < n; i++) {
    const at = i * FRAME_LEN;
    frames.writeUInt16BE(FIRST_CHANNEL + next, at);
    frames.writeUInt16BE(RTP_LEN, at + 2);
    frames[at + HEADER_LEN] = 0x80;
    next = (next + 1) % channels;
  }
  socket.write(frames);
  sent += n;
}

function count(chunk: Buffer): void {
  const octets = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
  let at = 0;
  while (octets.length - at >= HEADER_LEN) {
    const end = at + HEADER_LEN + ((octets.readUInt16BE(at + 2) + 3) & ~3);
    if (end > octets.length) break;
    received++;
    at = end;
  }
  unread = octets.subarray(at);
}
