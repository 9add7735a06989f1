/** What settings have to do with each other: each rule, by what breaks it. */
import test from 'ava';
import { readSettings, type Sources } from '../../config/read.ts';
import { CLIENT_KEYS, checkClient } from '../../tep-client/settings.ts';
import { checkServer, SERVER_KEYS } from '../../tep-server/settings.ts';
import { scratch } from './scratch.ts';

const CLIENT = {
  servers: 'tep.example',
  user: 'alice',
  password: 'secret',
  'media.to': '203.0.113.0/24',
};
const SERVER = {
  users: 'users',
  'addresses.public': '198.51.100.7',
  'media.allow': '203.0.113.0/24',
};

const NG = {
  'ng.listen': 'udp://127.0.0.1:2223',
  'ng.rtpengine': 'udp://127.0.0.1:2224',
  'ng.advertise': 'tls://198.51.100.7:443',
};

const NO_SERVER =
  'say where TEP-S is, such as tls://tep.example; only sip.listen with sip.media: native needs none';

type Change = Readonly<Record<string, string | undefined>>;
type Case = readonly [change: Change, messages: readonly string[]];

/** Files `a` and `users` are there. */
const CLIENT_CASES: readonly Case[] = [
  [{}, []],
  [{ servers: undefined }, [`servers: ${NO_SERVER}`]],
  [
    {
      servers: undefined,
      user: undefined,
      password: undefined,
      'media.to': undefined,
      'packets.port': 'sockets',
      'sip.listen': '127.0.0.1:5060',
      'sip.core': 'pcscf.example',
      'sip.media': 'native',
    },
    [],
  ],
  [
    { user: undefined },
    ['user: auth: long-term needs a user name; auth: none is for servers that ask for nothing'],
  ],
  [{ stripes: '2', 'stripes-least': '3' }, ['stripes-least: is above stripes']],
  [{ password: undefined }, ['password: auth: long-term needs password or password-file']],
  [{ auth: 'none', user: undefined, password: undefined }, []],
  [{ auth: 'none' }, ['user: is not used with auth: none (warning)']],
  [
    { user: '"a\\u0007b"' },
    ['user: user or password holds a character that neither may have (RFC 8265)'],
  ],
  [{ proxy: 'http://u@p:1', 'proxy-password': 'x' }, []],
  [
    { proxy: 'http://p:1', 'proxy-password': 'x' },
    ['proxy-password: needs the user name: proxy: http://USER@HOST:PORT'],
  ],
  [
    { proxy: 'http://p:1', connect: 'never' },
    ['proxy: is not used with connect: never; remove one of them'],
  ],
  [{ proxy: 'http://a%3Ab@p:1' }, ['proxy: the name of a proxy user cannot hold a colon']],
  [{ 'tls.key': 'a' }, ['tls.key: needs its certificate in tls.certificate']],
  [
    { 'tls.certificate': 'a', servers: 'tls://x' },
    ['tls.certificate: needs its private key in tls.key'],
  ],
  [
    { 'tls.certificate': 'a', 'tls.key': 'a' },
    ['tls.certificate: no server with tls:// uses it (warning)'],
  ],
  [
    { 'tls.verify': 'false' },
    ['tls.verify: false: anyone on the way can pose as the server (warning)'],
  ],
  [
    { 'tls.legacy-ciphers': 'null', 'tls.min-version': '1.3' },
    [
      'tls.legacy-ciphers: TLS 1.3 has none of them: set tls.min-version: 1.2',
      'tls.legacy-ciphers: null: calls may not be encrypted (warning)',
    ],
  ],
  [
    { 'media.to': undefined },
    ['media.to: packets.port: rings needs to know which addresses go into the tunnel'],
  ],
  [{ maps: '127.0.0.1:1=1.1.1.1:1' }, ['maps: is for packets.port: sockets; rings needs no maps']],
  [
    { 'packets.port': 'sockets' },
    [
      'maps: packets.port: sockets needs maps or sip.listen, or set packets.port: rings',
      'media.to: is for packets.port: rings; with sockets, maps says where media go',
    ],
  ],
  [
    {
      'packets.port': 'sockets',
      'media.to': undefined,
      maps: '127.0.0.1:1=1.1.1.1:1',
      'media.without-tunnel': 'native',
    },
    ['media.without-tunnel: native is for packets.port: rings'],
  ],
  [
    { 'media.bind': 'static' },
    ['media.static: media.bind: static needs the addresses of the phone'],
  ],
  [
    { 'packets.interface': 'Tep-0' },
    ['packets: interface "Tep-0": 1 to 14 small letters and digits, a letter first'],
  ],
];

const RINGS = { 'packets.port': 'rings' };
const SERVER_CASES: readonly Case[] = [
  [{ ...NG, 'media.allow': undefined }, []],
  [
    { ...NG, 'ng.advertise': undefined },
    ['ng.advertise: ng.listen needs it: say where phones reach TEP-S'],
  ],
  [{ ...NG, 'ng.rtpengine': undefined }, ['ng.rtpengine: ng.listen has udp: say where that goes']],
  [
    { ...NG, 'ng.rtpengine': 'tcp://127.0.0.1:2224' },
    ['ng.rtpengine: ng.listen has udp: say where that goes'],
  ],
  [
    { ...NG, 'ng.rtpengine': '[udp://127.0.0.1:1, udp://127.0.0.1:2]' },
    ['ng.rtpengine: udp stands there more than once'],
  ],
  [{ ...NG, 'ng.rtpengine': 'udp://127.0.0.1:0' }, ['ng.rtpengine: port 0 is none']],
  [{ auth: 'short-term', users: undefined, ...NG }, []],
  [
    { auth: 'short-term', users: undefined },
    ['auth: short-term needs ng.listen, which tells the calls'],
  ],
  [
    { auth: 'short-term', ...NG },
    ['users: are not asked for with auth: short-term; remove one of them'],
  ],
  [{ 'ng.mark-offers': 'all' }, ['ng.mark-offers: is for ng.listen, which is not given']],
  [
    { 'ng.advertise': 'tcp://192.0.2.1:80' },
    ['ng.advertise: is for ng.listen, which is not given'],
  ],
  [{}, []],
  [{ users: undefined }, ['users: auth: long-term needs users or shared-secret-file']],
  [{ users: undefined, 'shared-secret-file': 'a' }, []],
  [
    { auth: 'none' },
    [
      'auth: none: everyone who can connect gets a tunnel to media.allow (warning)',
      'users: are not asked for with auth: none; remove one of them',
    ],
  ],
  [
    { 'media.allow': undefined },
    ['media.allow: say where the media gateways are: nothing else is let through'],
  ],
  [
    { 'media.allow': `[${Array.from({ length: 1_025 }, () => '10.0.0.0/8').join(', ')}]` },
    ['media.allow: more than 1024 entries: use prefixes'],
  ],
  [
    { 'addresses.public': undefined },
    ['addresses.public: relay needs the address of this host that media gateways send to'],
  ],
  [
    { ...RINGS },
    ['packets.port: addresses.mode: relay has sockets of its own: use packets.port: sockets'],
  ],
  [{ 'addresses.mode': 'pool' }, ['packets.port: addresses.mode: pool needs packets.port: rings']],
  [
    { ...RINGS, 'addresses.mode': 'pool', 'addresses.public': undefined },
    ['addresses.public: pool needs the prefixes that are routed to this host'],
  ],
  [
    { ...RINGS, 'addresses.mode': 'reflexive' },
    ['addresses.public: is not used with reflexive, where it is the address of the client'],
  ],
  [{ ...RINGS, 'addresses.mode': 'reflexive', 'addresses.public': undefined }, []],
  [{ 'tls.client-ca': 'a' }, ['tls.client-ca: needs tls.certificate']],
  [
    { listen: '["[::]:443"]' },
    ['listen: port 443 without tls.certificate: TLS connections will fail (warning)'],
  ],
  [
    { listen: '[systemd, "[::]:80"]' },
    ['listen: systemd stands for all sockets: name the others in tep-server.socket'],
  ],
];

function yamlOf(base: Change, change: Change): string {
  const entries = Object.entries({ ...base, ...change }).filter(([, value]) => value !== undefined);
  return entries.map(([name, value]) => `${name}: ${value}\n`).join('');
}

function messages({ problems }: Pick<ReturnType<typeof readSettings>, 'problems'>): string[] {
  return problems.map(({ severity, text }) => (severity === 'error' ? text : `${text} (warning)`));
}

for (const [name, base, cases, read] of [
  ['client', CLIENT, CLIENT_CASES, (s: Sources) => readSettings(CLIENT_KEYS, checkClient, s)],
  ['server', SERVER, SERVER_CASES, (s: Sources) => readSettings(SERVER_KEYS, checkServer, s)],
] as const) {
  for (const [change, expected] of cases) {
    test(`${name}: ${JSON.stringify(change, (_, v) => v ?? null).slice(0, 120)}`, (t) => {
      const { folder, file } = scratch(t);
      file('a', 'x');
      file('users', 'alice:secret\n');
      file('agent.yaml', yamlOf(base, change));
      const reading = read({ args: [], env: {}, folder, defaultFile: 'agent.yaml' });
      t.deepEqual(messages(reading).toSorted(), expected.toSorted());
      t.is(
        reading.settings === undefined,
        expected.some((text) => !text.endsWith('(warning)')),
      );
    });
  }
}
