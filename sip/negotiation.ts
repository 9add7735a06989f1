/**
 * Offers and answers of one dialog (RFC 3264, RFC 3261 clause 13.2.1, RFC 3262, RFC 3311, RFC 6337): what is
 * agreed, and what is offered and not yet answered. Both ends may have an offer under way at once
 * (glare); each is settled by its own transaction.
 */

/** Who sent a message: the phone that we stand beside, or the network behind us. */
export type Side = 'phone' | 'core';

/**
 * What a session description in a message is. `preview`: the answer that a reliable message will bring,
 * in a provisional response that may be lost; the caller takes it for the answer already. `stray`: a
 * description that opens or settles nothing, as in 488 or in the answer to OPTIONS.
 */
export type Role = 'offer' | 'answer' | 'preview' | 'stray' | 'none';

export interface Agreement {
  readonly phone: Uint8Array;
  readonly core: Uint8Array;
}

interface Offer {
  readonly by: Side;
  readonly sdp: Uint8Array;
  preview: Uint8Array | undefined;
}

/** Transactions that are remembered for their retransmissions. */
const MAX_SAID = 16;
export class Negotiation {
  #agreed: Agreement | undefined;
  /** By the message that will bring the answer. */
  readonly #offers = new Map<string, Offer>();
  /** What the descriptions in the messages of a transaction were. */
  readonly #said = new Map<string, Role>();

  get agreed(): Agreement | undefined {
    return this.#agreed;
  }

  /** The state of an INVITE for a dialog that a response to it opens: one for each fork. */
  fork(): Negotiation {
    const copy = new Negotiation();
    for (const [key, offer] of this.#offers) copy.#offers.set(key, { ...offer });
    for (const [key, role] of this.#said) copy.#said.set(key, role);
    return copy;
  }

  /** The role that the description of this transaction already has: a retransmission changes nothing. */
  said(key: string): Role | undefined {
    return this.#said.get(key);
  }

  /**
   * `answerKey` names the message that will answer. An end has one offer at a time: an older one of its
   * own was given up, though nobody told us.
   */
  offer(by: Side, key: string, answerKey: string, sdp: Uint8Array): Role {
    for (const [older, offer] of this.#offers) if (offer.by === by) this.#offers.delete(older);
    this.#offers.set(answerKey, { by, sdp, preview: undefined });
    return this.#say(key, 'offer');
  }

  /** A request without a description, which asks the other end for its offer. */
  askForOffer(key: string): Role {
    return this.#say(key, 'none');
  }

  isOffered(answerKey: string): boolean {
    return this.#offers.has(answerKey);
  }

  answer(key: string, sdp: Uint8Array): Role {
    const offer = this.#offers.get(key);
    if (offer === undefined) return 'stray';
    this.#offers.delete(key);
    this.#agreed =
      offer.by === 'phone' ? { phone: offer.sdp, core: sdp } : { phone: sdp, core: offer.sdp };
    return this.#say(key, 'answer');
  }

  preview(key: string, sdp: Uint8Array): Role {
    const offer = this.#offers.get(key);
    if (offer === undefined) return 'stray';
    // The first one counts (RFC 3261 clause 13.2.1).
    offer.preview ??= sdp;
    return 'preview';
  }

  /** A success without a description: what was previewed has become the answer. */
  settle(key: string): boolean {
    const preview = this.#offers.get(key)?.preview;
    if (preview === undefined) return false;
    this.answer(key, preview);
    return true;
  }

  /** The offer was refused or cancelled: what was agreed before stays in force (RFC 3261 clause 14.1). */
  withdraw(key: string): boolean {
    return this.#offers.delete(key);
  }

  /** Every description of this side whose addresses media may still use. */
  inUse(side: Side): Uint8Array[] {
    const found = this.#agreed === undefined ? [] : [this.#agreed[side]];
    for (const offer of this.#offers.values()) {
      if (offer.by === side) found.push(offer.sdp);
      else if (offer.preview !== undefined) found.push(offer.preview);
    }
    return found;
  }

  #say(key: string, role: Role): Role {
    this.#said.set(key, role);
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= MAX_SAID) break;
      this.#said.delete(oldest);
    }
    return role;
  }
}
