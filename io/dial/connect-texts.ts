/** What a CONNECT that did not open a tunnel means to people, and what they can do. */
import type { Refusal } from '../../framing/connect/answer.ts';
import { parseChallenges } from '../../framing/connect/challenges.ts';
import type { Verdict } from '../../framing/connect/login.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';

interface Asked {
  readonly name: string;
  readonly authority: string;
}

export function refusalText(
  { name, authority }: Asked,
  refusal: Refusal,
  verdict: Verdict | 'no-login',
): string {
  const { status, reason } = refusal;
  const answer = `${name} answers ${`${status} ${reason}`.trim()}`;
  return `${answer}: ${problem(refusal, verdict, authority)}`;
}

export function brokenText({ name, authority }: Asked, fault: Fault): string {
  if (fault === FAULTS.HTTP_CUT_OFF) {
    return `${name} closes the connection in place of an answer to CONNECT ${authority}: it may not allow that target`;
  }
  if (fault === FAULTS.HTTP_TOO_LONG)
    return `${name} answers CONNECT without end: it is no HTTP proxy`;
  return `${name} does not speak HTTP: check host and port of the proxy`;
}

function problem(
  { status, challenges }: Refusal,
  verdict: Verdict | 'no-login',
  authority: string,
) {
  switch (status) {
    case 401:
      return 'user name or password of the proxy is wrong';
    case 407:
      return credentialsProblem(verdict, challenges);
    case 403:
    case 405:
      return `it does not allow CONNECT to ${authority}. Most proxies allow port 443 only: let TEP-S listen there, or ask who runs the proxy`;
    case 404:
    case 400:
    case 501:
      return 'it does not do CONNECT: check host and port of the proxy';
    case 429:
      return 'it has had too many requests: wait, or use fewer stripes';
    case 500:
    case 502:
    case 503:
    case 504:
      return `it finds no way to ${authority}: check that name and port are right and TEP-S runs`;
    default:
      return `no tunnel to ${authority}`;
  }
}

function credentialsProblem(verdict: Verdict | 'no-login', challenges: readonly string[]): string {
  if (verdict === 'no-login') return 'it wants a user: set one in `proxy`, and its password file';
  if (verdict === 'refused') return 'user name or password of the proxy is wrong';
  const schemes = [...new Set(parseChallenges(challenges).map(({ scheme }) => scheme))];
  const wanted = schemes.length === 0 ? 'nothing that can be read' : schemes.join(', ');
  return `it wants ${wanted}; Basic and Digest is what can be answered`;
}
