/**
 * The process of a worker. It does what it is told by the process that listens, and ends with it: signals
 * that a terminal or systemd sends to all processes of the service are for that one.
 */
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { isIoFault } from '../../io/io-fault.ts';
import type { FromWorker, Start, ToWorker } from './messages.ts';
import { type Channel, Worker } from './worker.ts';

const PARENT = process.ppid;

let worker: Worker | undefined;
let folder: string | undefined;

const channel: Channel = {
  send(message: FromWorker, socket?: Socket, done: () => void = () => {}) {
    if (process.connected) process.send?.(message, socket, {}, done);
    else done();
  },
  failed: () => void end(1),
};

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.on('disconnect', () => void end(1));
process.on('message', (message: ToWorker, socket: unknown) => {
  void obey(message, socket as Socket | undefined);
});

async function obey(message: ToWorker, socket: Socket | undefined): Promise<void> {
  switch (message.type) {
    case 'start':
      await start(message);
      break;
    case 'connection':
      // Whoever was there may be gone already.
      if (worker === undefined) socket?.destroy();
      else if (socket !== undefined) worker.enter(message, socket);
      break;
    case 'listening':
      worker?.reachableAt(message.at);
      break;
    case 'ways':
      worker?.setWays(message.calls);
      break;
    case 'public-address':
      worker?.setForeign(message);
      break;
    case 'stop':
      await worker?.answer(message);
      worker = undefined;
      process.disconnect();
      break;
    default:
      await worker?.answer(message);
  }
}

async function start(message: Start): Promise<void> {
  folder = message.folder;
  const started = await Worker.start(message, channel);
  const fault = isIoFault(started) ? started : undefined;
  if (!isIoFault(started)) worker = started;
  channel.send({ type: 'started', fault });
}

/** Takes everything of its own out of the system. */
async function end(status: number): Promise<void> {
  const running = worker;
  worker = undefined;
  await running?.stop();
  // Killed, the process that listens could not do it; nobody starts a worker any more.
  const isOrphan = process.ppid !== PARENT;
  if (isOrphan && folder !== undefined) await rm(folder, { recursive: true, force: true });
  process.exit(status);
}
