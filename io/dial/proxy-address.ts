/** A proxy as people write it: `http://user:password@proxy.example:3128`, or `proxy.example:3128`. */
import { type Credentials, credentialsProblem } from '../../framing/connect/credentials.ts';

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** As far as it is written; the password may come from elsewhere. */
  readonly user?: string;
  readonly password?: string;
}

/** What curl takes when none is written. */
const DEFAULT_PORT = 1080;
const PROXY =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:([^@/]*)@)?(\[[\da-f:.]+\]|[^:@/[\]\s]+)(?::(\d{1,5}))?\/?$/i;

/** A text says why it is none; it never repeats what may hold a password. */
export function parseProxy(text: string): ProxyAddress | string {
  const [, scheme = 'http', userInfo, bracketed, portText] = PROXY.exec(text) ?? [];
  if (bracketed === undefined) return 'a proxy is written http://host:port';
  if (scheme.toLowerCase() !== 'http') {
    return `a proxy that is spoken to in ${scheme} is not supported: name one for http://`;
  }
  const port = Number(portText ?? DEFAULT_PORT);
  if (port < 1 || port > 65_535) return `the port of a proxy cannot be ${portText}`;
  const login = userInfo === undefined ? {} : credentialsIn(userInfo);
  if (typeof login === 'string') return login;
  return { host: bracketed.replace(/[[\]]/g, ''), port, ...login };
}

/** Percent-encoded, as in every URL. */
function credentialsIn(userInfo: string): { user: string; password?: string } | string {
  const colon = userInfo.indexOf(':');
  const [name, password] =
    colon < 0 ? [userInfo] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  try {
    const decoded: Credentials = {
      name: decodeURIComponent(name),
      password: decodeURIComponent(password ?? ''),
    };
    const problem = credentialsProblem(decoded);
    if (problem !== undefined) return problem;
    return password === undefined
      ? { user: decoded.name }
      : { user: decoded.name, password: decoded.password };
  } catch {
    return 'a % in the user or password of a proxy begins two hexadecimal digits';
  }
}
