/** Calls of a simulated phone through the sidecar, its tunnel and a TEP-S to a simulated core. */
import test from 'ava';
import { mediaAddresses } from '../../../sdp/media.ts';
import { privateAddressesLeft } from '../../../sdp/private.ts';
import { descriptionsIn, octetsIn } from '../../../sip/body.ts';
import { header, type Message } from '../../../sip/message.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../../wire/address.ts';
import { textOf } from '../../sip/vectors.ts';
import { start } from '../started.ts';
import { AOR, openScene } from './scene.ts';
import { audio, SimCore, SimPhone } from './simulated.ts';

function sdpOf(message: Message): string {
  const [description] = descriptionsIn(message) ?? [];
  if (description === undefined) throw new Error('no description');
  return textOf(octetsIn(message, description));
}

function rtpOf(sdp: string): Endpoint {
  const media = mediaAddresses(Buffer.from(sdp));
  const rtp = 'type' in media ? undefined : media[0]?.rtp;
  if (rtp === undefined) throw new Error(`no RTP address in ${sdp}`);
  return rtp;
}

test('[R-01] REGISTER and its answer: one Via that shows no address, and the phone its own again', async (t) => {
  const { phone, core, status } = await openScene(t);
  phone.ask('REGISTER', 'reg', { to: AOR, more: ['Expires: 3600'] });
  const seen = await core.request('REGISTER');
  const vias = seen.fields.filter(({ key }) => key === 'via');
  t.is(vias.length, 1);
  t.regex(
    header(seen, 'via') ?? '',
    /^SIP\/2\.0\/TCP tep-[0-9a-f]{12}\.invalid;rport;branch=.*;keep$/,
  );
  t.is(header(seen, 'record-route'), undefined);
  core.answer(seen, 200, { more: [`Contact: ${phone.contact};expires=3600`] });
  const answer = await phone.response(200, 'REGISTER');
  t.regex(
    header(answer, 'via') ?? '',
    new RegExp(`^SIP/2.0/UDP 127.0.0.1:${phone.socket.local.port};rport=`),
  );
  t.regex(header(answer, 'contact') ?? '', /;expires=120$/);
  t.is(status().sip?.registrations[0]?.aor, 'sip:alice@example.org');
  t.is(status().sip?.core.state, 'proven');
});

test('[M-03] [M-06] [M-11] [M-14] a call of the phone: marks and public addresses out, stand-ins in, media both ways', async (t) => {
  const { phone, core, proxy, status } = await openScene(t);
  const local = phone.media.socket.local;
  const text = phone.ask('INVITE', 'call', { body: audio(local) });
  phone.send(text);
  const invite = await core.request('INVITE');
  const offer = sdpOf(invite);
  t.regex(offer, /^a=ice-options:tep\r$/m);
  t.regex(offer, /^a=3gpp-tep:9 TCP\r$/m);
  t.not(formatEndpoint(rtpOf(offer)), formatEndpoint(local));
  core.answer(invite, 200, {
    body: audio(core.media.socket.local, 'a=ice-options:tep', 'a=3gpp-tep:80 TCP'),
  });
  const ok = await phone.response(200, 'INVITE');
  const answer = sdpOf(ok);
  t.notRegex(answer, /tep/);
  t.is(header(ok, 'record-route'), `<sip:${formatEndpoint(proxy)};lr>`);
  const standIn = rtpOf(answer);
  t.not(formatEndpoint(standIn), formatEndpoint(core.media.socket.local));
  phone.media.say('up', standIn);
  const up = await core.media.hear('up');
  t.is(formatEndpoint(up.from), formatEndpoint(rtpOf(offer)));
  core.media.say('down', up.from);
  t.is(formatEndpoint((await phone.media.hear('down')).from), formatEndpoint(standIn));
  t.is(status().bindings.length, 2, 'RTP and RTCP, for the repeated INVITE too');
  t.like(status().sip?.calls, { all: 1, tunnelled: 1 });
  phone.ask('BYE', 'call', {
    number: 2,
    to: '<sip:bob@example.net>;tag=core',
    more: [`Route: ${header(ok, 'record-route')}`],
  });
  const bye = await core.request('BYE');
  t.is(header(bye, 'route'), undefined);
  core.answer(bye, 200);
  await phone.response(200, 'BYE');
  t.is(status().sip?.calls.all, 0);
});

test('[M-03] [M-17] a call to the phone: the mark of the core is obeyed and answered', async (t) => {
  const { phone, core, proxy } = await openScene(t, '--sip-media=auto');
  phone.ask('REGISTER', 'reg', { to: AOR });
  core.answer(await core.request('REGISTER'), 200, {
    more: [`Contact: ${phone.contact};expires=60`],
  });
  await phone.response(200, 'REGISTER');
  const uri = `sip:alice@127.0.0.1:${phone.socket.local.port}`;
  core.ask('INVITE', 'in', uri, { body: audio(core.media.socket.local, 'a=3gpp-tep:80 TCP') });
  const invite = await phone.request('INVITE');
  t.is(header(invite, 'record-route'), `<sip:${formatEndpoint(proxy)};lr>`);
  t.notRegex(sdpOf(invite), /tep/);
  phone.answer(invite, 200, { body: audio(phone.media.socket.local) });
  const ok = await core.response(200, 'INVITE');
  t.is(header(ok, 'record-route'), undefined);
  t.regex(sdpOf(ok), /^a=3gpp-tep:9 TCP\r$/m);
  phone.media.say('up', rtpOf(sdpOf(invite)));
  const up = await core.media.hear('up');
  t.is(formatEndpoint(up.from), formatEndpoint(rtpOf(sdpOf(ok))));
  core.media.say('down', up.from);
  await phone.media.hear('down');
  t.deepEqual(privateAddressesLeft(sdpOf(ok)), []);
});

test('[M-03] a call to the phone that takes the tunnel unasked: the answer says so, that TEP-S opens the way', async (t) => {
  const { phone, core } = await openScene(t);
  phone.ask('REGISTER', 'reg', { to: AOR });
  core.answer(await core.request('REGISTER'), 200, {
    more: [`Contact: ${phone.contact};expires=60`],
  });
  await phone.response(200, 'REGISTER');
  const uri = `sip:alice@127.0.0.1:${phone.socket.local.port}`;
  core.ask('INVITE', 'in', uri, { body: audio(core.media.socket.local) });
  phone.answer(await phone.request('INVITE'), 200, { body: audio(phone.media.socket.local) });
  const answer = sdpOf(await core.response(200, 'INVITE'));
  t.regex(answer, /^a=ice-options:tep\r$/m);
  t.regex(answer, /^a=3gpp-tep:9 TCP\r$/m);
});

test('an agent that is told to end waits for its call, and refuses the next one', async (t) => {
  const { phone, core, running, status } = await openScene(t, '--sip-media=native');
  phone.ask('INVITE', 'call', { body: audio(phone.media.socket.local) });
  const invite = await core.request('INVITE');
  core.answer(invite, 200, { body: audio(core.media.socket.local) });
  await phone.response(200, 'INVITE');
  t.is(status().sip?.calls.all, 1);
  let isOver = false;
  const drained = running.drain().then(() => {
    isOver = true;
  });
  phone.ask('INVITE', 'second');
  await phone.response(503, 'INVITE');
  t.false(isOver);
  const before = core.count;
  phone.ask('BYE', 'call', { number: 2, to: '<sip:bob@example.net>;tag=core' });
  core.answer(await core.request('BYE', before), 200);
  await drained;
  t.is(status().sip?.calls.all, 0);
});

test('a sidecar without a TEP-S passes signalling on', async (t) => {
  const core = await SimCore.open();
  t.teardown(() => core.close());
  const native = ['--sip-listen=127.0.0.1:0', `--sip-core=${core.url}`, '--sip-media=native'];
  const { status } = await start(t, ...native);
  const proxy = parseEndpoint(status().sip?.listening[0] ?? '');
  if (proxy === undefined) throw new Error('it listens nowhere');
  const phone = await SimPhone.open(proxy);
  t.teardown(() => phone.close());
  const body = audio(phone.media.socket.local);
  phone.ask('INVITE', 'call', { body });
  t.is(sdpOf(await core.request('INVITE')), body);
  t.is(status().tunnel.state, 'idle');
});
