/**
 * Telephones with TURN: opens a connection, an allocation and a channel for each, prints where the relay has put
 * it, and hands the connections to the media process (media/media.c), which speaks ChannelData on them itself.
 * With TLS this process stays in between and does the encryption.
 *
 *     node turn-process.js PLAN     a TurnPlan as JSON
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { formatEndpoint, parseEndpoint } from '../../wire/address.ts';
import type { Credentials } from '../../wire/stun/keys.ts';
import type { At } from '../media/endpoints.ts';
import { FIRST_CHANNEL, TurnConnection, type TurnServerAt } from './turn-connection.ts';

export interface TurnPlan {
  readonly server: TurnServerAt;
  readonly credentials: Credentials;
  /** One for each telephone. */
  readonly peers: readonly At[];
  /** For sockets. */
  readonly folder: string;
  readonly media: { readonly program: string; readonly args: readonly string[] };
}

const plan = JSON.parse(process.argv[2] ?? '') as TurnPlan;
const sockets: Socket[] = [];
for (const { address, port } of plan.peers) {
  const peer = parseEndpoint(`${address}:${port}`);
  if (peer === undefined) throw new RangeError(address);
  const turn = await TurnConnection.open(plan.server, plan.credentials);
  const relayed = await turn.allocate();
  await turn.bindChannel(FIRST_CHANNEL, peer);
  console.log(`relayed ${formatEndpoint(relayed)}`);
  sockets.push(turn.socket);
}
const inherited = plan.server.isTls ? await throughSockets(sockets) : sockets;
const media = spawn(plan.media.program, [...plan.media.args], {
  stdio: ['inherit', 'inherit', 'inherit', ...inherited],
});
media.on('exit', (code) => process.exit(code ?? 1));
console.log('ready');

/** A local socket in front of each connection. */
async function throughSockets(connections: readonly Socket[]): Promise<Socket[]> {
  const path = join(plan.folder, 'turn.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const near: Socket[] = [];
  for (const connection of connections) {
    const accepted = once(server, 'connection');
    near.push(connect(path));
    const [far] = (await accepted) as [Socket];
    far.pipe(connection).pipe(far);
    // Ends with the run: whoever breaks first takes everything along.
    for (const one of [far, connection]) one.on('error', () => process.exit(1));
  }
  return near;
}
