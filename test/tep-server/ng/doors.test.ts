/** What the doors do with peers that are no proxies, and with a gateway that is not there. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { settingsOf, startService, until } from '../service.ts';
import { ADVERTISE, sdpOf } from './descriptions.ts';
import { Gateway } from './gateway.ts';
import { command, openProxy } from './proxies.ts';

async function scene(t: ExecutionContext, transport: 'tcp' | 'http', gatewayPort: number) {
  const service = await startService(
    t,
    settingsOf(
      t,
      ...['--ng-listen', `${transport}://127.0.0.1:0`, '--ng-advertise', ADVERTISE],
      ...['--ng-rtpengine', `${transport}://127.0.0.1:${gatewayPort}`],
    ),
  );
  const status = () => service.status().ng;
  return { port: Number(status()?.listening[0]?.split(':').at(-1)), status };
}

/**
 * A port on which nobody listens, nor will: it belongs to the calling end of a connection, so the system gives it to no
 * other test meanwhile.
 */
async function deadPort(t: ExecutionContext): Promise<number> {
  const server = createTcpServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const caller = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(caller, 'connect');
  t.teardown(() => {
    caller.destroy();
    server.close();
  });
  return caller.localPort ?? 0;
}

/**
 * A gateway that takes TCP connections and says nothing, until it is told to. The service asks it things on
 * connections of its own, whenever it likes: which one belongs to a proxy, a cookie tells.
 */
async function quietGateway(t: ExecutionContext) {
  const heard = new Map<Socket, string>();
  const server = createTcpServer((socket) => {
    heard.set(socket, '');
    socket.on('error', () => {});
    socket.on('data', (chunk) => heard.set(socket, `${heard.get(socket)}${chunk}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of heard.keys()) socket.destroy();
    server.close();
  });
  const hearing = async (cookie: string) => {
    const find = () => [...heard].find(([, text]) => text.startsWith(`${cookie} `))?.[0];
    await until(() => find() !== undefined);
    return find() as Socket;
  };
  return { port: (server.address() as AddressInfo).port, hearing };
}

test('TCP: a stream that is none is closed at both ends, and counted', async (t) => {
  const { port: gatewayPort, hearing } = await quietGateway(t);
  const { port, status } = await scene(t, 'tcp', gatewayPort);
  const socket = connect(port, '127.0.0.1');
  socket.write(command('odd', { command: 'ping' }));
  const far = await hearing('odd');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await Promise.all([once(socket, 'close'), once(far, 'close')]);
  await until(() => status()?.peers === 0);
  t.is(status()?.faults['bencode-type'], 1);
});

test('TCP: nobody at the gateway, and the proxy sees its connection closed', async (t) => {
  const { port, status } = await scene(t, 'tcp', await deadPort(t));
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'close');
  t.is(status()?.faults['no-connection'], 1);
  await until(() => status()?.peers === 0);
});

test('TCP: either end ends the other', async (t) => {
  const { port: gatewayPort, hearing } = await quietGateway(t);
  const { port, status } = await scene(t, 'tcp', gatewayPort);
  const first = connect(port, '127.0.0.1');
  first.write(command('first', { command: 'ping' }));
  const far = await hearing('first');
  first.destroy();
  await once(far, 'close');
  const second = connect(port, '127.0.0.1');
  second.on('error', () => {});
  second.write(command('second', { command: 'ping' }));
  (await hearing('second')).destroy();
  await once(second, 'close');
  await until(() => status()?.peers === 0);
  t.pass();
});

test('HTTP: nothing but POST /ng goes on', async (t) => {
  const asked: string[] = [];
  const gateway: Server = createServer((from, to) => {
    asked.push(`${from.method} ${from.url}`);
    to.end('1 d6:result4:ponge');
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  t.teardown(() => gateway.close().closeAllConnections());
  const { port, status } = await scene(t, 'http', (gateway.address() as AddressInfo).port);
  const at = `http://127.0.0.1:${port}`;
  for (const path of ['/', '/cli', '/metrics', '/ng']) t.is((await fetch(at + path)).status, 404);
  t.is((await fetch(`${at}/cli`, { method: 'POST', body: 'list totals' })).status, 404);
  t.is(status()?.faults['http-of-others'], 5);
  const good = await fetch(`${at}/ng`, { method: 'POST', body: '1 d7:command4:pinge' });
  t.is(await good.text(), '1 d6:result4:ponge');
  const long = await fetch(`${at}/ng`, { method: 'POST', body: 'x'.repeat(300_000) });
  t.is(long.status, 413);
  t.is(status()?.faults['too-long'], 1);
  t.deepEqual(new Set(asked), new Set(['POST /ng']));
});

test('HTTP and WebSocket: nobody at the gateway is 502, and a closed WebSocket', async (t) => {
  const { port, status } = await scene(t, 'http', await deadPort(t));
  const answer = await fetch(`http://127.0.0.1:${port}/ng`, { method: 'POST', body: '1 de' });
  t.is(answer.status, 502);
  const proxy = new WebSocket(`ws://127.0.0.1:${port}/`, 'ng.rtpengine.com');
  await once(proxy, 'close');
  t.is(status()?.faults['no-connection'], 2);
});

test('HTTP: a status that no answer has is 502, and harms nobody', async (t) => {
  let line = '';
  const gateway = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`));
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  t.teardown(() => gateway.close());
  const { port, status } = await scene(t, 'http', (gateway.address() as AddressInfo).port);
  for (line of ['000 Odd', '099 Odd', '101 Odd']) {
    const answer = await fetch(`http://127.0.0.1:${port}/ng`, { method: 'POST', body: '1 de' });
    t.is(answer.status, 502, line);
  }
  t.is(status()?.faults['no-connection'], 3);
});

test('WebSocket: another subprotocol, or none, is refused', async (t) => {
  const { port, status } = await scene(t, 'http', await deadPort(t));
  for (const protocols of [[], ['janus-protocol']]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocols);
    const [error] = await once(socket, 'error');
    t.regex(error.message, /400/);
  }
  t.is(status()?.faults['web-socket-of-others'], 2);
});

/** The head of a request for a WebSocket; `path` is what no client would let its user write. */
function upgrade(path: string, protocol: string): string {
  const key = Buffer.alloc(16).toString('base64');
  return [
    ...[`GET ${path} HTTP/1.1`, 'Host: tep.example', 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`],
    ...[`Sec-WebSocket-Protocol: ${protocol}`, '', ''],
  ].join('\r\n');
}

test('WebSocket: a path that is none of the gateway is refused, and harms nobody', async (t) => {
  const { port, status } = await scene(t, 'http', await deadPort(t));
  for (const path of ['http://tep.example/', '/#fragment', '*']) {
    const socket = connect(port, '127.0.0.1');
    socket.write(upgrade(path, 'ng.rtpengine.com'));
    const [answer] = await once(socket, 'data');
    t.regex(String(answer), /^HTTP\/1.1 400 /, path);
  }
  t.is(status()?.faults['web-socket-of-others'], 3);
});

test('WebSocket: who is refused and resets the connection harms nobody', async (t) => {
  const { port, status } = await scene(t, 'http', await deadPort(t));
  for (let i = 0; i < 20; i++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(upgrade('/', 'janus-protocol'), () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  await until(() => status()?.faults['web-socket-of-others'] === 20 && status()?.peers === 0);
  t.pass();
});

test('UDP: proxies beyond the most make room for each other, and go on', async (t) => {
  const gateway = await Gateway.open(t);
  const service = await startService(
    t,
    settingsOf(
      t,
      ...['--ng-listen', 'udp://127.0.0.1:0', '--ng-advertise', ADVERTISE],
      ...['--ng-rtpengine', `udp://127.0.0.1:${gateway.port}`],
    ),
  );
  const port = Number(service.status().ng?.listening[0]?.split(':').at(-1));
  for (let i = 0; i < 520; i++) {
    const proxy = await openProxy('udp', port);
    t.teardown(() => proxy.close());
    await proxy.ask({ command: 'ping' });
  }
  t.is(service.status().ng?.peers, 512);
  t.is(service.status().ng?.faults['peer-crowded-out'], 8);
  const last = await openProxy('udp', port);
  gateway.answers.offer = { result: 'ok', sdp: sdpOf({ address: '192.0.2.1', port: 4_000 }) };
  last.send(command('1', { command: 'offer', 'call-id': 'c', sdp: 'v=0' }));
  t.true(Buffer.from(await last.next()).includes('result'));
  last.close();
});
