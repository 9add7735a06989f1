/**
 * Challenges of HTTP authentication (RFC 9110 clause 11.6.1). One header field can hold several, and
 * there can be several fields:
 *
 *     Proxy-Authenticate: Digest realm="a", qop="auth,auth-int", nonce="x", Basic realm="b"
 *
 * so a comma parts parameters, challenges and members of a quoted list alike.
 */

export interface Challenge {
  /** In lower case: `basic`, `digest`, `negotiate`, … */
  readonly scheme: string;
  /** By name in lower case; values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_CHALLENGES = 16;

const GAP = /[ \t,]*/y;
const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const EQUALS = /[ \t]*=[ \t]*(?=[^\s,=])/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
/** `Negotiate YIIK…`: base64 in place of parameters. Nothing that we answer has it. */
const TOKEN68 = /[ \t]+[\w.~+/-]+=*(?=[ \t]*(?:,|$))/y;

/** Reads as far as it can be understood. */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap((value) => parseValue(value)).slice(0, MAX_CHALLENGES);
}

function parseValue(text: string): Challenge[] {
  const challenges: Array<{ scheme: string; parameters: Map<string, string> }> = [];
  const scan = new Scanner(text);
  for (;;) {
    scan.take(GAP);
    const word = scan.take(TOKEN)?.toLowerCase();
    if (word === undefined) return challenges;
    const current = challenges.at(-1);
    if (current === undefined || scan.take(EQUALS) === undefined) {
      challenges.push({ scheme: word, parameters: new Map() });
      scan.take(TOKEN68);
      continue;
    }
    const value = scan.take(QUOTED)?.slice(1, -1).replace(/\\(.)/g, '$1') ?? scan.take(TOKEN);
    if (value === undefined) return challenges;
    // The first of a parameter that stands twice: later ones are no one's business.
    if (!current.parameters.has(word)) current.parameters.set(word, value);
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}
