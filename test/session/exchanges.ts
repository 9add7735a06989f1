/** The exchanges of test/vectors/tep-wire: what is set up, what happens when, and what it means. */
import { Buffer } from 'node:buffer';
import { Policy } from '../../session/policy.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import type { LongTermPolicy } from '../../wire/stun/server-auth.ts';
import { userTable } from '../../wire/stun/users.ts';
import type { Exchange } from './exchange.ts';
import { keyOf, sum } from './tiny-reader.ts';

export const REALM = 'ims.example.org';
export const NAME = 'alice';
export const PASSWORD = 'open sesame';
/** Of a session: the peer's ufrag and our own, the peer's pwd (RFC 8445 7.2.2). */
export const SESSION = { name: 'evtj:h6vY', password: 'VOkJxbRl1RmTxUk/WvJxBt' };

const OUTER = '198.51.100.7:40000';
const GATEWAY = endpoint('192.0.2.10:30000');
const RTP = endpoint('10.0.0.2:4000');
const RTCP = endpoint('10.0.0.2:4001');
const OTHER = endpoint('10.0.0.2:5000');
/** What the client asks for, and gets, in reflexive mode. */
const PUBLIC = endpoint('198.51.100.7:20000');
const UDP = 17;

const ALICE = { name: NAME, password: PASSWORD };
const HA1 = { name: NAME, md5: keyOf('md5', NAME, REALM, PASSWORD) };

const LONG_TERM: LongTermPolicy = {
  mechanism: 'long-term',
  realm: REALM,
  users: userTable([ALICE], REALM),
  nonceSecret: new Uint8Array(32).fill(7),
  nonceLifetimeMs: 600_000,
  keyHashes: ['sha256', 'md5'],
  anonymity: false,
};

const SETTING = {
  from: OUTER,
  client: { auth: { mechanism: 'long-term', credentials: ALICE } },
  server: {
    auth: LONG_TERM,
    policy: new Policy({
      rules: [{ prefix: prefix('192.0.2.0/24'), ports: { first: 30_000, last: 39_999 } }],
      maxPinholes: 1,
      seed: new Uint8Array(8),
    }),
    addresses: { mode: 'reflexive' },
  },
} as const;

const UP = udpPacket(RTP, GATEWAY, 'media of the UE');
const DOWN = udpPacket(GATEWAY, PUBLIC, 'media for the UE');

/** The first messages of every long-term tunnel. */
const OPENED = [
  'A new tunnel is asked for. The first request of a connection is bare.',
  'TEP-S does not know yet who asks: realm, nonce, and the hashes it offers, best first.',
  'The same again with a new transaction id, signed with the first offered hash that TEP-C can use.',
  "The tunnel is open: the client's address, the token, and how long the tunnel lives without a connection.",
];
const BOUND = [
  'The UE address 10.0.0.2:4000 wants to be reachable, at port 20000 if that is free.',
  'Bound to 198.51.100.7:20000.',
];

export const EXCHANGES: readonly Exchange[] = [
  {
    ...SETTING,
    name: 'call',
    about: [
      'A whole call: open (401, then long-term with SHA-256), bind a pair for RTP and RTCP, media both',
      'ways, STUN of an application, TEP-STATS, keep-alive, release, close.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    client: { ...SETTING.client, stunAt: [GATEWAY] },
    steps: [
      { at: 0, client: (c, now) => c.bind(RTP, { port: 20_000, pair: true }, now) },
      { at: 20, ue: UP },
      { at: 40, core: DOWN },
      { at: 60, ue: udpPacket(RTCP, GATEWAY, 'RTCP of the UE') },
      { at: 80, ue: applicationStun() },
      { at: 5060 },
      { at: 20_100 },
      {
        at: 20_200,
        client: (c, now) => {
          c.release(RTP, UDP, now);
          c.release(OTHER, UDP, now);
        },
      },
      { at: 30_200 },
    ],
    says: [
      ...OPENED,
      'The UE addresses 10.0.0.2:4000 and :4001 want to be reachable, at ports 20000 and 20001 if those are free.',
      'Bound to 198.51.100.7:20000 and :20001.',
      'A packet of the application.',
      'The record: source is the public address, the checksums follow; nothing else has changed.',
      'TEP-S hands it to the core as it is.',
      'A packet of the media gateway, as the core sends it to the public address.',
      'The record is the packet as it is.',
      "TEP-C makes the UE's own address the destination.",
      'A packet from the odd port of the pair.',
      'The record: its source is the odd public port.',
      'TEP-S hands it to the core.',
      'The application asks the media gateway by STUN for its public address, from a socket that is not bound yet.',
      'TEP-C binds that socket first: any port.',
      'Bound to 198.51.100.7 and a port that TEP-S chose.',
      'TEP-C answers the application in the place of the gateway.',
      'What TEP-C has received, and by the way the round trip.',
      'What TEP-S has received of this tunnel.',
      'TEP-C has sent nothing for 15 s.',
      'Neither has TEP-S.',
      'The pair is given back: port and flags as they were granted, with the release flag.',
      'The binding of the other socket is given back.',
      'Released.',
      'Released.',
      'Nothing has been bound for 10 s: TEP-C ends the tunnel.',
      'All is freed. The connection ends after this.',
    ],
  },
  {
    ...SETTING,
    name: 'join',
    about: [
      'A tunnel of two connections: the second one joins with the token and its stripe index.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    client: { ...SETTING.client, stripes: 2 },
    steps: [
      { at: 0, client: (c, now) => c.open(now) },
      { at: 20, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) },
      { at: 40, ue: UP },
      { at: 60, core: DOWN },
    ],
    says: [
      ...OPENED,
      'The second connection joins the tunnel of this token, as stripe 1.',
      'A connection has its own nonce: this one is challenged too.',
      'The same again, signed.',
      'Part of the tunnel: the same token, but the address of this connection.',
      ...BOUND,
      'A packet of the application.',
      'The record, on the connection that TEP-C likes best.',
      'TEP-S hands it to the core.',
      'A packet of the core.',
      'The record, on the connection that TEP-S likes best.',
      'TEP-C hands it to the application.',
    ],
  },
  {
    ...SETTING,
    name: 'resume',
    about: [
      'The connection is lost after 6 s; another one, from another port of the NAT, resumes the tunnel.',
      'The binding is still there and the public address is the old one.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    steps: [
      { at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) },
      { at: 6000, lose: 1 },
      { at: 6020, core: DOWN },
      { at: 6040, ue: UP },
    ],
    says: [
      ...OPENED,
      ...BOUND,
      'The tunnel of this token is to go on here.',
      'The new connection is challenged like any other.',
      'The same again, signed by the user who opened the tunnel.',
      'Resumed: the same token. The address is the new one of this connection; the bindings keep theirs.',
      'A packet of the core to the public address of before.',
      'The record.',
      'TEP-C hands it to the application.',
      'A packet of the application.',
      'The record: the source is the public address of before.',
      'TEP-S hands it to the core.',
    ],
  },
  {
    ...SETTING,
    name: 'forgotten',
    about: [
      'TEP-S is stopped and comes back without its tunnels: the token is not known any more. A new tunnel',
      'is opened on the same connection, and the port of before is asked for.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    steps: [
      { at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) },
      { at: 6000, server: (s, now) => s.stop(now) },
    ],
    says: [
      ...OPENED,
      ...BOUND,
      'The tunnel of this token is to go on here.',
      'The new connection is challenged like any other.',
      'The same again, signed.',
      'There is no such tunnel, or it is not of this user.',
      'A new tunnel is asked for, signed at once: this connection has its nonce.',
      'The new tunnel is open: another token.',
      'The port of before is wanted.',
      'Bound to 198.51.100.7:20000 again, so that the SDP of the call still holds.',
    ],
  },
  {
    ...SETTING,
    name: 'md5',
    about: [
      'Long-term with MD5 in the way of RFC 8489: TEP-S offers MD5 alone, for its users are known by H(A1).',
      'The HMAC is that of SHA-256 all the same. H(A1) is MD5("alice:ims.example.org:open sesame").',
    ],
    client: { auth: { mechanism: 'long-term', credentials: HA1 } },
    server: {
      ...SETTING.server,
      auth: { ...LONG_TERM, users: userTable([HA1], REALM), keyHashes: ['md5'] },
    },
    steps: [{ at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) }],
    says: [...OPENED, ...BOUND],
  },
  {
    ...SETTING,
    name: 'rfc5389',
    about: [
      'Long-term in the way of RFC 5389: TEP-S offers no hashes, so MD5 and MESSAGE-INTEGRITY (SHA-1).',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    server: { ...SETTING.server, auth: { ...LONG_TERM, keyHashes: [] } },
    steps: [{ at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) }],
    says: [...OPENED, ...BOUND],
  },
  {
    ...SETTING,
    name: 'userhash',
    about: [
      'TEP-S asks for anonymity by a bit of the nonce: the client shows USERHASH in place of USERNAME.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    server: { ...SETTING.server, auth: { ...LONG_TERM, anonymity: true } },
    steps: [{ at: 0, client: (c, now) => c.open(now) }],
    says: OPENED,
  },
  {
    ...SETTING,
    name: 'short-term',
    about: [
      'Short-term credentials out of the SDP of a session: user evtj:h6vY, password VOkJxbRl1RmTxUk/WvJxBt.',
    ],
    client: { auth: { mechanism: 'short-term', credentials: SESSION } },
    server: {
      ...SETTING.server,
      auth: { mechanism: 'short-term', users: userTable([SESSION], REALM) },
    },
    steps: [{ at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) }],
    says: [
      'No challenge is needed. The first request has both HMACs, for TEP-C does not know which one TEP-S can.',
      'The answer has the better one.',
      'From now on only that one.',
      BOUND[1] ?? '',
    ],
  },
  {
    ...SETTING,
    name: 'stale-nonce',
    about: [
      'Nonces live for 10 s here. A bind request after that is refused with 438 and sent again.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    server: { ...SETTING.server, auth: { ...LONG_TERM, nonceLifetimeMs: 10_000 } },
    steps: [
      { at: 0, client: (c, now) => c.open(now) },
      { at: 12_000, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) },
    ],
    says: [
      ...OPENED,
      BOUND[0] ?? '',
      'The nonce has become too old; here is a new one. Nothing has been bound.',
      'The same with a new transaction id and the new nonce, which all later requests of this connection have too.',
      BOUND[1] ?? '',
    ],
  },
  {
    ...SETTING,
    name: 'quota',
    about: [
      'TEP-S allows two public ports per tunnel here. The third one is refused; the tunnel goes on.',
      'User alice, password "open sesame", realm ims.example.org.',
    ],
    server: { ...SETTING.server, quota: { bindingsPerTunnel: 2 } },
    steps: [
      { at: 0, client: (c, now) => c.bind(RTP, { port: 20_000, pair: true }, now) },
      { at: 20, client: (c, now) => c.bind(OTHER, {}, now) },
      { at: 40, ue: UP },
    ],
    says: [
      ...OPENED,
      'A pair is two ports.',
      'Bound to 198.51.100.7:20000 and :20001.',
      'One more port, any.',
      'The quota is used up. The error is signed as a success is.',
      'A packet of the application.',
      'The record.',
      'TEP-S hands it to the core.',
    ],
  },
  {
    ...SETTING,
    name: 'icmp',
    about: [
      'ICMP errors in both directions: "port unreachable" about a packet that passed before. The packet',
      'inside is translated as the packet itself would be. TEP-S asks nobody who he is here.',
    ],
    client: { auth: { mechanism: 'none' } },
    server: { ...SETTING.server, auth: { mechanism: 'none' } },
    steps: [
      { at: 0, client: (c, now) => c.bind(RTP, { port: 20_000 }, now) },
      { at: 20, ue: portUnreachable(udpPacket(GATEWAY, RTP, 'media for the UE')) },
      { at: 40, core: portUnreachable(udpPacket(PUBLIC, GATEWAY, 'media of the UE')) },
    ],
    says: [
      'A new tunnel is asked for.',
      'TEP-S lets everybody in: no integrity, FINGERPRINT alone.',
      ...BOUND,
      "The UE's host says about a packet that it got: no such port.",
      'The record: source outside and destination inside are the public address, all sums follow.',
      'TEP-S hands it to the core: outside it comes from where the packet inside went to.',
      'The core says about a packet of the UE: no such port.',
      'The record is the packet as it is.',
      "TEP-C makes the UE's own address the destination outside and the source inside.",
    ],
  },
];

/** An ordinary Binding request to the gateway's media address. */
function applicationStun(): Uint8Array {
  const request = Buffer.from('000100002112a4420102030405060708090a0b0c', 'hex');
  return udpPacket(OTHER, GATEWAY, request);
}

function udpPacket(source: Endpoint, destination: Endpoint, content: string | Buffer): Uint8Array {
  const payload = Buffer.from(content);
  const out = new Uint8Array(28 + payload.length);
  writeUdpPacket(out, 0, source, destination, payload, 0, payload.length);
  return out;
}

/** From the destination of the packet to its source, with its headers inside (RFC 792). */
function portUnreachable(about: Uint8Array): Uint8Array {
  const inside = Buffer.from(about.subarray(0, 28));
  const b = Buffer.concat([
    Buffer.from([0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0]),
    inside.subarray(16, 20),
    inside.subarray(12, 16),
    Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]),
    inside,
  ]);
  b.writeUInt16BE(0xffff - sum(b.subarray(20)), 22);
  b.writeUInt16BE(0xffff - sum(b.subarray(0, 20)), 10);
  return Uint8Array.from(b);
}

function endpoint(text: string): Endpoint {
  const found = parseEndpoint(text);
  if (found === undefined) throw new RangeError(text);
  return found;
}

function prefix(text: string) {
  const found = parsePrefix(text);
  if (found === undefined) throw new RangeError(text);
  return found;
}
