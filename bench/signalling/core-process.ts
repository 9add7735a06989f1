/** Answers every request at once, by UDP and TCP on one port: a process of its own, as every core is. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answer } from '../agents/child.ts';
import { description, field } from './messages.ts';

const answers = {
  /** Gives its port. */
  async open(address: string): Promise<number> {
    const server = createServer({ noDelay: true }, serve).listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = createSocket('udp4').bind(port, address);
    socket.on('message', (octets, from) => {
      const text = answerTo(octets.toString('latin1'), address);
      if (text !== undefined) socket.send(Buffer.from(text, 'latin1'), from.port, from.address);
    });
    await once(socket, 'listening');
    return port;
  },
} as const;
export type Core = typeof answers;
answer(answers);

function serve(stream: Socket): void {
  let text = '';
  stream.on('error', () => {});
  stream.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (let end = endOf(text); end > 0; end = endOf(text)) {
      const found = answerTo(text.slice(0, end), stream.localAddress ?? '');
      if (found !== undefined) stream.write(found, 'latin1');
      text = text.slice(end);
    }
  });
}

function answerTo(text: string, address: string): string | undefined {
  const [method = ''] = text.split(' ', 1);
  if (method === 'ACK') return undefined;
  const body = method === 'INVITE' ? description(address, 1) : '';
  const to = field(text, 'To');
  return [
    'SIP/2.0 200 OK',
    `Via: ${field(text, 'Via')}`,
    `From: ${field(text, 'From')}`,
    `To: ${to.includes(';tag=') ? to : `${to};tag=core`}`,
    `Call-ID: ${field(text, 'Call-ID')}`,
    `CSeq: ${field(text, 'CSeq')}`,
    `Contact: <sip:bob@${address}>`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** Where the first message ends; 0: it is not all there. */
function endOf(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const end = head + 4 + Number(field(text.slice(0, head + 2), 'Content-Length'));
  return end <= text.length ? end : 0;
}
