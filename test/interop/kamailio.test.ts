/** Media routes of docs/deploy/kamailio.cfg in a Kamailio as Debian has it, with a gateway that is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { octetsOf, readDatagram } from '../../framing/ng/message.ts';
import { scratch } from '../config/scratch.ts';
import { peerOutput, peerTest } from '../peers.ts';
import { sip } from '../sip/vectors.ts';
import { lines, sdpOf } from '../tep-server/ng/descriptions.ts';
import { Gateway } from '../tep-server/ng/gateway.ts';
import { until } from '../tep-server/service.ts';
import { freePorts } from './ports.ts';

const HERE = '127.0.0.1';
const DEPLOYED = 'docs/deploy/kamailio.cfg';
const SDP = sdpOf({ address: '10.0.0.2', port: 4_000 });

peerTest('kamailio', 'the configuration of docs/deploy is one', async (t) => {
  await peerOutput('kamailio', ['-c', '-f', DEPLOYED]);
  t.pass();
});

peerTest(
  'kamailio',
  'a description that is a part of multipart/mixed reaches rtpengine',
  async (t) => {
    const gateway = await Gateway.open(t);
    const port = await startKamailio(t, gateway.port);
    const part = lines('--b', 'Content-Type: application/sdp', '', SDP);
    const isup = lines('--b', 'Content-Type: application/isup', '', 'isup', '--b--');
    const bodies = [
      ['application/sdp', SDP],
      ['multipart/mixed;boundary=b', part + isup],
    ] as const;
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    for (const [n, [type, body]] of bodies.entries()) {
      socket.send(invite(`call${n}`, type, body), port, HERE);
      let asked: Buffer | undefined;
      await until(() => {
        asked = gateway.heard.find((octets) => octets.includes(`call${n}`));
        return asked !== undefined;
      });
      if (asked === undefined) throw new RangeError();
      const message = readDatagram(asked, 0, asked.length);
      if (typeof message === 'number') throw new Error(`fault ${message}`);
      t.is(`${Buffer.from(octetsOf(message, 'sdp') ?? [])}`.trim(), SDP.trim(), type);
    }
  },
);

/** It sends everything to nobody, but for its media routes as they are deployed. */
async function startKamailio(t: ExecutionContext, gatewayPort: number): Promise<number> {
  const [port = 0, nowhere = 0] = await freePorts(2, HERE);
  const { folder, file } = scratch(t);
  const text = readFileSync(DEPLOYED, 'utf8');
  const modules = [
    ...text.matchAll(/^loadmodule "(?:tm|sl|rr|pv|textops|xlog|sdpops|rtpengine)\.so"$/gm),
  ];
  const routes = [...text.matchAll(/^branch_route\[MEDIA\] \{$[\s\S]*?^\}$/gm)];
  const config = [
    `#!KAMAILIO\ndebug=2\nchildren=1\nlog_stderror=yes\nlisten=udp:${HERE}:${port}`,
    ...modules.map(([line]) => line),
    `modparam("rtpengine", "rtpengine_sock", "udp:${HERE}:${gatewayPort}")`,
    `request_route { t_on_branch("MEDIA"); $du = "sip:${HERE}:${nowhere}"; t_relay(); }`,
    ...routes.map(([route]) => route),
    'event_route[core:worker-one-init] { xalert("ready\\n"); }',
  ];
  const args = ['-f', file('kamailio.cfg', config.join('\n')), '-DD', '-E', '-m', '64', '-M', '8'];
  const places = ['-w', folder, '-Y', folder, '-P', `${folder}/pid`];
  const child = spawn('kamailio', [...args, ...places], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(async () => {
    const exited = once(child, 'exit');
    if (child.kill()) await exited;
  });
  await said(child, 'ready');
  return port;
}

async function said(child: ChildProcess, word: string): Promise<void> {
  let output = '';
  const ended = once(child, 'exit').then(() => {
    throw new Error(output);
  });
  ended.catch(() => {});
  const heard = new Promise<void>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(word)) resolve();
    });
  });
  await Promise.race([heard, ended]);
}

function invite(callId: string, type: string, body: string): string {
  return sip(
    [
      'INVITE sip:bob@ims.example SIP/2.0',
      `Via: SIP/2.0/UDP ${HERE}:9;branch=z9hG4bK${callId}`,
      'From: <sip:alice@ims.example>;tag=a',
      'To: <sip:bob@ims.example>',
      `Call-ID: ${callId}`,
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      `Contact: <sip:alice@${HERE}:9>`,
      `Content-Type: ${type}`,
    ],
    body,
  );
}
