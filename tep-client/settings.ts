/** Every setting of TEP-C: the table that file, command line, environment, help and types are made of. */
import {
  endpoint,
  headerLine,
  mediaRule,
  proxy,
  server,
  socketMap,
  staticBinding,
} from '../config/address-kinds.ts';
import { file, path, privateFile, secret } from '../config/file-kinds.ts';
import { group, list, one, optional, type Values } from '../config/key.ts';
import { choice, duration, flag, number, text } from '../config/kinds.ts';
import type { CrossCheck } from '../config/read.ts';
import type { Secret } from '../config/secret.ts';
import {
  checkPlace,
  checkTlsKeys,
  fileOrAuto,
  operationKeys,
  packetKeys,
  tlsKeys,
  transportKeys,
  waitingKeys,
} from '../config/shared-keys.ts';
import { credentialsProblem } from '../framing/connect/credentials.ts';
import { DEFAULT_MARKER } from '../framing/connect/request.ts';
import { MAX_STRIPES } from '../session/options.ts';
import { prepareCredentials } from '../wire/stun/keys.ts';
import { checkSip, sipKeys } from './sip/settings.ts';

export const CLIENT_FILE = '/etc/tep/client.yaml';

export const CLIENT_KEYS = {
  ...group('Tunnel server', {
    servers: list(server, {
      meaning: 'where TEP-S is; several are tried in this order, the next one when one fails',
      example: 'tls://tep.example',
      reload: 'live',
    }),
    auth: one(choice('long-term', 'short-term', 'none'), {
      meaning:
        'credentials: long-term of a subscription, short-term of one session (ICE ufrag and pwd), or none',
      default: 'long-term',
      reload: 'live',
    }),
    user: optional(text('NAME'), { meaning: 'user name', example: 'alice', reload: 'live' }),
    password: optional(secret, {
      meaning: 'password, in a file that only the agent can read',
      orFile: 'password-file',
      reload: 'live',
    }),
    'password-file': optional(path, {
      meaning: 'file with nothing but the password',
      example: '/etc/tep/password',
      reload: 'live',
    }),
    stripes: one(number(1, MAX_STRIPES), {
      meaning:
        'most connections of a tunnel: so many where segments get lost and packets are many, for a lost one delays only what follows it on its connection',
      default: String(MAX_STRIPES),
      reload: 'restart',
    }),
    'stripes-least': one(number(1, MAX_STRIPES), {
      meaning:
        'connections of a tunnel from the start and on a clean path; more than 1 where the system cannot tell of losses',
      default: '1',
      reload: 'restart',
    }),
    linger: one(duration('0s', '1h'), {
      meaning: 'how long the tunnel stays open after the last call',
      default: '10s',
      reload: 'restart',
    }),
    'tunnel-file': one(fileOrAuto('the name of a file'), {
      meaning:
        'where the tunnel is noted, so that calls go on when the agent is killed and started again; ' +
        'auto: beside the status socket, where there is one',
      default: 'auto',
      reload: 'restart',
    }),
    'stun.discover': one(flag, {
      meaning:
        'ask for the public address by UDP STUN first, and by the tunnel where that does not pass',
      default: 'true',
      reload: 'restart',
    }),
  }),
  ...group('Proxies', {
    connect: one(choice('auto', 'always', 'never'), {
      meaning:
        'HTTP CONNECT. auto: through a proxy where there is one; always: even to TEP-S itself, for firewalls that let only HTTP pass; never: no proxy',
      default: 'auto',
      reload: 'live',
    }),
    proxy: optional(proxy, {
      meaning:
        'HTTP proxy; where absent, the one of the environment (https_proxy, http_proxy, no_proxy)',
      example: 'http://alice@proxy.example:3128',
      reload: 'live',
    }),
    'proxy-password': optional(secret, {
      meaning: 'password of the proxy (Basic or Digest)',
      orFile: 'proxy-password-file',
      reload: 'live',
    }),
    'proxy-password-file': optional(path, {
      meaning: 'file with nothing but the password of the proxy',
      reload: 'live',
    }),
    marker: list(headerLine, {
      meaning: 'header lines of CONNECT by which operators tell IMS traffic',
      default: DEFAULT_MARKER,
      separator: '\n',
      reload: 'live',
    }),
  }),
  ...group('TLS, for servers with tls://', {
    'tls.ca': optional(file, {
      meaning:
        'certificates of authorities to trust instead of the public ones that Node brings (PEM)',
      example: '/etc/tep/ca.pem',
      reload: 'live',
    }),
    'tls.certificate': optional(file, {
      meaning: 'certificate of our own, where the server asks for one (PEM)',
      reload: 'live',
    }),
    'tls.key': optional(privateFile, { meaning: 'its private key (PEM)', reload: 'live' }),
    'tls.server-name': optional(text('NAME'), {
      meaning:
        'name that the certificate of the server must have, where it is not that of the address',
      reload: 'live',
    }),
    'tls.verify': one(flag, {
      meaning:
        'check certificate and name of the server; false lets anyone on the way read and change calls',
      default: 'true',
      reload: 'live',
    }),
    ...tlsKeys,
  }),
  ...transportKeys,
  ...waitingKeys,
  ...group('Packets of the phone', {
    ...packetKeys('rings', 'sockets for what maps names'),
    'media.to': list(mediaRule, {
      meaning: 'media gateways: what goes there takes the tunnel (rings)',
      example: '203.0.113.0/24',
      reload: 'restart',
    }),
    'media.bind': one(choice('first-packet', 'static'), {
      meaning:
        'which addresses of the phone get a public one: whichever sends, or those of media.static only',
      default: 'first-packet',
      reload: 'live',
    }),
    'media.static': list(staticBinding, {
      meaning: 'addresses of the phone that are bound from the start',
      example: '10.0.0.2:4000+',
      reload: 'live',
    }),
    'media.idle': one(duration('1s', '24h'), {
      meaning: 'a binding made by a first packet ends when nothing was sent for so long',
      default: '60s',
      reload: 'live',
    }),
    'media.max-bindings': one(number(1, 65_535), {
      meaning: 'addresses of the phone that may be bound at a time, a pair of ports counting once',
      default: '64',
      reload: 'restart',
    }),
    'media.without-tunnel': one(choice('refuse', 'native'), {
      meaning:
        'media while no tunnel can be had: refuse at once (ICMP), or native, without the tunnel',
      default: 'refuse',
      reload: 'live',
    }),
    maps: list(socketMap, {
      meaning:
        'sockets that stand for media addresses: what the phone sends to the first goes to the second',
      example: '127.0.0.1:4000=203.0.113.9:30000',
      reload: 'restart',
    }),
    'stun-at': list(endpoint, {
      meaning:
        "addresses at which the phone's own STUN requests are answered with its public address",
      example: '203.0.113.9:3478',
      reload: 'restart',
    }),
  }),
  ...sipKeys,
  ...operationKeys('client'),
} as const;

export type ClientSettings = Values<typeof CLIENT_KEYS>;

export const checkClient: CrossCheck<ClientSettings> = (s, tell) => {
  checkStripes(s, tell);
  checkServers(s, tell);
  checkCredentials(s, tell);
  checkTls(s, tell);
  checkPackets(s, tell);
  checkPlace(s, tell);
  checkSip(s, tell);
};

const checkStripes: CrossCheck<ClientSettings> = (s, tell) => {
  if (s['stripes-least'] > s.stripes) tell('stripes-least', 'is above stripes');
};

/** A sidecar that carries signalling alone needs no tunnel. */
const checkServers: CrossCheck<ClientSettings> = (s, tell) => {
  if (s.servers.length > 0) return;
  const isSignalling = s['sip.listen'].length > 0 && s['sip.media'] === 'native';
  const hasMedia = [s.maps, s['media.static'], s['media.to']].some((one) => one.length > 0);
  if (isSignalling && !hasMedia) return;
  tell(
    'servers',
    'say where TEP-S is, such as tls://tep.example; only sip.listen with sip.media: native needs none',
  );
};

const checkCredentials: CrossCheck<ClientSettings> = (s, tell) => {
  if (s.servers.length > 0) checkUser(s, tell);
  checkNames(s, tell);
  if (s['proxy-password'] !== undefined && s.proxy?.user === undefined) {
    tell('proxy-password', 'needs the user name: proxy: http://USER@HOST:PORT');
  }
  if (s.connect === 'never' && s.proxy !== undefined) {
    tell('proxy', 'is not used with connect: never; remove one of them');
  }
};

const checkUser: CrossCheck<ClientSettings> = (s, tell) => {
  if (s.auth !== 'none' && s.user === undefined) {
    tell(
      'user',
      `auth: ${s.auth} needs a user name; auth: none is for servers that ask for nothing`,
    );
  }
  if (s.auth !== 'none' && s.password === undefined) {
    tell('password', `auth: ${s.auth} needs password or password-file`);
  }
  if (s.auth === 'none' && s.user !== undefined) {
    tell('user', 'is not used with auth: none', 'warning');
  }
};

/** What no server and no proxy can be told. */
const checkNames: CrossCheck<ClientSettings> = (s, tell) => {
  if (s.user !== undefined && s.password !== undefined && !isPreparable(s.user, s.password)) {
    tell('user', 'user or password holds a character that neither may have (RFC 8265)');
  }
  const name = s.proxy?.user ?? '';
  const problem = credentialsProblem({ name, password: s['proxy-password']?.reveal() ?? '' });
  if (problem !== undefined) tell('proxy', problem);
};

const checkTls: CrossCheck<ClientSettings> = (s, tell) => {
  checkTlsKeys(s, tell);
  if (!s['tls.verify']) {
    tell('tls.verify', 'false: anyone on the way can pose as the server', 'warning');
  }
  const usesTls = s.servers.some(({ tls }) => tls);
  if (s['tls.certificate'] && !usesTls)
    tell('tls.certificate', 'no server with tls:// uses it', 'warning');
};

const checkPackets: CrossCheck<ClientSettings> = (s, tell) => {
  const rings = s['packets.port'] === 'rings';
  if (rings && s['media.to'].length === 0) {
    tell('media.to', 'packets.port: rings needs to know which addresses go into the tunnel');
  }
  if (rings && s.maps.length > 0) tell('maps', 'is for packets.port: sockets; rings needs no maps');
  if (!rings && s.maps.length === 0 && s['sip.listen'].length === 0) {
    tell('maps', 'packets.port: sockets needs maps or sip.listen, or set packets.port: rings');
  }
  if (!rings && s['media.to'].length > 0) {
    tell('media.to', 'is for packets.port: rings; with sockets, maps says where media go');
  }
  if (!rings && s['media.without-tunnel'] === 'native') {
    tell('media.without-tunnel', 'native is for packets.port: rings');
  }
  if (s['media.bind'] === 'static' && s['media.static'].length === 0) {
    tell('media.static', 'media.bind: static needs the addresses of the phone');
  }
};

function isPreparable(name: string, password: Secret): boolean {
  try {
    prepareCredentials({ name, password: password.reveal() });
    return true;
  } catch {
    return false;
  }
}
