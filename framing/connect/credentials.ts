/** A user of a proxy. */

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** Why no proxy can be told these (RFC 7617 clause 2); undefined when it can. */
export function credentialsProblem({ name, password }: Credentials): string | undefined {
  if (name.includes(':')) return 'the name of a proxy user cannot hold a colon';
  const isControl = (character: string) => character < ' ' || character === '\x7f';
  return [...name, ...password].some(isControl)
    ? 'name and password of a proxy user cannot hold control characters'
    : undefined;
}
