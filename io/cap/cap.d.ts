/** What we use of cap 0.2.1, which ships no types of its own. */
declare module 'cap' {
  import type { Buffer } from 'node:buffer';

  class Cap {
    /** Throws when it cannot. Gives the name of the link type; `buffer` gets the octets of each frame. */
    open(device: string, filter: string, ringOctets: number, buffer: Buffer): string;
    close(): boolean;
    on(event: 'packet', listener: (length: number, isTruncated: boolean) => void): this;
  }

  const cap: { readonly Cap: typeof Cap };
  export default cap;
  export type { Cap };
}
