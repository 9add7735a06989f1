/**
 * One worker of several: a whole TEP-S without listeners. Connections come from the process that
 * listens, or from other workers when they turn out to be of a user whose tunnels are here.
 */
import { rm } from 'node:fs/promises';
import { createServer, type Server, Socket } from 'node:net';
import { type IoFault, ioFault, isIoFault } from '../../io/io-fault.ts';
import type { Fields, Level, Log } from '../../ops/log.ts';
import { ServerCore } from '../core.ts';
import { sharedRules } from '../own-addresses.ts';
import type { Guest } from '../visit.ts';
import {
  type Answer,
  type CallWays,
  type Connection,
  type FromWorker,
  type PublicAddress,
  type Question,
  received,
  type Start,
} from './messages.ts';
import { keepShort } from './narrow-pipe.ts';
import { passOn, readOut, takeOverPath } from './passing.ts';
import { shareOf } from './shares.ts';

/** How a worker speaks to the process that listens. */
export interface Channel {
  /** `done` is called when the socket has gone, or could not. */
  send(message: FromWorker, socket?: Socket, done?: () => void): void;
  /** The packet port is gone: a new process is needed. */
  failed(): void;
}

export class Worker {
  readonly #start: Start;
  readonly #channel: Channel;
  readonly #core: ServerCore;
  readonly #takeOvers: Server;

  private constructor(start: Start, channel: Channel, core: ServerCore, takeOvers: Server) {
    this.#start = start;
    this.#channel = channel;
    this.#core = core;
    this.#takeOvers = takeOvers;
  }

  static async start(start: Start, channel: Channel): Promise<Worker | IoFault> {
    const { index, count, secrets, folder } = start;
    const whole = received(start);
    const settings = shareOf(whole, index, count);
    if ('type' in settings) return settings;
    const log = logOf(channel);
    const core = await ServerCore.make({
      ...{ settings, secrets, log },
      failed: (fault) => {
        log.error('the packet port is gone', { worker: index, why: fault.text });
        channel.failed();
      },
      listen: [],
      own: sharedRules(whole),
      publicAddress: (address, protocol, isBound) => {
        channel.send({ type: 'public-address', address, protocol, isBound });
      },
      placement: {
        ...{ index, count },
        handOver: (guest, to, octets) => handOver(guest, to, octets, folder, channel),
      },
    });
    if (isIoFault(core)) return core;
    const path = takeOverPath(folder, index);
    // A predecessor that was killed left it behind.
    await rm(path, { force: true });
    const takeOvers = await listenAt(path, (socket) => {
      keepShort(socket);
      core.takeOver(socket, undefined);
    });
    if (!isIoFault(takeOvers)) return new Worker(start, channel, core, takeOvers);
    await core.stop();
    return takeOvers;
  }

  enter({ peer, received }: Connection, socket: Socket): void {
    // What Node makes of a received handle is not half open.
    socket.allowHalfOpen = true;
    if (received === undefined) {
      this.#core.enter(socket, peer);
      return;
    }
    socket.unshift(received);
    this.#core.takeOver(socket, peer);
  }

  reachableAt(at: Parameters<ServerCore['reachableAt']>[0]): void {
    this.#core.reachableAt(at);
  }

  setWays(calls: readonly CallWays[]): void {
    const refused = calls.filter(([callId, ways]) => this.#core.setWays(callId, ways) > 0);
    if (refused.length === 0) return;
    this.#channel.send({ type: 'ways-refused', callIds: refused.map(([callId]) => callId) });
  }

  setForeign({ address, protocol, isBound }: PublicAddress): void {
    this.#core.setForeign(address, protocol, isBound);
  }

  async answer(question: Question): Promise<void> {
    const answer = await this.#answerTo(question);
    this.#channel.send({ type: 'answer', id: question.id, answer });
  }

  async stop(): Promise<void> {
    this.#takeOvers.close();
    await this.#core.stop();
  }

  async #answerTo(question: Question): Promise<Answer> {
    const { index, count } = this.#start;
    switch (question.type) {
      case 'status':
        return this.#core.status();
      case 'reload': {
        const settings = shareOf(received(question), index, count);
        return 'type' in settings ? settings : this.#core.reload(settings);
      }
      case 'drain':
        await this.#core.drain();
        return undefined;
      case 'stop':
        await this.stop();
        return undefined;
    }
  }
}

function handOver(
  { stream, peer, isTls }: Guest,
  to: number,
  octets: Uint8Array,
  folder: string,
  channel: Channel,
): void {
  if (isTls || !(stream instanceof Socket)) {
    passOn(stream, octets, peer, takeOverPath(folder, to));
    return;
  }
  const received = readOut(stream, octets);
  channel.send({ type: 'hand-over', to, peer, received }, stream, () => stream.destroy());
}

function listenAt(path: string, accept: (socket: Socket) => void): Promise<Server | IoFault> {
  const server = createServer({ allowHalfOpen: true }, accept);
  return new Promise((resolve) => {
    server.on('error', (error) => resolve(ioFault(error)));
    server.listen(path, () => resolve(server));
  });
}

function logOf(channel: Channel): Log {
  const at = (level: Level) => (text: string, fields?: Fields) => {
    channel.send({ type: 'log', level, text, fields });
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
