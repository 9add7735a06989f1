/** Who may open a tunnel, as configured at either end (tep-wire 3; standards M-08, M-10). */

/** What TEP-S knows about a user: the password, or only what is derived from it. */
export type UserSecret =
  | { readonly password: string }
  /** H(A1) of SIP digest and of RFC 8489 9.2.2; the SHA-256 key where that one is kept too. */
  | { readonly md5: Uint8Array; readonly sha256?: Uint8Array };

export type ServerCredentials =
  | {
      readonly kind: 'long-term';
      readonly realm: string;
      /** Looked at for each request, so an agent may reload it in place. */
      readonly users?: ReadonlyMap<string, UserSecret>;
      /** Time-limited users `expiry:user`; several so that a secret can be changed. */
      readonly sharedSecrets?: readonly string[];
    }
  /** ufrag and pwd of sessions, told by `learnSession`. */
  | { readonly kind: 'short-term' }
  /** Anybody; only where the operator says so in as many words. */
  | { readonly kind: 'none' };

export type ClientCredentials =
  | { readonly kind: 'long-term'; readonly username: string; readonly password: string }
  | { readonly kind: 'short-term'; readonly username: string; readonly password: string }
  | { readonly kind: 'none' };
