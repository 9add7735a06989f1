/** A tunnel over each way in which TEP-C can reach TEP-S without anybody in between. */
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_MARKER } from '../../framing/connect/request.ts';
import type { TransportOptions } from '../../io/dial/types.ts';
import { TICKET_KEYS_LEN, TlsDoor } from '../../tep-server/tls-door.ts';
import { type KeyPair, TestAuthority } from '../certificates.ts';
import { clientTls } from '../io/dial/tls-server.ts';
import { peerTest } from '../peers.ts';
import { openCall, openPair, type PairOptions } from './pair.ts';

const ALWAYS = { connect: 'always', marker: DEFAULT_MARKER } as const;

/** More packets each way at once than one write, or one record of TLS, can hold. */
async function callOver(t: ExecutionContext, options: PairOptions): Promise<void> {
  const pair = await openPair({ stripes: 2, ...options });
  const { phone, gateway, standIn, address, close } = await openCall(pair);
  const long = 'x'.repeat(1_000);
  for (let i = 0; i < 50; i++) {
    phone.say(`up ${i} ${long}`, standIn);
    gateway.say(`down ${i} ${long}`, address);
  }
  for (let i = 0; i < 50; i++) {
    await gateway.hear(`up ${i} ${long}`);
    await phone.hear(`down ${i} ${long}`);
  }
  t.is(pair.server.counters.dropped, 0);
  t.is(pair.client.counters.dropped, 0);
  await close();
  await pair.stop();
}

function transport(options: Partial<TransportOptions>): PairOptions {
  return { transport: async () => options };
}

function doorOf({ certificate: cert, key }: KeyPair, requireCertificate: string | undefined) {
  const ticketKeys = Buffer.alloc(TICKET_KEYS_LEN, 1);
  const context = { cert, key, ...(requireCertificate && { ca: requireCertificate }) };
  const isRequired = requireCertificate !== undefined;
  return { tls: new TlsDoor({ context, requireCertificate: isRequired, ticketKeys }) };
}

test('[H-03] a CONNECT to TEP-S itself, then the tunnel', (t) => callOver(t, transport(ALWAYS)));

peerTest(
  'openssl',
  '[M-09] [H-03] a tunnel in TLS, and in TLS behind a CONNECT to TEP-S itself',
  async (t) => {
    const authority = await TestAuthority.make();
    const door = doorOf(await authority.issue(), undefined);
    await authority.remove();
    for (const options of [{}, ALWAYS]) {
      const tls = clientTls({ ca: authority.certificate }, { serverName: 'localhost' });
      await callOver(t, { door, ...transport({ ...options, tls }) });
    }
  },
);

peerTest(
  'openssl',
  'TEP-S wants a client certificate: with one a tunnel, without one a text that says so',
  async (t) => {
    const authority = await TestAuthority.make();
    const door = doorOf(await authority.issue(), authority.certificate);
    const own = await authority.issue({ names: 'DNS:client.example' });
    await authority.remove();
    const checks = { serverName: 'localhost' };
    const tls = clientTls({ ...own, ca: authority.certificate }, checks);
    await callOver(t, { door, ...transport({ tls }) });

    const without = clientTls({ ca: authority.certificate }, checks);
    const pair = await openPair({ door, ...transport({ tls: without }) });
    const opening = pair.client.open();
    const { fault } = await pair.clientSays.first('connection-broken');
    t.is(fault.stage, 'tls');
    t.regex(fault.text, /client certificate.*tls\.certificate/);
    await pair.stop();
    t.like(await opening, { type: 'closed', why: 'asked' });
  },
);
