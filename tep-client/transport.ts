/**
 * How TEP-C reaches its servers and the P-CSCF, by its settings: TLS, proxies, the marker. One for all connections of an
 * agent, because it remembers TLS sessions and what a proxy wanted; a new one after a reload.
 */

import { ProxyLogin } from '../framing/connect/login.ts';
import { ClientTls } from '../io/dial/client-tls.ts';
import { dial } from '../io/dial/dial.ts';
import type { ProxyAddress } from '../io/dial/proxy-address.ts';
import { type Environment, proxyFromEnvironment } from '../io/dial/proxy-environment.ts';
import type { Dial, ProxyTarget, ServerTarget, TransportOptions } from '../io/dial/types.ts';
import { type IoFault, isIoFault } from '../io/io-fault.ts';
import { systemRandom } from '../io/random.ts';
import { tlsOptions } from '../io/tls-options.ts';
import type { ClientOptions } from '../session/options.ts';
import type { ClientSettings } from './settings.ts';

/** One attempt, through everything on the way. */
const CONNECT_MS = 10_000;
/** A way that is gone is noticed by then, long before the peer is given up (tep-wire 7: 40 s). */
const USER_TIMEOUT_MS = 20_000;

export class Transport {
  readonly #settings: ClientSettings;
  readonly #env: Environment;
  readonly #tls: ClientTls;
  /** By proxy and user. */
  readonly #logins = new Map<string, ProxyLogin>();

  private constructor(settings: ClientSettings, env: Environment, tls: ClientTls) {
    this.#settings = settings;
    this.#env = env;
    this.#tls = tls;
  }

  /** A fault when certificate, key or authorities cannot be used. */
  static from(
    settings: ClientSettings,
    env: Environment,
    nameKey: 'tls.server-name' | 'sip.server-name' = 'tls.server-name',
  ): Transport | IoFault {
    const options = tlsOptions(
      {
        ca: settings['tls.ca']?.octets,
        certificate: settings['tls.certificate']?.octets,
        key: settings['tls.key']?.octets,
        minVersion: settings['tls.min-version'],
        legacyCiphers: settings['tls.legacy-ciphers'],
      },
      'client',
    );
    if (isIoFault(options)) return options;
    const checks = { verify: settings['tls.verify'], serverName: settings[nameKey] };
    return new Transport(settings, env, new ClientTls(options, checks));
  }

  /** `direct`: past any proxy, and without CONNECT. */
  dial(target: ServerTarget, way: 'as-set' | 'direct' = 'as-set'): Dial {
    const options = way === 'direct' ? this.#directly() : this.#optionsFor(target);
    if (!isIoFault(options)) return dial(target, options, CONNECT_MS);
    return { result: Promise.resolve({ ...options, stage: 'proxy' }), abandon() {} };
  }

  /** What a connection to this server is made to first: the server itself, or a proxy. */
  firstHop(target: ServerTarget): { readonly host: string; readonly port: number } {
    const options = this.#optionsFor(target);
    return isIoFault(options) ? target : (options.proxy ?? target);
  }

  /** Whether a connection to there can be made by CONNECT. */
  connects(target: ServerTarget): boolean {
    const options = this.#optionsFor(target);
    return isIoFault(options) || options.proxy !== undefined || options.connect === 'always';
  }

  #directly(): TransportOptions {
    return { connect: 'never', marker: [], tls: this.#tls, userTimeoutMs: USER_TIMEOUT_MS };
  }

  #optionsFor(target: ServerTarget): TransportOptions | IoFault {
    const { connect, marker } = this.#settings;
    const proxy = connect === 'never' ? undefined : this.#proxyFor(target);
    if (proxy !== undefined && isIoFault(proxy)) return proxy;
    const congestion = this.#settings['transport.congestion'];
    return { connect, marker, proxy, tls: this.#tls, userTimeoutMs: USER_TIMEOUT_MS, congestion };
  }

  #proxyFor({ host, port }: ServerTarget): ProxyTarget | IoFault | undefined {
    const configured = this.#settings.proxy;
    if (configured !== undefined) {
      const password = this.#settings['proxy-password']?.reveal();
      return this.#withLogin(password === undefined ? configured : { ...configured, password });
    }
    const found = proxyFromEnvironment(this.#env, host, port);
    if (found.type === 'none') return undefined;
    if (found.type === 'proxy') return this.#withLogin(found.proxy);
    return { type: 'io-fault', code: 'EPROXY', text: found.text };
  }

  #withLogin({ host, port, user, password = '' }: ProxyAddress): ProxyTarget {
    if (user === undefined) return { host, port };
    const key = JSON.stringify([host, port, user]);
    const login = this.#logins.get(key) ?? new ProxyLogin({ name: user, password }, systemRandom);
    this.#logins.set(key, login);
    return { host, port, login };
  }
}

/** Who we are to TEP-S. */
export function clientAuth(settings: ClientSettings): ClientOptions['auth'] {
  const { auth, user, password } = settings;
  if (auth === 'none' || user === undefined || password === undefined) return { mechanism: 'none' };
  return { mechanism: auth, credentials: { name: user, password: password.reveal() } };
}
