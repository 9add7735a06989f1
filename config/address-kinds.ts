/** Kinds of values of the network: addresses, ports, prefixes, servers, proxies. */
import { markerProblem } from '../framing/connect/request.ts';
import { type ProxyAddress, parseProxy } from '../io/dial/proxy-address.ts';
import type { PolicyRule } from '../session/policy.ts';
import type { PortRange } from '../session/port-allocator.ts';
import { type Endpoint, MAX_PORT, parseAddress, parseEndpoint } from '../wire/address.ts';
import { type Prefix, parsePrefix } from '../wire/prefix.ts';
import { PROTOCOL as TCP } from '../wire/tcp.ts';
import { PROTOCOL as UDP } from '../wire/udp.ts';
import type { Kind, Read } from './key.ts';

const PORT_PLAIN = 80;
const PORT_TLS = 443;
const PORT_SIP = 5060;
/** RFC 1123 2.1: letters, digits and hyphens; underscores are found in private zones. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i;
/** Four numbers that are no address would otherwise be asked of the DNS. */
const NUMERIC = /^[\d.]+$/;

/** A TEP-S to connect to. */
export interface ServerAddress {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** An address of the application that is bound from the start. */
export interface StaticBinding {
  readonly ue: Endpoint;
  readonly protocol: 6 | 17;
  /** With its odd neighbour, for RTP with RTCP. */
  readonly pair: boolean;
}

/** A local socket that stands for a media address. */
export interface SocketMap {
  readonly local: Endpoint;
  readonly media: Endpoint;
}

/** Where a media gateway is controlled. */
export interface NgAddress {
  readonly transport: 'udp' | 'tcp' | 'http';
  readonly at: Endpoint;
}

/** Where phones are told that TEP-S listens. */
export interface Advertised {
  readonly transport: 'TCP' | 'TLS';
  readonly at: Endpoint;
}

export const endpoint = kind('ADDRESS:PORT', '192.0.2.1:5004 or [2001:db8::1]:5004', (text) => {
  const value = parseEndpoint(text);
  return value === undefined || value.port === 0 ? undefined : value;
});

/** Where to listen: port 0 is any free one. */
export const listenAddress = kind<Endpoint | 'systemd'>(
  'ADDRESS:PORT|systemd',
  'such as [::]:80 (all addresses), 192.0.2.1:443, or systemd',
  (text) => (text === 'systemd' ? text : parseEndpoint(text)),
);

export const prefix = kind<Prefix>(
  'PREFIX',
  'a prefix such as 203.0.113.0/24 or 2001:db8::/32 without bits behind it, or one address',
  parsePrefix,
);

export const portRange = kind<PortRange>('FIRST-LAST', 'ports such as 49152-65535', parsePorts);

export const server = kind<ServerAddress>(
  'SERVER',
  'a server: tep.example, tcp://tep.example:80, tls://tep.example:443 or tls://[2001:db8::1]',
  (text) => {
    const [, scheme = 'tcp', rest = ''] = /^(?:(tcp|tls):\/\/)?(.*)$/.exec(text) ?? [];
    const tls = scheme === 'tls';
    const target = parseHostPort(rest, tls ? PORT_TLS : PORT_PLAIN);
    return target && { ...target, tls };
  },
);

/** Port 0 is any free one. */
export const ngAddress = kind<NgAddress>(
  'udp|tcp|http://ADDRESS:PORT',
  'such as udp://127.0.0.1:2223, tcp://127.0.0.1:2223 or http://127.0.0.1:2225 (with WebSockets)',
  (text) => {
    const [, transport = '', rest = ''] = /^(udp|tcp|http):\/\/(.*)$/.exec(text) ?? [];
    const at = parseEndpoint(rest);
    return at && { transport: transport as NgAddress['transport'], at };
  },
);

export const advertised = kind<Advertised>(
  'tcp|tls://ADDRESS:PORT',
  'an address that phones can reach, such as tcp://198.51.100.7:80 or tls://198.51.100.7:443',
  (text) => {
    const [, scheme, rest = ''] = /^(tcp|tls):\/\/(.*)$/.exec(text) ?? [];
    const at = parseEndpoint(rest);
    if (at === undefined || at.port === 0) return undefined;
    return { transport: scheme === 'tls' ? 'TLS' : 'TCP', at };
  },
);

/** A way to a SIP proxy. */
export interface SipServer {
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Without a scheme all ways to it, the plainest first. */
export const sipServer = kind<readonly SipServer[]>(
  'P-CSCF',
  'a P-CSCF: pcscf.example (UDP and TCP 5060, then TLS 443), udp://pcscf.example:5060, tcp://… or tls://…',
  (text) => {
    const [, scheme, rest = ''] = /^(?:(udp|tcp|tls):\/\/)?(.*)$/.exec(text) ?? [];
    const ways = (['udp', 'tcp', 'tls'] as const).filter((way) => (scheme ?? way) === way);
    const found = ways.map((transport) => {
      const target = parseHostPort(rest, transport === 'tls' ? PORT_TLS : PORT_SIP);
      return target && { transport, ...target };
    });
    const whole = found.filter((one) => one !== undefined);
    const isOne = scheme !== undefined || parseHostPort(rest, undefined) === undefined;
    return whole.length === ways.length && isOne ? whole : undefined;
  },
);

/** Where phones speak to us: an address that they can be told, and any free port for 0. */
export const phoneAddress = kind<Endpoint>(
  'ADDRESS:PORT',
  'one address of this machine: 127.0.0.1:5060 or [::1]:5060',
  (text) => {
    const at = parseEndpoint(text);
    return at?.address.every((octet) => octet === 0) === false ? at : undefined;
  },
);

/** A password has a key of its own: this one is shown to whoever asks for the settings. */
export const proxy: Kind<ProxyAddress> = {
  placeholder: 'http://[USER@]HOST:PORT',
  expects: 'a proxy: http://proxy.example:3128 or http://user@proxy.example:3128',
  isNeverQuoted: true,
  read(text) {
    const found = parseProxy(text);
    if (typeof found === 'string') return { wrong: found };
    if (found.password === undefined) return { value: found };
    return { wrong: 'the password does not belong here: use proxy-password-file' };
  },
};

/** RFC 9110 5.1 and 5.5. */
export const headerLine = kind(
  'NAME: VALUE',
  'a header line of HTTP that says nothing else to a proxy: Name: value',
  (text) => (markerProblem(text) === undefined ? text : undefined),
);

/** Destinations of media: `203.0.113.0/24`, `203.0.113.9:30000-40000/udp`, `[2001:db8::]/32:1024-65535`. */
export const mediaRule = kind<PolicyRule>(
  'PREFIX[:PORTS][/udp|tcp]',
  'media addresses: 203.0.113.0/24, 203.0.113.9:30000-40000/udp or [2001:db8::1]:5004',
  parseMediaRule,
);

export const staticBinding = kind<StaticBinding>(
  'ADDRESS:PORT[+][/tcp]',
  'an address of the phone: 10.0.0.2:4000, or 10.0.0.2:4000+ for RTP with RTCP on the next port',
  (text) => {
    const [, where = '', plus, name = 'udp'] = /^(.+?:\d+)(\+)?(?:\/(udp|tcp))?$/.exec(text) ?? [];
    const ue = parseEndpoint(where);
    const pair = plus === '+';
    if (ue === undefined || ue.port === 0 || (pair && ue.port % 2 === 1)) return undefined;
    return { ue, pair, protocol: name === 'tcp' ? TCP : UDP };
  },
);

export const socketMap = kind<SocketMap>(
  'LOCAL=MEDIA',
  'two addresses: 127.0.0.1:4000=203.0.113.9:30000',
  (text) => {
    const [localText = '', mediaText = '', more] = text.split('=', 3);
    const local = parseEndpoint(localText);
    const media = parseEndpoint(mediaText);
    if (local === undefined || media === undefined || more !== undefined) return undefined;
    return media.port === 0 || local.family !== media.family ? undefined : { local, media };
  },
);

function kind<T>(
  placeholder: string,
  expects: string,
  parse: (text: string) => T | undefined,
): Kind<T> {
  return {
    placeholder,
    expects,
    read(text): Read<T> {
      const value = parse(text);
      return value === undefined ? { wrong: `must be ${expects}` } : { value };
    },
  };
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`; a bare IPv6 address stands without port. */
function parseHostPort(
  text: string,
  defaultPort: number | undefined,
): { readonly host: string; readonly port: number } | undefined {
  const [, six, name, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(text) ?? [];
  const port = portText === undefined ? defaultPort : parsePort(portText);
  if (port === undefined || port === 0) return undefined;
  if (six !== undefined) return isIpv6(six) ? { host: six, port } : undefined;
  if (name !== undefined) return isHost(name) ? { host: name, port } : undefined;
  return isIpv6(text) && defaultPort !== undefined ? { host: text, port: defaultPort } : undefined;
}

function parseMediaRule(text: string): PolicyRule | undefined {
  const [, withPorts = '', name] = /^(.+?)(?:\/(udp|tcp))?$/.exec(text) ?? [];
  const [prefixText, portsText] = splitPorts(withPorts);
  const prefix = parsePrefix(prefixText);
  const ports = portsText === undefined ? { first: 1, last: MAX_PORT } : parsePorts(portsText);
  if (prefix === undefined || ports === undefined) return undefined;
  if (name === undefined) return { prefix, ports };
  return { prefix, ports, protocol: name === 'tcp' ? TCP : UDP };
}

/** Colons of IPv6 are none before ports: with ports it stands in brackets. */
function splitPorts(text: string): readonly [prefix: string, ports?: string] {
  const six = /^\[([^\]]+)\](\/\d+)?(?::(.+))?$/.exec(text);
  if (six !== null) {
    const prefix = `${six[1]}${six[2] ?? ''}`;
    return six[3] === undefined ? [prefix] : [prefix, six[3]];
  }
  const four = /^([^:]+):([^:]+)$/.exec(text);
  return four === null ? [text] : [four[1] ?? '', four[2] ?? ''];
}

function parsePorts(text: string): PortRange | undefined {
  const [, firstText = '', lastText = firstText] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const first = parsePort(firstText);
  const last = parsePort(lastText);
  if (first === undefined || last === undefined || first === 0 || first > last) return undefined;
  return { first, last };
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT ? Number(text) : undefined;
}

function isIpv6(text: string): boolean {
  return text.includes(':') && parseAddress(text) !== undefined;
}

function isHost(text: string): boolean {
  return NUMERIC.test(text) ? parseAddress(text) !== undefined : HOST_NAME.test(text);
}
