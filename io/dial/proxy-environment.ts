/**
 * Which proxy the environment names for a server, by the rules that curl made usual: `https_proxy`,
 * the one that is asked for tunnels, before `http_proxy` and `all_proxy`; `no_proxy` names those that
 * are reached without. Nothing here reads the environment itself.
 */
import { parseAddress } from '../../wire/address.ts';
import { parsePrefix, prefixContains } from '../../wire/prefix.ts';
import { type ProxyAddress, parseProxy } from './proxy-address.ts';

/**
 * Lower case first. `HTTP_PROXY` is none of them: a web server sets it from a header of whoever asks
 * (CVE-2016-5385).
 */
const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'all_proxy', 'ALL_PROXY'] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/** `none` where no proxy is to be asked; a text where the variable cannot be used. */
export type FoundProxy =
  | { readonly type: 'none' }
  | { readonly type: 'proxy'; readonly variable: string; readonly proxy: ProxyAddress }
  | { readonly type: 'unusable'; readonly text: string };

export function proxyFromEnvironment(
  environment: Environment,
  host: string,
  port: number,
): FoundProxy {
  const exceptions = environment.no_proxy ?? environment.NO_PROXY ?? '';
  // An empty variable is how a user switches the proxy off.
  const variable = VARIABLES.find((name) => environment[name] !== undefined);
  const text = variable === undefined ? '' : (environment[variable] ?? '');
  if (variable === undefined || text === '') return { type: 'none' };
  if (isException(exceptions, host, port)) return { type: 'none' };
  const proxy = parseProxy(text);
  if (typeof proxy !== 'string') return { type: 'proxy', variable, proxy };
  return { type: 'unusable', text: `${variable} in the environment: ${proxy}` };
}

/** Whether `no_proxy` names this server: names with all below them, addresses, prefixes, ports, `*`. */
export function isException(exceptions: string, host: string, port: number): boolean {
  return exceptions
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host.toLowerCase().replace(/\.$/, ''), port));
}

function matches(entry: string, host: string, port: number): boolean {
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== undefined && entryPort !== String(port)) return false;
  if (name === '*') return true;
  const address = parseAddress(host);
  const prefix = parsePrefix(name);
  if (address !== undefined) {
    return prefix !== undefined && prefixContains(prefix, address, 0, address.length);
  }
  const suffix = name.replace(/^\*?\./, '');
  return prefix === undefined && (host === suffix || host.endsWith(`.${suffix}`));
}

/** `name:port`, `[IPv6]:port`; an IPv6 address without brackets has no port. */
function splitPort(entry: string): [name: string, port: string | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [bracketed ?? plain ?? entry, port];
}
