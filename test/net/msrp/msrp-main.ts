/**
 * One end of an MSRP session (RFC 4975) that sends messages in chunks and answers those that come:
 *
 *     node msrp-main.js listen ADDRESS PORT             `ready`, then for each caller `from ADDRESS PORT`
 *     node msrp-main.js call ADDRESS PORT MESSAGES      a line of JSON when all is confirmed and has come back
 *
 * Who listens sends each message back when it is whole.
 */
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { type Chunk, ChunkReader, chunkOf, okTo } from './chunks.ts';

/** The most that one chunk may hold without being interruptible (RFC 4975 7.1.1). */
const CHUNK_LEN = 2_048;
/** As long as a small picture. */
const MESSAGE_LEN = 50_000;

const [role = '', address = '', port = '', messages = '0'] = process.argv.slice(2);
if (role === 'listen') listen();
else call(Number(messages));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function listen(): void {
  createServer((socket) => {
    say(`from ${socket.remoteAddress} ${socket.remotePort}`);
    hold(socket, {
      whole: (id, body) => send(socket, `back${id}`, body),
      confirmed: () => {},
    });
  }).listen(Number(port), address, () => say('ready'));
}

function call(count: number): void {
  const socket = connect(Number(port), address);
  const sent = new Map<string, string>();
  let [confirmed, back, chunks] = [0, 0, 0];
  const look = () => {
    if (confirmed < chunks || back < count) return;
    say(JSON.stringify({ confirmed, back, changed: sent.size }));
    process.exit();
  };
  hold(socket, {
    whole: (id, body) => {
      back += 1;
      const name = id.replace(/^back/, '');
      if (sent.get(name) === hashOf(body)) sent.delete(name);
      look();
    },
    confirmed: () => {
      confirmed += 1;
      look();
    },
  });
  socket.once('connect', () => {
    for (let i = 0; i < count; i++) {
      const body = randomBytes(MESSAGE_LEN).toString('base64');
      sent.set(`m${i}`, hashOf(body));
      chunks += send(socket, `m${i}`, body);
    }
  });
}

interface Listener {
  whole(id: string, body: string): void;
  confirmed(): void;
}

function hold(socket: Socket, { whole, confirmed }: Listener): void {
  const bodies = new Map<string, string>();
  const reader = new ChunkReader((chunk: Chunk) => {
    if (chunk.method !== 'SEND') {
      confirmed();
      return;
    }
    socket.write(okTo(chunk));
    const body = (bodies.get(chunk.message) ?? '') + chunk.body;
    bodies.set(chunk.message, body);
    if (chunk.isLast) whole(chunk.message, body);
  });
  socket.setEncoding('latin1').on('data', (text: string) => reader.read(text));
  socket.on('error', (error) => say(`error ${error.message}`));
}

/** In how many chunks. */
function send(socket: Socket, message: string, body: string): number {
  let chunks = 0;
  for (let at = 0; at < body.length; at += CHUNK_LEN, chunks++) {
    const part = body.slice(at, at + CHUNK_LEN);
    socket.write(chunkOf({ message, body: part, at, total: body.length }));
  }
  return chunks;
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
