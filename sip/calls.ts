/**
 * Calls and their dialogs (RFC 3261 clause 12), as an element between phone and network sees them. One
 * INVITE may open several dialogs, one for each phone that it rings at; each has a negotiation of its own.
 */
import { detached } from './detached.ts';
import { Negotiation, type Side } from './negotiation.ts';

export interface Dialog {
  readonly call: Call;
  readonly negotiation: Negotiation;
  readonly phoneTag: string;
  readonly coreTag: string;
  confirmed: boolean;
  /** When it is over although nobody has answered the BYE; Infinity without one. */
  leavesAtMs: number;
}

/** An INVITE outside a dialog and all that came of it. */
export interface Call {
  readonly callId: string;
  /** Who called. */
  readonly by: Side;
  readonly callerTag: string;
  /** Sequence number of the INVITE at hand: another one after a challenge. */
  cseq: number;
  /** Of the INVITE itself, before anybody answered: forks start from it. */
  readonly negotiation: Negotiation;
  /** By the tag of the called end. */
  readonly dialogs: Map<string, Dialog>;
  /** Whether a dialog was ever confirmed: then the call goes with its last dialog. */
  answered: boolean;
  /** When dialogs that are still early end; Infinity when none is. */
  earlyEndsAtMs: number;
  /** Octets of its longest description. */
  described: number;
}

/** The tags that a message has, sorted by who gave them. */
export interface Ends {
  readonly callId: string;
  /** Who sent the request that this is, or that this answers. */
  readonly requester: Side;
  readonly phoneTag: string;
  readonly coreTag: string;
}

/**
 * Calls at once. The one that was silent longest is forgotten for a new one: a long call without session
 * timers may be silent for hours, but less long than one whose end nobody told us.
 */
export const MAX_CALLS = 8_192;
/** Octets of the longest descriptions of all calls: as a rule one is a third of this. */
export const MAX_DESCRIBED = MAX_CALLS * 2_048;
/** As many phones may ring for one call. */
export const MAX_FORKS = 32;

export class Calls {
  /** By call and caller; the longest silent one first. */
  readonly #calls = new Map<string, Call>();
  readonly #dialogs = new Map<string, Dialog>();
  /** As a rule one: two phones beside us may have a call between them. */
  readonly #byCallId = new Map<string, Set<Call>>();
  #described = 0;

  get size(): number {
    return this.#calls.size;
  }

  all(): IterableIterator<Call> {
    return this.#calls.values();
  }

  withCallId(callId: string): Iterable<Call> {
    return this.#byCallId.get(callId) ?? [];
  }

  /** The call of an INVITE outside a dialog, made when it is new. */
  open(ends: Ends, cseq: number): Call {
    const call = this.callOf(ends) ?? this.#begin(ends, cseq);
    call.cseq = cseq;
    this.#touch(call);
    return call;
  }

  callOf(ends: Ends): Call | undefined {
    return this.#calls.get(callKey(ends.callId, ends.requester, tagOf(ends, ends.requester)));
  }

  dialog(ends: Ends): Dialog | undefined {
    const dialog = this.#dialogs.get(dialogKey(ends.callId, ends.phoneTag, ends.coreTag));
    if (dialog !== undefined) this.#touch(dialog.call);
    return dialog;
  }

  /** The dialog that a response opens. Undefined when there are too many. */
  fork(call: Call, ends: Ends): Dialog | undefined {
    if (call.dialogs.size >= MAX_FORKS) return undefined;
    const [phoneTag, coreTag] = [detached(ends.phoneTag), detached(ends.coreTag)];
    const negotiation = call.negotiation.fork();
    const leavesAtMs = Number.POSITIVE_INFINITY;
    const dialog: Dialog = { call, negotiation, phoneTag, coreTag, confirmed: false, leavesAtMs };
    call.dialogs.set(call.by === 'phone' ? coreTag : phoneTag, dialog);
    this.#dialogs.set(dialogKey(call.callId, phoneTag, coreTag), dialog);
    return dialog;
  }

  /** A dialog that was there before us: one end sends a request inside it. */
  adopt(ends: Ends): Dialog | undefined {
    const call = this.callOf(ends) ?? this.open(ends, 0);
    const dialog = this.fork(call, ends);
    if (dialog !== undefined) dialog.confirmed = true;
    call.answered = true;
    return dialog;
  }

  removeDialog(dialog: Dialog): void {
    const { call, phoneTag, coreTag } = dialog;
    this.#dialogs.delete(dialogKey(call.callId, phoneTag, coreTag));
    call.dialogs.delete(call.by === 'phone' ? coreTag : phoneTag);
    if (call.dialogs.size === 0 && call.answered) this.removeCall(call);
  }

  removeCall(call: Call): void {
    for (const { phoneTag, coreTag } of call.dialogs.values()) {
      this.#dialogs.delete(dialogKey(call.callId, phoneTag, coreTag));
    }
    call.dialogs.clear();
    if (!this.#calls.delete(callKey(call.callId, call.by, call.callerTag))) return;
    const same = this.#byCallId.get(call.callId);
    same?.delete(call);
    if (same?.size === 0) this.#byCallId.delete(call.callId);
    this.#described -= call.described;
  }

  /** A description of this call is kept, so long; the calls that have to make room for it. */
  describe(call: Call, length: number): Call[] {
    const more = Math.max(0, length - call.described);
    call.described += more;
    this.#described += more;
    const leaving: Call[] = [];
    let over = this.#described - MAX_DESCRIBED;
    for (const oldest of this.#calls.values()) {
      if (over <= 0 || oldest === call) break;
      leaving.push(oldest);
      over -= oldest.described;
    }
    return leaving;
  }

  /** The call that has to make room for a new one. */
  oldest(): Call | undefined {
    if (this.#calls.size < MAX_CALLS) return undefined;
    return this.#calls.values().next().value;
  }

  #begin(ends: Ends, cseq: number): Call {
    const call = newCall(ends, cseq);
    const same = this.#byCallId.get(call.callId) ?? new Set();
    this.#byCallId.set(call.callId, same.add(call));
    return call;
  }

  #touch(call: Call): void {
    const key = callKey(call.callId, call.by, call.callerTag);
    this.#calls.delete(key);
    this.#calls.set(key, call);
  }
}

export function other(side: Side): Side {
  return side === 'phone' ? 'core' : 'phone';
}

function newCall(ends: Ends, cseq: number): Call {
  return {
    callId: detached(ends.callId),
    by: ends.requester,
    callerTag: detached(tagOf(ends, ends.requester)),
    cseq,
    negotiation: new Negotiation(),
    dialogs: new Map(),
    answered: false,
    earlyEndsAtMs: Number.POSITIVE_INFINITY,
    described: 0,
  };
}

function tagOf(ends: Ends, side: Side): string {
  return side === 'phone' ? ends.phoneTag : ends.coreTag;
}

/** No line end is in any of the words. */
function callKey(...words: readonly string[]): string {
  return words.join('\n');
}

function dialogKey(...words: readonly string[]): string {
  return words.join('\n');
}
