/** STUN that an application on the UE runs itself, answered by TEP-C (tep-wire 5; standards M-05, G-04). */
import { Buffer } from 'node:buffer';
import test from 'ava';
import type { Endpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { FAULTS } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { decode, encode, find, type StunMessage } from '../../wire/stun/message.ts';
import { Direct, endpoint, pool, udpPacket } from './direct.ts';
import { binding, codeOf } from './raw.ts';

const SERVER = endpoint('198.51.100.1:3478');
const SERVER6 = endpoint('[2001:db8:c::1]:3478');
const UE = endpoint('10.0.0.5:4000');
const UE6 = endpoint('[fd00::5]:4000');

const AUTOMATIC_IDLE_MS = 120_000;

function newDirect(options: ConstructorParameters<typeof Direct>[0] = {}): Direct {
  return new Direct({ ...options, client: { stunAt: [SERVER, SERVER6], ...options.client } });
}

/** From a Buffer that is used again at once, as packet ports have it: nothing may be kept of it. */
function send(d: Direct, from: Endpoint, to: Endpoint, payload: Uint8Array): number {
  const out = Buffer.alloc(payload.length + 48);
  const length = writeUdpPacket(out, 0, from, to, payload, 0, payload.length);
  const fault = d.client.packet(out, 0, length, d.now);
  out.fill(0xa5);
  d.run();
  return fault;
}

function ask(d: Direct, from: Endpoint, to: Endpoint, attributes: Attribute[] = []): number {
  return send(d, from, to, encode(binding(attributes), { fingerprint: true }));
}

/** The STUN answers that reached the application at `ue`, from `server`. */
function answers(d: Direct, ue: Endpoint, server: Endpoint): StunMessage[] {
  const view = new PacketView();
  return d.toUe.flatMap(({ octets }) => {
    const right = readPacket(view, octets, 0, octets.length) || checksumsRight(octets, view);
    const { destinationPort, sourcePort, sourceAt, destinationAt, addressLength } = view;
    const source = octets.subarray(sourceAt, sourceAt + addressLength);
    const destination = octets.subarray(destinationAt, destinationAt + addressLength);
    const addressed =
      sourcePort === server.port &&
      destinationPort === ue.port &&
      source.every((octet, i) => octet === server.address[i]) &&
      destination.every((octet, i) => octet === ue.address[i]);
    const message = decode(octets, view.payload, view.payloadEnd);
    return right === 0 && addressed && typeof message !== 'number' ? [message] : [];
  });
}

for (const [name, ue, server] of [
  ['IPv4', UE, SERVER],
  ['IPv6', UE6, SERVER6],
] as const) {
  test(`[M-05] [W-5] an application that asks gets a binding and its public address: ${name}`, (t) => {
    const d = newDirect();
    t.is(ask(d, ue, server), 0);
    const [answer] = answers(d, ue, server);
    t.is(answer?.class, 'success');
    t.not(answer?.fingerprintAt, 0);
    t.deepEqual(answer && find(answer, 'XOR-MAPPED-ADDRESS'), d.said('bound')[0]?.address);
    t.is(d.toCore.length, 0);
    // Again: at once, the same.
    ask(d, ue, server);
    t.deepEqual(answers(d, ue, server)[1]?.attributes, answer?.attributes);
    t.is(d.serverTold('bound').length, 1);
  });
}

test('[W-5] the request is held until the binding is there; only the last one is answered', (t) => {
  const d = newDirect();
  d.isUnreachable = true;
  for (let i = 0; i < 5; i++) ask(d, UE, SERVER);
  t.is(answers(d, UE, SERVER).length, 0);
  d.isUnreachable = false;
  d.wait(5000);
  t.is(answers(d, UE, SERVER).length, 1);
});

test('[W-5] after `bind` the address is that of the binding, of a pair each half', (t) => {
  const d = newDirect();
  d.bind('10.0.0.5:4000', { pair: true });
  ask(d, UE, SERVER);
  ask(d, { ...UE, port: 4001 }, SERVER);
  const [first] = answers(d, UE, SERVER);
  const [odd] = answers(d, { ...UE, port: 4001 }, SERVER);
  const address = d.publicOf('10.0.0.5:4000');
  t.deepEqual(first && find(first, 'XOR-MAPPED-ADDRESS'), address);
  t.is(odd && find(odd, 'XOR-MAPPED-ADDRESS')?.port, (address?.port ?? 0) + 1);
});

test('[W-5] checks of ICE and other packets to the same address go through the tunnel', (t) => {
  const d = newDirect();
  d.bind('10.0.0.5:4000');
  const media = udpPacket(UE, SERVER);
  d.client.packet(media, 0, media.length, d.now);
  ask(d, UE, SERVER, [{ type: 'USERNAME', value: 'core:ue' }]);
  send(d, UE, SERVER, encode({ ...binding([]), class: 'indication' }));
  ask(d, UE, { ...SERVER, port: 3479 });
  t.is(d.toCore.length, 4);
  t.is(d.toUe.length, 0);
});

test('[W-5] without a STUN address nothing is answered here', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  ask(d, UE, SERVER);
  t.is(d.toCore.length, 1);
  t.is(d.toUe.length, 0);
});

test('[W-5] what must be understood and is not: 420 from here', (t) => {
  const d = newDirect();
  ask(d, UE, SERVER, [{ type: 'unknown', number: 0x7ffe, value: new Uint8Array(0) }]);
  t.is(codeOf(answers(d, UE, SERVER)[0]), 420);
});

test('[W-5] a binding made this way ends when it is not used for two minutes', (t) => {
  const d = newDirect();
  ask(d, UE, SERVER);
  d.wait(AUTOMATIC_IDLE_MS - 1000);
  const media = udpPacket(UE, endpoint('198.51.100.9:5000'));
  t.is(d.client.packet(media, 0, media.length, d.now), 0);
  d.wait(AUTOMATIC_IDLE_MS - 1);
  t.is(d.server.tunnels()[0]?.bindings, 1);
  d.wait(1);
  t.is(d.server.tunnels()[0]?.bindings, 0);
  t.deepEqual(d.said('released'), [{ type: 'released', ue: UE, protocol: 17 }]);
  d.wait(10_000);
  t.is(d.client.state, 'closed');
});

test('[W-5] `bind` makes it a binding like any other', (t) => {
  const d = newDirect();
  ask(d, UE, SERVER);
  d.bind('10.0.0.5:4000');
  d.wait(3 * AUTOMATIC_IDLE_MS);
  t.is(d.server.tunnels()[0]?.bindings, 1);
});

test('[G-22] applications cannot make more bindings than allowed', (t) => {
  const d = newDirect({ client: { maxBindings: 3 } });
  for (let port = 4000; port < 4003; port++) t.is(ask(d, { ...UE, port }, SERVER), 0);
  for (let port = 4003; port < 4100; port++) {
    t.is(ask(d, { ...UE, port }, SERVER), FAULTS.BINDING_REFUSED);
  }
  t.is(d.client.counters.dropped, 97);
  t.is(d.serverTold('bound').length, 3);
  // Tried again at growing intervals only.
  t.is(d.said('bind-failed').length, 1);
});

test('[W-5] no binding to be had: no answer, and told', (t) => {
  const d = newDirect({ server: { addresses: pool('203.0.113.0/24') } });
  ask(d, UE6, SERVER6);
  t.is(answers(d, UE6, SERVER6).length, 0);
  t.is(d.said('bind-failed')[0]?.code, 440);
});

test('[G-13] who asks again from another address of the host is told the same public address', (t) => {
  const d = newDirect();
  ask(d, UE, SERVER);
  const moved = endpoint('10.0.0.77:4000');
  const isOld = (address: Uint8Array) => address[3] === UE.address[3];
  const change = { isCutOff: () => false, isGone: isOld, isNew: () => false };
  d.client.networkChanged(change, d.now);
  ask(d, moved, SERVER);
  const [before] = answers(d, UE, SERVER);
  const [after] = answers(d, moved, SERVER);
  const addressIn = (message: StunMessage | undefined) =>
    message && find(message, 'XOR-MAPPED-ADDRESS');
  t.not(addressIn(before), undefined);
  t.deepEqual(addressIn(after), addressIn(before));
  t.is(d.serverTold('bound').length, 1);
});

test('[W-5] a source port of 0 is nobody', (t) => {
  const d = newDirect();
  ask(d, { ...UE, port: 0 }, SERVER);
  t.is(d.said('bind-failed').length + d.said('bound').length, 0);
  t.is(d.toUe.length, 0);
});
