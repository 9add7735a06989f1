/**
 * A second opinion on our octets from the npm package `stun`. It is asked only for what it does well:
 * it re-encodes a message to check integrity (so padding must be zero and no attribute foreign to
 * it), and reads the number of an error code wrong.
 */
import { Buffer } from 'node:buffer';
import { createSocket, type Socket } from 'node:dgram';
import test from 'ava';
import stun from 'stun';
import { type Endpoint, formatAddress, parseEndpoint } from '../../wire/address.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { answerBinding } from '../../wire/stun/binding.ts';
import { integrityRight } from '../../wire/stun/integrity.ts';
import { longTermKey } from '../../wire/stun/keys.ts';
import { decode, encode, find, type StunMessage, type StunParts } from '../../wire/stun/message.ts';
import { ATTRIBUTES } from '../../wire/stun/registry.ts';
import { TRANSACTION_ID } from '../wire/stun/vectors.ts';

const KEY = Buffer.from(
  longTermKey({ name: 'alice', password: 'secret' }, 'example.org', 'md5') ?? [],
);
const IPV4 = endpoint('192.0.2.1:32853');
const IPV6 = endpoint('[2001:db8:1234:5678:11:2233:4455:6677]:32853');
const TYPES = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function address(e: Endpoint): string {
  return formatAddress(e.address, 0, e.address.length);
}

function read(octets: Uint8Array): StunMessage {
  const message = decode(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error(`fault ${message}`);
  return message;
}

/** The same attribute given to the package: its number and values. */
function asArguments(attribute: Attribute): [number, ...unknown[]] {
  if (attribute.type === 'unknown') throw new Error('not known to the package');
  const number = ATTRIBUTES[attribute.type];
  switch (attribute.type) {
    case 'XOR-MAPPED-ADDRESS':
    case 'XOR-PEER-ADDRESS':
    case 'MAPPED-ADDRESS':
    case 'ALTERNATE-SERVER':
      return [number, address(attribute.value), attribute.value.port];
    case 'ERROR-CODE':
      return [number, attribute.value.code, attribute.value.reason];
    case 'ICE-CONTROLLED': {
      const octets = Buffer.alloc(8);
      octets.writeBigUInt64BE(attribute.value);
      return [number, octets];
    }
    case 'CHANNEL-NUMBER':
      return [number, attribute.value * 0x10000];
    case 'REQUESTED-TRANSPORT':
      return [number, attribute.value * 0x1000000];
    default:
      return [number, attribute.value];
  }
}

const MESSAGES: Readonly<Record<string, Pick<StunParts, 'class' | 'attributes'>>> = {
  'a long-term request': {
    class: 'request',
    attributes: [
      { type: 'SOFTWARE', value: 'tep' },
      { type: 'USERNAME', value: 'alice' },
      { type: 'REALM', value: 'example.org' },
      { type: 'NONCE', value: 'obMatJos2AAAAx' },
      { type: 'PRIORITY', value: 0x6e0001ff },
      { type: 'ICE-CONTROLLED', value: 0x932ff9b151263b36n },
    ],
  },
  'an IPv4 response': {
    class: 'success',
    attributes: [
      { type: 'XOR-MAPPED-ADDRESS', value: IPV4 },
      { type: 'MAPPED-ADDRESS', value: IPV4 },
      { type: 'LIFETIME', value: 30 },
    ],
  },
  'an IPv6 response': {
    class: 'success',
    attributes: [
      { type: 'XOR-MAPPED-ADDRESS', value: IPV6 },
      { type: 'ALTERNATE-SERVER', value: IPV6 },
    ],
  },
  'an error response': {
    class: 'error',
    attributes: [
      { type: 'ERROR-CODE', value: { code: 420, reason: 'Unknown Attribute' } },
      { type: 'UNKNOWN-ATTRIBUTES', value: [0x7777, 0x0003] },
    ],
  },
  'TURN attributes': {
    class: 'request',
    attributes: [
      { type: 'CHANNEL-NUMBER', value: 0x4001 },
      { type: 'REQUESTED-TRANSPORT', value: 17 },
      { type: 'XOR-PEER-ADDRESS', value: IPV4 },
      { type: 'RESPONSE-PORT', value: 40_000 },
    ],
  },
};

for (const [name, { class: kind, attributes }] of Object.entries(MESSAGES)) {
  const parts: StunParts = { class: kind, method: 1, transactionId: TRANSACTION_ID, attributes };
  const protection = {
    integrity: { key: KEY, algorithms: ['sha1'] as const },
    fingerprint: true,
  };

  test(`[M-08] ${name}: both make the same octets, integrity and fingerprint included`, (t) => {
    const theirs = stun.createMessage(TYPES[kind], Buffer.from(TRANSACTION_ID));
    for (const attribute of attributes) theirs.addAttribute(...asArguments(attribute));
    theirs.addMessageIntegrity(KEY);
    theirs.addFingerprint();
    const octets = theirs.toBuffer();
    t.is(octets.toString('hex'), Buffer.from(encode(parts, protection)).toString('hex'));
    t.deepEqual(read(octets).attributes, attributes);
    t.true(integrityRight(octets, 0, read(octets), 'sha1', KEY));
  });
}

test('[M-08] what we make, the package reads and finds right', (t) => {
  const { class: kind, attributes } = MESSAGES['a long-term request'] ?? {
    class: 'request',
    attributes: [],
  };
  const parts: StunParts = { class: kind, method: 1, transactionId: TRANSACTION_ID, attributes };
  const signed = encode(parts, {
    integrity: { key: KEY, algorithms: ['sha1'] },
    fingerprint: true,
  });
  const message = stun.decode(Buffer.from(signed));
  t.is(message.type, TYPES.request);
  t.deepEqual(new Uint8Array(message.transactionId), TRANSACTION_ID);
  t.is(message.getUsername(), 'alice');
  t.is(message.getRealm(), 'example.org');
  t.is(message.getNonce(), 'obMatJos2AAAAx');
  t.true(stun.validateMessageIntegrity(message, KEY));
  t.false(stun.validateMessageIntegrity(message, Buffer.from('wrong')));
  t.true(stun.validateFingerprint(message));
});

async function bound(socket: Socket): Promise<number> {
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket.address().port;
}

test('[M-05] the client of the package gets its address from our Binding answer', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  let client: Endpoint | undefined;
  socket.on('message', (octets, from) => {
    client = endpoint(`${from.address}:${from.port}`);
    const answer = answerBinding(read(octets), client, 'tep');
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  const response = await stun.request(`127.0.0.1:${await bound(socket)}`);
  t.like(response.getXorAddress(), { address: '127.0.0.1', port: client?.port ?? 0 });
  t.is(response.getSoftware(), 'tep');
});

test('[M-05] a server made with the package answers our Binding request', async (t) => {
  const serverSocket = createSocket('udp4');
  t.teardown(() => serverSocket.close());
  const port = await bound(serverSocket);
  const server = stun.createServer({ type: 'udp4', socket: serverSocket });
  server.on('bindingRequest', (request, from) => {
    const answer = stun.createMessage(TYPES.success, request.transactionId);
    answer.addXorAddress(from.address, from.port);
    answer.addFingerprint();
    server.send(answer, from.port, from.address);
  });
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const ourPort = await bound(socket);
  const octets = encode(
    { class: 'request', method: 1, transactionId: TRANSACTION_ID, attributes: [] },
    { fingerprint: true },
  );
  const answer = await new Promise<Uint8Array>((resolve) => {
    socket.once('message', resolve);
    socket.send(octets, port, '127.0.0.1');
  });
  t.deepEqual(find(read(answer), 'XOR-MAPPED-ADDRESS'), endpoint(`127.0.0.1:${ourPort}`));
  server.close();
});
