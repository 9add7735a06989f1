import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { type LinkedEnd, StreamLink } from '../../io/stream-link.ts';
import { listenTcp, type TcpListener } from '../../io/tcp.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { dialled, plain } from './dial/dialled.ts';

/** A promise of the first connection, and the function that keeps it. */
function firstAccepted(): [Promise<Accepted>, (accepted: Accepted) => void] {
  let keep: (accepted: Accepted) => void = () => {};
  const promise = new Promise<Accepted>((resolve) => {
    keep = resolve;
  });
  return [promise, keep];
}

interface Accepted {
  readonly socket: Socket;
  readonly peer: Endpoint;
}

async function listening(host: string, accept: (accepted: Accepted) => void): Promise<TcpListener> {
  const listener = await listenTcp({ host, port: 0 }, (socket, peer) => accept({ socket, peer }));
  if (isIoFault(listener)) throw new Error(listener.text);
  return listener;
}

test('both sides get a socket; the listener knows who came', async (t) => {
  const [accepted, accept] = firstAccepted();
  const listener = await listening('127.0.0.1', accept);
  const client = await dialled<Socket>(t, plain(listener.local.port));
  const { socket, peer } = await accepted;
  t.is(formatEndpoint(peer), `127.0.0.1:${client.localPort}`);
  client.write('ping');
  t.is(String((await once(socket, 'data'))[0]), 'ping');
  client.destroy();
  socket.destroy();
  await listener.close();
});

test('a listener for both families tells IPv4 peers as IPv4', async (t) => {
  const [accepted, accept] = firstAccepted();
  const listener = await listenTcp({ host: '::', port: 0 }, (socket, peer) =>
    accept({ socket, peer }),
  );
  if (isIoFault(listener)) {
    t.log(`no IPv6 here: ${listener.text}`);
    t.pass();
    return;
  }
  const client = await dialled<Socket>(t, plain(listener.local.port));
  const { socket, peer } = await accepted;
  t.is(peer.family, 4);
  client.destroy();
  socket.destroy();
  await listener.close();
});

test('a port in use: a value', async (t) => {
  const listener = await listening('127.0.0.1', () => {});
  const second = await listenTcp({ host: '127.0.0.1', port: listener.local.port }, () => {});
  t.true(isIoFault(second) && second.code === 'EADDRINUSE');
  await listener.close();
});

test.serial(
  'Nagle is off at both ends (openvpn and gost users lost 40 to 300 ms to it)',
  async (t) => {
    const [accepted, accept] = firstAccepted();
    const listener = await listening('127.0.0.1', accept);
    const probe = await dialled(t, plain(listener.local.port));
    // Node tells nobody whether the option is set: watch the call into the system instead.
    const handles = Object.getPrototypeOf(Reflect.get(probe, '_handle'));
    const original = handles.setNoDelay;
    const set: unknown[] = [];
    handles.setNoDelay = function (...args: unknown[]) {
      set.push(...args);
      return original.apply(this, args);
    };
    t.teardown(() => {
      handles.setNoDelay = original;
    });
    probe.destroy();
    (await accepted).socket.destroy();
    const [second, acceptSecond] = firstAccepted();
    const fresh = await listening('127.0.0.1', acceptSecond);
    const client = await dialled<Socket>(t, plain(fresh.local.port));
    const { socket } = await second;
    t.deepEqual(set, [true, true]);
    client.destroy();
    socket.destroy();
    await listener.close();
    await fresh.close();
  },
);

test('a peer that has ended its side still reads what waits for it', async (t) => {
  const [accepted, accept] = firstAccepted();
  const listener = await listening('127.0.0.1', accept);
  const client = connect({
    host: '127.0.0.1',
    port: listener.local.port,
    allowHalfOpen: true,
  });
  client.end('all I have to say');
  const { socket } = await accepted;
  const waiting = Buffer.alloc(300_000, 'x');
  let written = 0;
  const end: LinkedEnd = {
    input: () => {},
    // As a send queue that is filled while the other half is being written.
    pending: () => waiting.subarray(written, written + 100_000),
    wrote: (_conn, n) => {
      written += n;
    },
    disconnected: () => {},
  };
  const gone = new Promise<void>((resolve) => {
    new StreamLink(
      socket,
      1,
      end,
      () => {},
      () => resolve(),
    );
  });
  const read = Buffer.concat(await client.toArray());
  t.is(read.length, waiting.length);
  await gone;
  await listener.close();
});
