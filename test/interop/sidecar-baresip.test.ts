/** A real telephone beside the sidecar: it registers at sipp, and calls another telephone by TCP and TLS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Program } from '../../lab/program.ts';
import { TestAuthority } from '../certificates.ts';
import { scratch } from '../config/scratch.ts';
import { openPair } from '../daemon/pair.ts';
import { peerTest } from '../peers.ts';
import { start, urlOf } from '../tep-client/started.ts';
import { freePorts } from './ports.ts';
import { HOST, type SoftphonePlan, startSoftphone } from './softphone.ts';

async function openSidecar(t: ExecutionContext, core: string, ...more: string[]) {
  const server = await openPair();
  t.teardown(() => server.stop());
  const tep = await start(
    t,
    `--servers=${urlOf(server)}`,
    `--sip-listen=${HOST}:0`,
    `--sip-core=${core}`,
    '--sip-media=tunnel',
    ...more,
  );
  const [proxy = ''] = tep.status().sip?.listening ?? [];
  return { ...tep, server, proxy };
}

async function openPhone(t: ExecutionContext, plan: SoftphonePlan) {
  const phone = await startSoftphone(plan);
  t.teardown(() => phone.stop());
  return phone.program;
}

for (const transport of ['tcp', 'tls'] as const) {
  for (const phoneBy of ['udp', 'tcp'] as const) {
    const title = `baresip by ${phoneBy} calls baresip by ${transport}: audio both ways through the tunnel`;
    peerTest('baresip', `[R-01] [R-02] [M-15] ${title}`, async (t) => {
      const [bobPort = 0, , alicePort = 0] = await freePorts(4, HOST);
      const authority = await TestAuthority.make();
      t.teardown(() => authority.remove());
      const { certificate, key } = await authority.issue();
      const { file } = scratch(t);
      const ca = file('ca.pem', authority.certificate);
      const bob = await openPhone(t, {
        user: 'bob',
        port: bobPort,
        domain: `${HOST}:${bobPort}`,
        certificate: `${certificate}${key}`,
        // Else it sends from another address than it tells: to the loopback one of TEP-S.
        mediaAddress: HOST,
      });
      const corePort = transport === 'tls' ? bobPort + 1 : bobPort;
      const tep = await openSidecar(t, `${transport}://${HOST}:${corePort}`, `--tls-ca=${ca}`);
      const alice = await openPhone(t, {
        user: 'alice',
        port: alicePort,
        domain: `${HOST}:${bobPort}`,
        outbound: `sip:${tep.proxy};transport=${phoneBy}`,
      });
      alice.write(`/dial sip:bob@${HOST}:${bobPort}\n`);
      await alice.said(/Call established/);
      await alice.said(/\[0:00:03\] audio/);
      t.like(tep.status().sip?.calls, { all: 1, tunnelled: 1 });
      alice.write('/hangup\n');
      for (const phone of [alice, bob]) {
        const [, received = '0'] = await phone.said(/^packets: +[0-9]+ +([0-9]+)/m);
        t.true(Number(received) > 100, `${phone.name} heard ${received} packets`);
      }
      t.true(tep.status().sent.packets > 100);
      t.true(tep.status().received.packets > 100);
    });
  }
}

/** Answers any number of REGISTERs. */
const REGISTRAR = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="registrar">
  <recv request="REGISTER" />
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:]
Expires: 600
Content-Length: 0

  ]]></send>
</scenario>
`;

peerTest(
  'sipp',
  '[R-01] baresip registers at sipp by TCP, and is told to come back soon',
  async (t) => {
    const [port = 0, alicePort = 0] = await freePorts(3, HOST);
    const { folder } = scratch(t);
    const scenario = join(folder, 'registrar.xml');
    await writeFile(scenario, REGISTRAR);
    const registrar = await Program.start({
      command: 'sipp',
      args: ['-sf', scenario, '-t', 't1', '-i', HOST, '-p', String(port), '-nostdin'],
      cwd: folder,
      ready: { port, protocol: 'tcp' },
    });
    t.teardown(() => registrar.stop('SIGKILL'));
    const tep = await openSidecar(t, `tcp://${HOST}:${port}`);
    const alice = await openPhone(t, {
      user: 'alice',
      port: alicePort,
      domain: `${HOST}:${port}`,
      outbound: `sip:${tep.proxy}`,
      registers: 600,
    });
    await alice.said(/200 OK/);
    const [registration] = tep.status().sip?.registrations ?? [];
    t.is(registration?.aor, `sip:alice@${HOST}:${port}`);
  },
);
