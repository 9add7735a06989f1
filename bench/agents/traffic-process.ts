/**
 * Telephones or media gateways: many UDP sockets that send RTP of 172 octets at an even pace and count what
 * they receive, by system calls that cost this process little.
 */
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { endpointIn, MessageVector, socketName } from '../../io/kernel/message-vector.ts';
import { formatEndpoint, parseAddress, parseEndpoint } from '../../wire/address.ts';
import { Pace } from '../pace.ts';
import { answer } from './child.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;

const RTP_LEN = 172;
const TICK_MS = 1;
/** Each socket is looked at once in so many milliseconds. */
const ROUND_MS = 20;
const BATCH = 64;
const BUFFER = 4 << 20;

const loaded = libc();
if (isIoFault(loaded)) throw new Error(loaded.text);
const calls = loaded;

const out = new MessageVector(calls, BATCH);
const into = new MessageVector(calls, BATCH);
const rtp = new Uint8Array(RTP_LEN);
rtp[0] = 0x80;

interface Target {
  readonly address: Uint8Array;
  readonly port: number;
}

interface Sockets {
  readonly address: string;
  readonly sockets: number;
  readonly port?: number;
}

const fds: number[] = [];
let targets: readonly Target[] = [];
let sent = 0;
let received = 0;
const pace = new Pace();
let nextToSend = 0;
let nextToRead = 0;

const answers = {
  /** Opens sockets, from `port` on where that is given; gives their addresses. */
  open({ address, sockets, port }: Sockets): string[] {
    const octets = parseAddress(address) ?? new Uint8Array(4);
    const portOf = (i: number) => (port === undefined ? 0 : port + i);
    const opened = Array.from({ length: sockets }, (_, i) => openSocket(octets, portOf(i)));
    setInterval(tick, TICK_MS);
    return opened;
  },
  /** Where each of them sends to. */
  aim({ at }: { at: readonly string[] }): void {
    targets = at.map((text) => {
      const endpoint = parseEndpoint(text);
      if (endpoint === undefined) throw new RangeError(text);
      return endpoint;
    });
  },
  /** Packets a second, of all sockets together. */
  send({ perSecond }: { perSecond: number }): void {
    pace.start(perSecond, performance.now());
  },
  counts: (_: object) => ({ sent, received }),
} as const;
export type Traffic = typeof answers;
answer(answers);

function openSocket(address: Uint8Array, port: number): string {
  const fd = must(calls.socket(AF_INET, SOCK_DGRAM, 0));
  const forced = calls.setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
  if (typeof forced !== 'number') calls.setOption(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
  const name = socketName({ family: 4, address, port });
  must(calls.bind(fd, name));
  must(calls.localName(fd, name));
  fds.push(fd);
  return formatEndpoint(endpointIn(name, 4));
}

function tick(): void {
  send(pace.take(performance.now()));
  const looks = Math.ceil((fds.length * TICK_MS) / ROUND_MS);
  for (let i = 0; i < looks; i++) {
    readAll(fds[nextToRead] ?? 0);
    nextToRead = (nextToRead + 1) % fds.length;
  }
}

/** One after the other; of one socket as many as there are more due than sockets. */
function send(due: number): void {
  for (let left = due; left > 0; ) {
    const n = Math.min(BATCH, left, Math.ceil(left / fds.length));
    const target = targets[nextToSend];
    if (target === undefined) return;
    for (let i = 0; i < n; i++) {
      out.put(i, 4, rtp, 0, RTP_LEN, target.address, 0, target.port);
    }
    const done = calls.sendMany(fds[nextToSend] ?? 0, out.headers, n, MSG_DONTWAIT);
    if (typeof done === 'number') sent += done;
    left -= n;
    nextToSend = (nextToSend + 1) % fds.length;
  }
}

function readAll(fd: number): void {
  for (let n = BATCH; n === BATCH; ) {
    n = must(calls.receiveMany(fd, into.headers, BATCH, MSG_DONTWAIT));
    into.makeReady(n);
    received += n;
  }
}

function must(value: number | IoFault): number {
  if (typeof value !== 'number') throw new Error(value.text);
  return value;
}
