/** TEP-S between a SIP proxy and Debian's rtpengine: over every transport, and with restarts of either. */
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { type NgMessage, octetsOf, stringOf } from '../../framing/ng/message.ts';
import { peerMissing } from '../peers.ts';
import {
  ADVERTISE,
  answer,
  bye,
  type Dialog,
  MARK,
  offer,
  sdpOf,
} from '../tep-server/ng/descriptions.ts';
import { command, openProxy, type SipProxy, type Transport } from '../tep-server/ng/proxies.ts';
import { type Service, settingsOf, startService, until } from '../tep-server/service.ts';
import { type Rtpengine, startRtpengine } from './rtpengine-process.ts';

const MISSING = peerMissing('rtpengine');
const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'http', 'ws'];
/** A public address that TEP-S gives to phones, one of a phone in the core, and one behind it. */
const PUBLIC = { address: '127.0.0.1', port: 40_000, can: true };
const PLAIN = { address: '127.0.0.1', port: 41_000 };

let gateway: Rtpengine;

if (MISSING === undefined) {
  test.before(async () => {
    gateway = await startRtpengine();
  });
  test.after.always(() => gateway?.stop());
}

function interop(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (MISSING === undefined) test.serial(title, body);
  else test.skip(`${title} (${MISSING})`, body);
}

for (const transport of TRANSPORTS) {
  interop(
    `[M-04] ${transport}: without a phone that can, all answers are as without TEP-S`,
    async (t) => {
      const { direct, through } = await bothWays(t, transport);
      const without = await talk(direct, PLAIN, PLAIN);
      const withIt = await talk(through, PLAIN, PLAIN);
      t.deepEqual(withIt, without);
      t.is(without.length, 4);
      t.true(without.every((one) => !one.includes('tep')));
    },
  );

  interop(
    `[M-03] ${transport}: the phone that can is told where TEP-S is, the other nothing`,
    async (t) => {
      const { direct, through } = await bothWays(t, transport);
      const without = await talk(direct, PUBLIC, PLAIN);
      const withIt = await talk(through, PUBLIC, PLAIN);
      t.true(without[0]?.includes('a=3gpp-tep:9 TCP'), 'rtpengine hands foreign attributes on');
      t.false(withIt[0]?.includes('3gpp-tep'));
      t.true(withIt[1]?.includes(MARK));
      t.true(withIt[1]?.includes('a=ice-options:tep'));
      t.deepEqual(withIt.map(bare), without.map(bare));
    },
  );
}

interop('[M-10] a call opens its 5-tuples and nothing else, and they close with it', async (t) => {
  const service = await startTepS(t, gateway, ['udp']);
  const proxy = await proxyOf(t, service, 'udp');
  const dialog = newDialog();
  await proxy.ask(offer(dialog, sdpOf(PUBLIC)));
  t.is(ngOf(service).pinholes, 0, 'where the gateway receives is not known yet');
  await proxy.ask(answer(dialog, sdpOf(PLAIN)));
  t.is(ngOf(service).pinholes, 2, 'RTP and RTCP');
  t.is(ngOf(service).calls, 1);
  await proxy.ask(bye(dialog));
  t.is(ngOf(service).pinholes, 0);
  t.is(ngOf(service).calls, 0);
  t.true(service.lines.some((line) => line.startsWith(`call opened call=${dialog.callId}`)));
  t.true(service.lines.some((line) => line.includes('call closed') && line.includes('deleted')));
});

interop(
  '[M-10] TEP-S that starts in the middle of a call learns it from the gateway',
  async (t) => {
    const first = await startTepS(t, gateway, ['udp']);
    const proxy = await proxyOf(t, first, 'udp');
    const dialog = newDialog();
    await proxy.ask(offer(dialog, sdpOf(PUBLIC)));
    await proxy.ask(answer(dialog, sdpOf({ ...PLAIN, address: '127.0.0.2' })));
    const again = await startTepS(t, gateway, ['tcp']);
    await until(() => again.lines.some((line) => line.includes('has calls already')));
    t.true(ngOf(again).pinholes >= 2);
    const other = await proxyOf(t, again, 'tcp');
    const turned = { ...dialog, fromTag: dialog.toTag, toTag: dialog.fromTag };
    const held = await other.ask({
      ...offer(turned, sdpOf({ ...PLAIN, address: '127.0.0.2' })),
      'to-tag': turned.toTag,
    });
    t.true(sdpIn(held).includes(MARK), 'its address is one of ours, so it can');
    await other.ask(bye(dialog));
    t.is(ngOf(again).pinholes, 0);
  },
);

interop(
  '[M-10] a gateway that is down answers nothing; after its restart calls go on',
  async (t) => {
    const own = await startRtpengine();
    t.teardown(() => own.stop());
    const service = await startTepS(t, own, ['udp', 'tcp', 'http']);
    const proxy = await proxyOf(t, service, 'udp');
    await talk(proxy, PUBLIC, PLAIN);
    await own.kill();
    const cookie = 'asked_while_down';
    proxy.send(Buffer.from(`${cookie} d7:command4:pinge`));
    await own.restart();
    proxy.send(Buffer.from(`${cookie} d7:command4:pinge`));
    t.is(Buffer.from(await proxy.next()).toString(), `${cookie} d6:result4:ponge`);
    const [, told] = await talk(proxy, PUBLIC, PLAIN);
    t.true(told?.includes(MARK));
    for (const transport of ['tcp', 'ws', 'http'] as const) {
      const later = await proxyOf(t, service, transport);
      t.is(stringOf(await later.ask({ command: 'ping' }), 'result'), 'pong', transport);
    }
  },
);

interop('a command that is sent again gets the same answer octet by octet', async (t) => {
  const service = await startTepS(t, gateway, ['udp']);
  const proxy = await proxyOf(t, service, 'udp');
  const dialog = newDialog();
  await proxy.ask(offer(dialog, sdpOf(PUBLIC)));
  const octets = command('twice_1', answer(dialog, sdpOf(PLAIN)));
  proxy.send(octets);
  const first = await proxy.next();
  proxy.send(octets);
  t.deepEqual(await proxy.next(), first);
  t.true(Buffer.from(first).includes(MARK));
  t.is(ngOf(service).commands.answer, 1);
  await proxy.ask(bye(dialog));
});

async function startTepS(
  t: ExecutionContext,
  { ports }: Rtpengine,
  transports: readonly (keyof Rtpengine['ports'])[],
): Promise<Service> {
  const flags = transports.flatMap((one) => [
    ...['--ng-listen', `${one}://127.0.0.1:0`],
    ...['--ng-rtpengine', `${one}://127.0.0.1:${ports[one]}`],
  ]);
  return startService(t, settingsOf(t, ...flags, '--ng-advertise', ADVERTISE));
}

async function proxyOf(
  t: ExecutionContext,
  service: Service,
  transport: Transport,
): Promise<SipProxy> {
  const scheme = transport === 'ws' ? 'http' : transport;
  const at = ngOf(service).listening.find((one) => one.startsWith(`${scheme}://`));
  return proxyAt(t, transport, Number(at?.split(':').at(-1)));
}

async function proxyAt(t: ExecutionContext, transport: Transport, port: number): Promise<SipProxy> {
  const proxy = await openProxy(transport, port);
  t.teardown(() => proxy.close());
  return proxy;
}

async function bothWays(t: ExecutionContext, transport: Transport) {
  const key = transport === 'ws' ? 'http' : transport;
  const service = await startTepS(t, gateway, [key]);
  return {
    direct: await proxyAt(t, transport, gateway.ports[key]),
    through: await proxyOf(t, service, transport),
  };
}

/** A call from its offer to its end; the answers without what is new each time. */
async function talk(
  proxy: SipProxy,
  a: Parameters<typeof sdpOf>[0],
  b: typeof a,
): Promise<string[]> {
  const dialog = newDialog();
  const answers = [
    await proxy.ask(offer(dialog, sdpOf(a))),
    await proxy.ask(answer(dialog, sdpOf(b))),
    await proxy.ask({ command: 'delete', 'call-id': 'nobody', 'from-tag': 'x' }),
    await proxy.ask(bye(dialog)),
  ];
  return answers.map(normal);
}

/** Cookies and ports are new each time, and what a deleted call did depends on the second. */
function normal(message: NgMessage): string {
  const sdp = octetsOf(message, 'sdp');
  const keys = [...message.dictionary.entries.keys()].join();
  const text = sdp === undefined ? '' : Buffer.from(sdp).toString('latin1');
  const ports = text.replace(/(m=audio |a=rtcp:)\d+/g, '$1PORT');
  return `${keys} ${stringOf(message, 'result')} ${stringOf(message, 'warning') ?? ''} ${ports}`;
}

function bare(text: string): string {
  return text.replace(/a=(?:3gpp-tep|ice-options):.*\r\n/g, '');
}

function sdpIn(message: NgMessage): string {
  return Buffer.from(octetsOf(message, 'sdp') ?? []).toString('latin1');
}

function newDialog(): Dialog {
  const id = randomBytes(6).toString('hex');
  return { callId: `call-${id}`, fromTag: `from-${id}`, toTag: `to-${id}` };
}

function ngOf(service: Service) {
  const { ng } = service.status();
  if (ng === undefined) throw new Error('no relay');
  return ng;
}
