/**
 * An application beside the packet port of `rings.bench.ts`, in a process of its own:
 *
 *     rings-app.js flood ADDRESS PORT RATE SECONDS    packets of 172 octets, RATE a second
 *     rings-app.js sink PORT                          reads what comes
 *     rings-app.js ask ADDRESS PORT COUNT             50 packets a second that are answered: round trips
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const PAYLOAD = Buffer.alloc(172, 0x5a);
const BETWEEN_MS = 20;

const [mode, ...words] = process.argv.slice(2);
const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });

if (mode === 'sink') {
  socket.on('message', () => {});
  socket.bind(Number(words[0]), () => process.send?.('ready'));
} else {
  const [address = '', port, first, second] = words;
  socket.connect(Number(port), address);
  await once(socket, 'connect');
  if (mode === 'flood') await flood(Number(first), Number(second));
  else process.send?.(await roundTrips(Number(first)));
  socket.close();
  process.disconnect?.();
}

async function flood(rate: number, seconds: number): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < rate * seconds; ) {
    const due = Math.min(rate * seconds, ((performance.now() - start) * rate) / 1_000);
    for (; sent < due; sent++) socket.send(PAYLOAD);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** In milliseconds, in order of size. */
async function roundTrips(count: number): Promise<number[]> {
  const trips: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    socket.send(PAYLOAD);
    await once(socket, 'message');
    trips.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  return trips.sort((a, b) => a - b);
}
