/**
 * One port of a name at a time: whoever holds its abstract UNIX socket is alive. The system takes it back
 * when the process ends, however it ends, and keeps one for each network namespace, as interfaces are.
 */
import { createServer } from 'node:net';
import type { IoFault } from '../io-fault.ts';

export interface Lock {
  release(): Promise<void>;
}

export function lock(name: string): Promise<Lock | IoFault> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.on('error', () => {
      const text = `another tep that runs here has ${name}: stop it, or set packets.interface to another name`;
      resolve({ type: 'io-fault', code: 'EBUSY', text });
    });
    // Exclusive: workers of a cluster would share it.
    server.listen({ path: `\0tep-rings-${name}`, exclusive: true }, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
