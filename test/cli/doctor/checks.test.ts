import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import { certificateFindings } from '../../../cli/doctor/certificate.ts';
import type { Finding } from '../../../cli/doctor/finding.ts';
import {
  forwardingFindings,
  kernelFindings,
  sourceFilterFindings,
} from '../../../cli/doctor/kernel.ts';
import { listeningFindings } from '../../../cli/doctor/listening.ts';
import { MACHINE, type Machine, type Ran } from '../../../cli/doctor/machine.ts';
import { clockFindings, nodeFindings } from '../../../cli/doctor/program.ts';
import { serviceUserFindings } from '../../../cli/doctor/service-user.ts';
import { probingFindings } from '../../../cli/doctor/tcp.ts';
import { endpointOf } from '../../../io/endpoints.ts';
import { TestAuthority } from '../../certificates.ts';
import { scratch } from '../../config/scratch.ts';
import { peerTest } from '../../peers.ts';

const FINE: Ran = { code: 0, stdout: '', stderr: '' };

/** A machine with these files, on which programs end as `run` says. */
function machine(
  files: Record<string, string>,
  run: (words: string[]) => Ran = () => FINE,
): Machine {
  return {
    read: (path) => files[path],
    run: async (program, ...args) => run([program, ...args]),
  };
}

function results(findings: readonly Finding[]): string[] {
  return findings.map(({ result, text }) => `${result} ${text}`);
}

test('every problem and every warning says what to do', async (t) => {
  const bad = machine({}, () => ({ code: 1, stdout: '', stderr: 'no' }));
  const findings = [
    ...nodeFindings('v18.0.0'),
    ...clockFindings(0),
    ...(await kernelFindings(bad, 0, true)),
    ...forwardingFindings(bad, new Set([4, 6])),
    ...sourceFilterFindings(bad),
  ];
  t.true(findings.length >= 6);
  for (const { result, todo, text } of findings) {
    t.not(result, 'ok', text);
    t.truthy(todo, text);
  }
});

test('Node: new enough or not', (t) => {
  t.is(nodeFindings('v20.19.0')[0]?.result, 'ok');
  t.is(nodeFindings('v24.1.0')[0]?.result, 'ok');
  t.is(nodeFindings('v20.18.9')[0]?.result, 'problem');
});

test('a clock that stands in 1970 is a problem, today is not', (t) => {
  t.is(clockFindings(0)[0]?.result, 'problem');
  t.not(clockFindings(Date.UTC(2027, 1, 1))[0]?.result, 'problem');
});

test('forwarding and rp_filter as the system says', (t) => {
  const files = {
    '/proc/sys/net/ipv4/ip_forward': '1',
    '/proc/sys/net/ipv6/conf/all/forwarding': '0',
    '/proc/sys/net/ipv4/conf/all/rp_filter': '1',
  };
  t.deepEqual(results(forwardingFindings(machine(files), new Set([4, 6]))), [
    'ok IPv4 packets for other hosts are forwarded',
    'problem net.ipv6.conf.all.forwarding is 0: media gateways on other hosts will get nothing',
  ]);
  t.is(sourceFilterFindings(machine(files))[0]?.result, 'ok');
});

test('whether TCP gets through where long packets are swallowed', (t) => {
  const probes = (value: string) => {
    return results(probingFindings(machine({ '/proc/sys/net/ipv4/tcp_mtu_probing': value })));
  };
  t.regex(probes('0').join(), /^warning net\.ipv4\.tcp_mtu_probing is 0: /);
  t.regex(probes('1').join(), /^ok /);
  t.regex(probes('2').join(), /^ok /);
  t.deepEqual(probingFindings(machine({})), []);
});

test('kernel features are tried out apart from the host', async (t) => {
  const asked: string[][] = [];
  const part = machine({ '/proc/net/packet': 'x' }, (words) => {
    asked.push(words);
    if (words.includes('nft')) {
      return {
        code: 1,
        stdout: '',
        stderr: 'unshare: failed to execute nft: No such file or directory\n',
      };
    }
    return words.includes('veth') ? { code: 2, stdout: '', stderr: 'Not supported\n' } : FINE;
  });
  t.deepEqual(results(await kernelFindings(part, 0, true)), [
    'ok packet sockets (AF_PACKET)',
    'problem pairs of interfaces (veth): Not supported',
    'ok policy routing by protocol',
    'problem nftables: the program nft is not there',
  ]);
  t.true(asked.every(([program, apart]) => program === 'unshare' && apart === '--net'));
  const before = results(await kernelFindings(part, 1_000, false));
  t.is(before.length, 3);
});

test('a port: free, taken and by whom, our own, no address of this machine', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const taken = endpointOf('127.0.0.1', port);
  const name = readFileSync('/proc/self/comm', 'utf8').trim();
  const plan = { agent: 'server', at: [taken], udp: false, isRunning: false } as const;
  const [finding] = await listeningFindings(plan, MACHINE);
  t.is(finding?.result, 'problem');
  t.is(finding?.text, `127.0.0.1:${port} is in use by ${name} (process ${process.pid})`);
  t.is((await listeningFindings({ ...plan, isRunning: true }, MACHINE))[0]?.result, 'ok');
  const at = [endpointOf('127.0.0.1', 0), 'systemd'] as const;
  const free = await listeningFindings({ ...plan, at, udp: true }, MACHINE);
  t.deepEqual(
    free.map(({ result }) => result),
    ['ok', 'ok'],
  );
  const far = { ...plan, at: [endpointOf('192.0.2.1', 80)] };
  const [foreign] = await listeningFindings(far, MACHINE);
  t.regex(foreign?.text ?? '', /no address of this machine/);
  t.is(foreign?.todo, 'correct listen, or use [::]');
  const [phone] = await listeningFindings({ ...far, agent: 'client' }, MACHINE);
  t.is(phone?.todo, 'correct sip.listen');
});

test('a port that a softphone has by UDP alone is not free for the sidecar', async (t) => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const { port } = socket.address();
  const at = [endpointOf('127.0.0.1', port)];
  const plan = { agent: 'client', at, udp: true, isRunning: false } as const;
  const name = readFileSync('/proc/self/comm', 'utf8').trim();
  const [finding] = await listeningFindings(plan, MACHINE);
  t.is(finding?.result, 'problem');
  t.is(finding?.text, `127.0.0.1:${port} (UDP) is in use by ${name} (process ${process.pid})`);
  t.is((await listeningFindings({ ...plan, udp: false }, MACHINE))[0]?.result, 'ok');
});

peerTest(
  'openssl',
  'a certificate: valid, soon over, over, not begun, with a foreign key',
  async (t) => {
    const authority = await TestAuthority.make();
    t.teardown(() => authority.remove());
    const judge = async (wishes: Parameters<TestAuthority['issue']>[0], keyOf?: string) => {
      const { certificateFile, keyFile } = await authority.issue(wishes);
      const load = (path: string) => ({ path, octets: readFileSync(path) });
      const files = { 'tls.certificate': load(certificateFile), 'tls.key': load(keyOf ?? keyFile) };
      const found = certificateFindings(files, Date.now());
      return found.map(({ result, text }) => `${result} ${text.split(' ').slice(1, 3).join(' ')}`);
    };
    t.deepEqual(await judge({ days: 90 }), ['ok is valid', 'ok is the']);
    t.deepEqual(await judge({ days: 5 }), ['warning expires in', 'ok is the']);
    t.deepEqual(await judge({ days: -3 }), ['problem expired on', 'ok is the']);
    t.deepEqual(await judge({ days: 90, startsInDays: 2 }), ['problem is not', 'ok is the']);
    const { keyFile } = await authority.issue();
    t.deepEqual(await judge({ days: 90 }, keyFile), ['ok is valid', 'problem is not']);
    t.deepEqual(await judge({ days: 90 }, authority.file), ['ok is valid', 'problem is no']);
    const junk = { path: '/x', octets: Buffer.from('junk') };
    const [bad] = certificateFindings({ 'tls.certificate': junk, 'tls.key': undefined }, 0);
    t.is(bad?.result, 'problem');
  },
);

test('files of an installed service are readable by its user, or named', (t) => {
  const { folder, file } = scratch(t);
  const open = file('open', 'x', 0o644);
  const closed = file('closed', 'x', 0o600);
  chmodSync(folder, 0o755);
  const account = (uid: number, gid: number) => ({
    '/etc/systemd/system/tep-client.service': 'User=tep\n',
    '/etc/passwd': `root:x:0:0::/:/bin/sh\ntep:x:${uid}:${gid}::/:/bin/false\n`,
  });
  const { uid, gid } = statSync(closed);
  const judge = (u: number, g: number) =>
    results(serviceUserFindings('client', [open, closed], machine(account(u, g))));
  t.deepEqual(judge(uid + 1, gid + 1), [`problem the service (user tep) may not read ${closed}`]);
  t.deepEqual(judge(uid + 1, gid), [`problem the service (user tep) may not read ${closed}`]);
  t.deepEqual(judge(uid, gid), ['ok user tep may read the files of the client']);
  chmodSync(closed, 0o640);
  t.deepEqual(judge(uid + 1, gid), ['ok user tep may read the files of the client']);
  chmodSync(folder, 0o700);
  t.is(judge(uid + 1, gid).length, 2);
  t.deepEqual(serviceUserFindings('client', [closed], machine({})), []);
  const none = machine({ '/etc/systemd/system/tep-client.service': 'User=tep\n' });
  t.deepEqual(results(serviceUserFindings('client', [], none)), ['problem there is no user tep']);
});
