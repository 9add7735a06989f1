/**
 * Kinds of characters by their code (RFC 3261 clause 25.1). Behind the end of a text the code is NaN, which is of
 * no kind.
 */
const IN_TOKEN = new Uint8Array(256);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") {
  IN_TOKEN[c.charCodeAt(0)] = 1;
}

/** What a token is made of. */
export function isTokenChar(code: number): boolean {
  return IN_TOKEN[code] === 1;
}

/** Of what white space is made, line ends of folding included. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
