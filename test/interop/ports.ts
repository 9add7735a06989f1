/** Ports for programs that cannot be told to take any. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const FIRST_PORT = 10_000;
const END_PORT = 32_000;

/**
 * Ports below those that systems give out by themselves: nobody who asks for any port can get one of
 * them between here and the start of the program. All are held open together, so that they differ.
 */
export async function freePorts(count: number, address: string): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const server = createServer();
    const port = randomInt(FIRST_PORT, END_PORT);
    if (!(await canListen(server, port, address))) continue;
    servers.push(server);
    ports.push(port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function canListen(server: Server, port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => resolve(true));
  });
}
