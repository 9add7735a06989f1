/** Every setting of TEP-S: the table that file, command line, environment, help and types are made of. */
import {
  advertised,
  listenAddress,
  mediaRule,
  ngAddress,
  portRange,
  prefix,
} from '../config/address-kinds.ts';
import { file, path, privateFile, secret } from '../config/file-kinds.ts';
import { group, list, one, optional, type Values } from '../config/key.ts';
import { amount, choice, duration, flag, hexadecimal, number, text } from '../config/kinds.ts';
import type { CrossCheck } from '../config/read.ts';
import {
  checkPlace,
  checkTlsKeys,
  operationKeys,
  packetKeys,
  tlsKeys,
  transportKeys,
  waitingKeys,
} from '../config/shared-keys.ts';
import { DEFAULT_PLACE } from '../io/rings/place.ts';
import { MAX_RULES } from '../session/policy.ts';

export const SERVER_FILE = '/etc/tep/server.yaml';

/** By definition of HTTPS; a firewall that lets it pass expects TLS there. */
const PORT_TLS = 443;
const MAX_AMOUNT = 1e15;

export const SERVER_KEYS = {
  ...group('Listening', {
    listen: list(listenAddress, {
      meaning:
        'where clients connect; each takes plain connections, TLS and HTTP CONNECT. systemd: the sockets of tep-server.socket',
      default: ['[::]:80'],
      example: '[::]:443',
      reload: 'restart',
    }),
    'stun-udp': one(flag, {
      meaning: 'answer plain STUN by UDP on the same ports',
      default: 'true',
      reload: 'restart',
    }),
    'proxy-protocol.from': list(prefix, {
      meaning:
        'load balancers: each connection of theirs must begin with a PROXY protocol header, which tells the address of the client',
      example: '10.0.0.5',
      reload: 'live',
    }),
    workers: one(number(1, 64), {
      meaning:
        'processes that share the users; each gets a part of the ports or of the pool, with rings an interface: tep0, tep1, …',
      default: '1',
      reload: 'restart',
    }),
    drain: one(duration('0s', '24h'), {
      meaning: 'how long calls may go on after SIGTERM',
      default: '30s',
      reload: 'live',
    }),
  }),
  ...group('TLS', {
    'tls.certificate': optional(file, {
      meaning: 'certificate with those that it was issued by behind it (PEM)',
      example: '/etc/tep/certificate.pem',
      reload: 'live',
    }),
    'tls.key': optional(privateFile, {
      meaning: 'its private key (PEM)',
      example: '/etc/tep/key.pem',
      reload: 'live',
    }),
    'tls.client-ca': optional(file, {
      meaning: 'ask clients for a certificate of these authorities (PEM)',
      reload: 'live',
    }),
    ...tlsKeys,
  }),
  ...transportKeys,
  ...waitingKeys,
  ...group('Users', {
    auth: one(choice('long-term', 'short-term', 'none'), {
      meaning:
        'credentials of clients; short-term: ICE ufrag and pwd of a call that ng.listen has heard of; none lets everyone in',
      default: 'long-term',
      reload: 'restart',
    }),
    realm: one(text('NAME'), {
      meaning: 'realm of the credentials; stored keys depend on it',
      default: 'tep',
      reload: 'restart',
    }),
    users: optional(privateFile, {
      meaning:
        'file with a user a line: name:password, name:{sha256}KEY or name:{md5}KEY, keys of name:realm:password in hex',
      example: '/etc/tep/users',
      reload: 'live',
    }),
    'shared-secret': optional(secret, {
      meaning:
        'secret that time-limited users (EXPIRY:NAME) are made from; several, one a line, while it is replaced',
      orFile: 'shared-secret-file',
      reload: 'live',
    }),
    'shared-secret-file': optional(path, {
      meaning: 'file with nothing but that secret',
      example: '/etc/tep/shared-secret',
      reload: 'live',
    }),
  }),
  ...group('Public addresses and media', {
    'addresses.mode': one(choice('relay', 'pool', 'reflexive'), {
      meaning:
        "relay: this host's own; pool: prefixes that are routed to this host; reflexive: the client's as seen from here (TR 33.830 8.6)",
      default: 'relay',
      reload: 'restart',
    }),
    'addresses.public': list(prefix, {
      meaning: 'addresses that media gateways send to: of this host (relay) or routed here (pool)',
      example: '198.51.100.7',
      reload: 'restart',
    }),
    ports: optional(portRange, {
      meaning: 'ports that are given to calls (49152-65535 with relay, 16384-65535 otherwise)',
      example: '49152-65535',
      reload: 'restart',
    }),
    'media.allow': list(mediaRule, {
      meaning:
        'media gateways: media may go there and come from there, and nowhere else; with ng.listen only what calls open beside it',
      example: '203.0.113.0/24:1024-65535/udp',
      reload: 'live',
    }),
    ...packetKeys('sockets', 'one for each public port'),
    'packets.mark': one(hexadecimal(1, 2 ** 32 - 1), {
      meaning: 'bit of the packet mark for packets to reflexive addresses',
      default: `0x${DEFAULT_PLACE.mark.toString(16)}`,
      reload: 'restart',
    }),
  }),
  ...group('Beside rtpengine', {
    'ng.listen': list(ngAddress, {
      meaning:
        'where SIP proxies (Kamailio) control the media gateway through TEP-S, instead of at the gateway itself',
      example: 'udp://127.0.0.1:2223',
      reload: 'restart',
    }),
    'ng.rtpengine': list(ngAddress, {
      meaning: 'where the gateway (rtpengine) is controlled, one for each transport of ng.listen',
      example: 'udp://127.0.0.1:2224',
      reload: 'restart',
    }),
    'ng.advertise': optional(advertised, {
      meaning: 'where phones are told in SDP that TEP-S listens',
      example: 'tls://198.51.100.7:443',
      reload: 'live',
    }),
    'ng.mark-offers': list(text('INTERFACE|all'), {
      meaning:
        'interfaces of the gateway (direction) with phones behind them: offers are marked there before a phone has said that it can; all: every offer',
      example: 'access',
      reload: 'live',
    }),
  }),
  ...group('Limits', {
    'limits.tunnels-per-user': limit(number(1, 65_535), 'tunnels of one user at a time', '8'),
    'limits.bindings-per-user': limit(number(1, 65_535), 'public ports of one user', '128'),
    'limits.bindings-per-tunnel': limit(number(1, 65_535), 'public ports of one tunnel', '64'),
    'limits.packets-per-second': optional(amount(1, MAX_AMOUNT), {
      meaning: 'packets of one user, each way; no limit where absent',
      example: '5k',
      reload: 'live',
    }),
    'limits.bits-per-second': optional(amount(1_000, MAX_AMOUNT), {
      meaning: 'bits of one user, each way; no limit where absent',
      example: '20M',
      reload: 'live',
    }),
    'limits.connections': limit(amount(1, 1e6), 'connections in all', '10k'),
    'limits.connections-per-address': limit(
      amount(1, 1e6),
      'connections from one address that have not authenticated yet',
      '100',
    ),
    'limits.unauthenticated-octets': limit(
      amount(256, 65_535),
      'octets that a client may send before it has authenticated',
      '4096',
    ),
    'limits.greeting': limit(
      duration('1s', '5m'),
      'time in which a client must have authenticated',
      '10s',
    ),
    'limits.lifetime': limit(
      duration('1s', '1h'),
      'how long a tunnel without a connection keeps its public addresses',
      '30s',
    ),
  }),
  ...operationKeys('server'),
} as const;

export type ServerSettings = Values<typeof SERVER_KEYS>;

export const checkServer: CrossCheck<ServerSettings> = (s, tell) => {
  checkListening(s, tell);
  checkUsers(s, tell);
  checkAddresses(s, tell);
  checkPlace(s, tell);
  checkNg(s, tell);
  if (s['media.allow'].length === 0 && s['ng.listen'].length === 0) {
    tell('media.allow', 'say where the media gateways are: nothing else is let through');
  } else if (s['media.allow'].length > MAX_RULES) {
    tell('media.allow', `more than ${MAX_RULES} entries: use prefixes`);
  }
};

const checkListening: CrossCheck<ServerSettings> = (s, tell) => {
  checkTlsKeys(s, tell);
  const hasCertificate = s['tls.certificate'] !== undefined;
  if (s['tls.client-ca'] && !hasCertificate) tell('tls.client-ca', 'needs tls.certificate');
  const isTlsPort = s.listen.some((at) => at !== 'systemd' && at.port === PORT_TLS);
  if (isTlsPort && !hasCertificate) {
    tell('listen', 'port 443 without tls.certificate: TLS connections will fail', 'warning');
  }
  if (s.listen.length > 1 && s.listen.includes('systemd')) {
    tell('listen', 'systemd stands for all sockets: name the others in tep-server.socket');
  }
};

const checkUsers: CrossCheck<ServerSettings> = (s, tell) => {
  const hasUsers = s.users !== undefined || s['shared-secret'] !== undefined;
  if (s.auth === 'long-term' && !hasUsers) {
    tell('users', 'auth: long-term needs users or shared-secret-file');
  }
  if (s.auth === 'none') {
    tell('auth', 'none: everyone who can connect gets a tunnel to media.allow', 'warning');
  }
  if (s.auth === 'short-term' && s['ng.listen'].length === 0) {
    tell('auth', 'short-term needs ng.listen, which tells the calls');
  }
  if (s.auth !== 'long-term' && hasUsers) {
    tell('users', `are not asked for with auth: ${s.auth}; remove one of them`);
  }
};

const checkAddresses: CrossCheck<ServerSettings> = (s, tell) => {
  const mode = s['addresses.mode'];
  const hasPublic = s['addresses.public'].length > 0;
  const port = s['packets.port'];
  if (mode === 'reflexive' && hasPublic) {
    tell('addresses.public', 'is not used with reflexive, where it is the address of the client');
  }
  if (mode === 'relay' && !hasPublic) {
    tell('addresses.public', 'relay needs the address of this host that media gateways send to');
  }
  if (mode === 'pool' && !hasPublic) {
    tell('addresses.public', 'pool needs the prefixes that are routed to this host');
  }
  if (mode !== 'relay' && port !== 'rings') {
    tell('packets.port', `addresses.mode: ${mode} needs packets.port: rings`);
  }
  if (mode === 'relay' && port !== 'sockets') {
    tell('packets.port', 'addresses.mode: relay has sockets of its own: use packets.port: sockets');
  }
};

const checkNg: CrossCheck<ServerSettings> = (s, tell) => {
  const gateways = s['ng.rtpengine'];
  if (s['ng.listen'].length === 0) {
    const useless = (['ng.advertise', 'ng.mark-offers', 'ng.rtpengine'] as const).find((key) => {
      const value = s[key];
      return Array.isArray(value) ? value.length > 0 : value !== undefined;
    });
    if (useless !== undefined) tell(useless, 'is for ng.listen, which is not given');
    return;
  }
  if (s['ng.advertise'] === undefined) {
    tell('ng.advertise', 'ng.listen needs it: say where phones reach TEP-S');
  }
  for (const { transport } of s['ng.listen']) {
    const count = gateways.filter((one) => one.transport === transport).length;
    if (count === 0) tell('ng.rtpengine', `ng.listen has ${transport}: say where that goes`);
    if (count > 1) tell('ng.rtpengine', `${transport} stands there more than once`);
  }
  if (gateways.some(({ at }) => at.port === 0)) tell('ng.rtpengine', 'port 0 is none');
};

function limit(kind: Parameters<typeof one<number>>[0], meaning: string, fallback: string) {
  return one(kind, { meaning, default: fallback, reload: 'live' });
}
