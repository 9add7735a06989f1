/** Sockets from systemd: python opens them, as systemd would, and becomes TEP-S. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { passedSockets } from '../../io/systemd-sockets.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { scratch } from '../config/scratch.ts';
import { ipv6Missing, openCall, openClient, openTalker } from '../daemon/pair.ts';
import { peerTest } from '../peers.ts';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), 'passed-main.js');

/** The second socket takes UDP of both families, as ListenDatagram= with BindIPv6Only=both does. */
const PASSING = `
import os, socket, sys
tcp = socket.socket(); tcp.bind(('127.0.0.1', 0)); tcp.listen()
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0); udp.bind(('::', 0))
print(udp.getsockname()[1], flush=True)
os.dup2(tcp.detach(), 10); os.dup2(udp.detach(), 11)
os.dup2(10, 3); os.dup2(11, 4)
os.environ['LISTEN_PID'] = str(os.getpid()); os.environ['LISTEN_FDS'] = '2'
os.execv(sys.argv[1], sys.argv[1:])
`;

for (const workers of ipv6Missing === undefined ? ['1', '2'] : []) {
  peerTest('python3', `TEP-S on sockets of systemd, TCP and UDP, ${workers} workers`, async (t) => {
    const users = scratch(t).file('users', 'alice:a password for tests only\n');
    // Away from the ports that this machine gives to the gateway of the test.
    const ports = ['--ports', '61000-61999'];
    const flags = ['--listen', 'systemd', '--workers', workers, '--users', users, ...ports];
    const media = ['--addresses-public', '127.0.0.1', '--media-allow', '127.0.0.1'];
    const command = [process.execPath, MAIN, ...flags, ...media];
    const child = spawn('python3', ['-c', PASSING, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const udpPort = Number((await lines.next()).value);
    const at = parseEndpoint(String((await lines.next()).value));
    if (at === undefined) throw new Error('it listens nowhere');
    const tep = openClient({ host: '127.0.0.1', port: at.port }, {});
    const { phone, gateway, standIn, close } = await openCall(tep);
    phone.say('through a socket of systemd', standIn);
    await gateway.hear('through a socket of systemd');
    const talker = await openTalker('127.0.0.1');
    const request = Buffer.from('000100002112a442070707070707070707070707', 'hex');
    talker.socket.send(request, 0, request.length, at.address, 0, udpPort);
    const { payload, from } = await talker.heard.first('heard');
    t.is(Buffer.from(payload).readUInt16BE(0), 0x0101);
    t.is(from.port, udpPort);
    await talker.socket.close();
    await close();
    await tep.client.stop();
    child.stdin.end();
    t.is((await ended)[0], 0);
  });
}

if (ipv6Missing !== undefined) {
  test.skip(`TEP-S on sockets of systemd (${ipv6Missing})`, () => {});
}

test('sockets that are for another process, or none, are not touched', (t) => {
  const pid = 4711;
  t.deepEqual(passedSockets({}, pid), []);
  t.deepEqual(passedSockets({ LISTEN_PID: '4712', LISTEN_FDS: '1' }, pid), []);
  t.deepEqual(passedSockets({ LISTEN_PID: '4711' }, pid), []);
  t.deepEqual(passedSockets({ LISTEN_PID: '4711', LISTEN_FDS: '0' }, pid), []);
  t.deepEqual(passedSockets({ LISTEN_PID: '4711', LISTEN_FDS: 'x' }, pid), []);
});
