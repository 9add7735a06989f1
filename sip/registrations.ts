/**
 * Which phones are registered, as the responses to REGISTER that pass here say (RFC 3261 clause 10.3,
 * RFC 5626, RFC 3608). Time is an argument, in milliseconds. A proxy needs it to know for whom a flow is
 * kept open, until when, and who has to register anew when the flow broke.
 *
 * Memory: MAX_BINDINGS bindings of their URIs.
 */
import { detached } from './detached.ts';
import { cseqOf, party } from './identity.ts';
import { header, type Request, type Response } from './message.ts';
import { type NameAddr, nameAddrs } from './name-addr.ts';
import { readUri, sameHost } from './uri.ts';

export const MAX_BINDINGS = 256;
/** Of one REGISTER: a phone has one for each flow. */
const MAX_CONTACTS = 16;

export interface Binding {
  /** Address of record: the URI of To, without its parameters. */
  readonly aor: string;
  /** Contact as the registrar has it. */
  readonly contact: string;
  /** `+sip.instance` and `reg-id` where there are any (RFC 5626). */
  readonly instance: string | undefined;
  readonly regId: string | undefined;
  readonly expiresAtMs: number;
}

export interface Registered {
  readonly type: 'registered' | 'unregistered';
  readonly aor: string;
  /** Seconds that the phone has to register again; 0 when it left. */
  readonly seconds: number;
}

/** RFC 3261 clause 10.2.1.1, where neither the response nor the request says. */
const DEFAULT_SECONDS = 3_600;
const MAX_SECONDS = 2 ** 32 - 1;
const SECONDS = /^\d{1,10}$/;

export class Registrations {
  readonly #bindings = new Map<string, Binding>();

  /**
   * Takes a REGISTER and the response to it. A 2xx lists all bindings of the address of record, also
   * those of other phones: only that of the request's own contacts is kept. Undefined: nothing changed.
   */
  response(request: Request, response: Response, now: number): Registered | undefined {
    const aor = aorOf(request);
    const is2xx = response.status >= 200 && response.status < 300;
    if (aor === undefined || request.method !== 'REGISTER' || !is2xx) return undefined;
    if (cseqOf(response)?.method !== 'REGISTER') return undefined;
    const asked = nameAddrs(request, 'contact') ?? [];
    const granted = nameAddrs(response, 'contact') ?? [];
    if (asked.length === 0 || asked.length > MAX_CONTACTS || granted.length > MAX_BINDINGS) {
      return undefined;
    }
    let most = 0;
    for (const contact of asked) {
      const here = contact.uri === '*' ? undefined : granted.find((one) => same(one, contact));
      const seconds = here === undefined ? 0 : grantedSeconds(here, contact, request, response);
      this.#set(aor, contact, here, now, seconds);
      most = Math.max(most, seconds);
    }
    return { type: most > 0 ? 'registered' : 'unregistered', aor, seconds: most };
  }

  /** Those that are alive, longest known first; what has expired is forgotten. */
  bindings(now: number): readonly Binding[] {
    for (const [key, binding] of this.#bindings) {
      if (binding.expiresAtMs <= now) this.#bindings.delete(key);
    }
    return [...this.#bindings.values()];
  }

  /** When the next one expires; Infinity when there is none. */
  nextTimeout(): number {
    const times = [...this.#bindings.values()].map((binding) => binding.expiresAtMs);
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  #set(
    aor: string,
    asked: NameAddr,
    granted: NameAddr | undefined,
    now: number,
    seconds: number,
  ): void {
    const key = `${aor} ${asked.uri}`;
    const isFull = this.#bindings.size >= MAX_BINDINGS && !this.#bindings.has(key);
    if (asked.uri === '*') this.#forget(aor);
    else if (granted === undefined || seconds === 0) this.#bindings.delete(key);
    if (granted === undefined || seconds === 0 || isFull) return;
    const parameter = (name: string) => {
      const value = asked.parameters.get(name)?.value;
      return value === undefined ? undefined : detached(value);
    };
    this.#bindings.set(detached(key), {
      aor: detached(aor),
      contact: detached(granted.uri),
      instance: parameter('+sip.instance'),
      regId: parameter('reg-id'),
      expiresAtMs: now + seconds * 1_000,
    });
  }

  #forget(aor: string): void {
    for (const [key, binding] of this.#bindings) {
      if (binding.aor === aor) this.#bindings.delete(key);
    }
  }
}

function aorOf(request: Request): string | undefined {
  return party(request, 'to')?.uri.replace(/;[\s\S]*$/, '');
}

/** Registrars may add parameters; user, host and port are what makes it the same contact. */
function same(a: NameAddr, b: NameAddr): boolean {
  if (a.uri === b.uri) return true;
  const [x, y] = [readUri(a.uri), readUri(b.uri)];
  if (x === undefined || y === undefined) return false;
  return x.user === y.user && sameHost(x.host, y.host) && x.port === y.port;
}

/** Clause 10.3 item 8: the response's contact, then its Expires, then what was asked for. */
function grantedSeconds(
  granted: NameAddr,
  asked: NameAddr,
  request: Request,
  response: Response,
): number {
  const texts = [
    granted.parameters.get('expires')?.value,
    header(response, 'expires'),
    asked.parameters.get('expires')?.value,
    header(request, 'expires'),
  ];
  const told = texts.find((text) => SECONDS.test(text ?? ''));
  return told === undefined ? DEFAULT_SECONDS : Math.min(Number(told), MAX_SECONDS);
}
