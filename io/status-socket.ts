/**
 * The UNIX socket on which an agent tells its status: whoever connects gets one line of JSON and the end.
 * It also is what keeps a second agent from starting on the same path.
 *
 * A reader may be slow or dead: it gets READER_MS, at most MAX_READERS at a time, and the answer is made
 * once for each. Owner and group of the agent may ask, nobody else.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';
import { type IoFault, ioFault, isIoFault } from './io-fault.ts';
import { lockFile } from './kernel/file-lock.ts';

/** Octets of a path in `sockaddr_un` (unix(7)). What is longer would be cut, and be another path. */
const MAX_PATH_LEN = 107;
const SOCKET_MODE = 0o660;
const FOLDER_MODE = 0o750;
const MAX_READERS = 16;
const READER_MS = 5_000;
/** An answer with the most tunnels that one lists has a tenth of it. */
const MAX_ANSWER_LEN = 16 * 1024 * 1024;

export interface StatusSocket {
  close(): Promise<void>;
}

/** Takes over what a crashed predecessor left; a running one is a fault with EADDRINUSE. */
export async function serveStatus(
  path: string,
  answer: () => object | Promise<object>,
): Promise<StatusSocket | IoFault> {
  if (Buffer.byteLength(path) > MAX_PATH_LEN) {
    const text = `status: ${path} is longer than the ${MAX_PATH_LEN} octets of a UNIX socket`;
    return { type: 'io-fault', code: 'ENAMETOOLONG', text };
  }
  const first = await listen(path, answer);
  if (!isIoFault(first) || first.code !== 'EADDRINUSE') return first;
  return takeOver(path, answer);
}

/**
 * One agent at a time: two that are started together would both find the leftover, and the slower one would
 * remove what the other one has just made.
 */
async function takeOver(
  path: string,
  answer: () => object | Promise<object>,
): Promise<StatusSocket | IoFault> {
  const held = lockFile(`${path}.lock`);
  // Where there is no such call, two at the same moment are not kept apart.
  if (isIoFault(held) && held.code !== 'ENOSYS') return inUse(path);
  try {
    if (!(await isLeftover(path))) return inUse(path);
    unlinkSync(path);
    return await listen(path, answer);
  } catch (error) {
    return ioFault(error as Error);
  } finally {
    if (!isIoFault(held)) held.release();
  }
}

function inUse(path: string): IoFault {
  const text = `another agent is running: ${path} is in use`;
  return { type: 'io-fault', code: 'EADDRINUSE', text };
}

/** The answer of the agent behind `path`, not checked in any way. */
export function askStatus(path: string, timeoutMs = READER_MS): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (code: string, text: string) => resolve({ type: 'io-fault', code, text });
    socket.setTimeout(timeoutMs, () => {
      fail('ETIMEDOUT', `no answer on ${path}`);
      socket.destroy();
    });
    socket.on('error', (error) => resolve(ioFault(error)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_ANSWER_LEN) return;
      fail('EMSGSIZE', `the answer on ${path} does not end`);
      socket.destroy();
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      } catch {
        fail('EPROTO', `what answers on ${path} is no agent`);
      }
      socket.destroy();
    });
  });
}

async function listen(
  path: string,
  answer: () => object | Promise<object>,
): Promise<StatusSocket | IoFault> {
  const readers = new Set<Socket>();
  const server = createServer((socket) => {
    readers.add(socket);
    socket.on('close', () => readers.delete(socket));
    void tell(socket, answer);
  });
  server.maxConnections = MAX_READERS;
  try {
    makeFolder(dirname(path), FOLDER_MODE);
    const fault = await opened(server, path);
    if (fault !== undefined) return fault;
    chmodSync(path, SOCKET_MODE);
  } catch (error) {
    server.close();
    return statusFault(error as Error);
  }
  return { close: () => closeAll(server, readers) };
}

function opened(server: Server, path: string): Promise<IoFault | undefined> {
  return new Promise((resolve) => {
    // Later errors concern single readers, as when no descriptor is left for one.
    server.on('error', (error) => resolve(statusFault(error)));
    server.listen(path, () => resolve(undefined));
  });
}

/** Named as the setting is: what an agent says at its end has no other place. */
function statusFault(error: Error): IoFault {
  const { code, text } = ioFault(error);
  return { type: 'io-fault', code, text: `status: ${text}` };
}

async function tell(socket: Socket, answer: () => object | Promise<object>): Promise<void> {
  // A reader that went away early is none of our concern.
  socket.on('error', () => {});
  socket.setTimeout(READER_MS, () => socket.destroy());
  socket.resume();
  const status = await answer();
  socket.end(`${JSON.stringify(status)}\n`);
}

/** Nobody listens on a socket whose process was killed; a file that is none is not ours to remove. */
function isLeftover(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('error', (error) => resolve(ioFault(error).code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

function closeAll(server: Server, readers: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of readers) socket.destroy();
  });
}
