/**
 * Which session description of a call is an offer and which an answer, seen from between its ends (RFC
 * 3261 clauses 13, 14; RFC 3262; RFC 3311; RFC 3264; RFC 6337):
 *
 *    offer in             answered in
 *    INVITE               reliable 1xx or 2xx; an unreliable 1xx may show it before
 *    reliable 1xx         PRACK
 *    2xx to INVITE        ACK
 *    PRACK, UPDATE        2xx to it
 *
 * `request` and `response` are given every message in the order in which it passes and say what its
 * description is; `poll` tells what came of it; `timeout` ends what nobody ended. Session timers and
 * preconditions are the ends' own affair. Time is an argument, in milliseconds.
 */
import { type Call, Calls, type Dialog, type Ends, other } from './calls.ts';
import { ackKey, endsOf, isReliable, keyOf, prackKey, rackKey } from './exchange-keys.ts';
import { cseqOf, tagOf } from './identity.ts';
import { header, type Request, type Response } from './message.ts';
import type { Agreement, Negotiation, Role, Side } from './negotiation.ts';

export interface DialogId {
  readonly callId: string;
  /** Empty as long as that end has not answered. */
  readonly phoneTag: string;
  readonly coreTag: string;
}

export type Change =
  /** Both ends know the addresses of the other: media flows by this from now on. */
  | { readonly type: 'agreed'; readonly dialog: DialogId; readonly agreement: Agreement }
  /** An offer inside a dialog came to nothing; what was agreed before stays. */
  | { readonly type: 'withdrawn'; readonly dialog: DialogId }
  | { readonly type: 'ended'; readonly dialog: DialogId };

/** A dialog, or an INVITE that nobody has answered yet, with all descriptions that still matter. */
export interface Standing {
  readonly dialog: DialogId;
  readonly confirmed: boolean;
  readonly phone: readonly Uint8Array[];
  readonly core: readonly Uint8Array[];
}

/**
 * 64 × T1 of RFC 3261: so long is a request repeated that nothing answers (clauses 17.1.1.2, 17.1.2.2; its
 * sender has given it up then, and tells nobody), and so long after the first may other forks answer
 * (clause 13.2.2.4).
 */
const UNANSWERED_END_MS = 32_000;
/** An INVITE with provisional answers only: timer C is above three minutes, and 1xx restart it (clause 16.6). */
const EARLY_END_MS = 600_000;
/** Answers to a request inside a dialog that end it (RFC 5057 clause 5.1). */
const DIALOG_GONE: ReadonlySet<number> = new Set([
  404, 408, 410, 416, 480, 481, 482, 483, 484, 485,
]);
/** Answers after which the same request comes again with credentials. */
const CHALLENGES: ReadonlySet<number> = new Set([401, 407]);

export class OfferAnswer {
  readonly #calls = new Calls();
  readonly #changes: Change[] = [];
  #nextEndMs = Number.POSITIVE_INFINITY;

  /** `sdp` is the description in the request, of disposition `session`; it is kept and must not change. */
  request(from: Side, request: Request, sdp: Uint8Array | undefined, now: number): Role {
    const ends = endsOf(from, request);
    const cseq = cseqOf(request)?.number ?? 0;
    const isInitial = request.method === 'INVITE' && tagOf(request, 'to') === '';
    if (isInitial) return this.#initialInvite(ends, cseq, sdp, now);
    const dialog = this.#calls.dialog(ends) ?? this.#adopted(ends, request, sdp);
    if (dialog === undefined) return strayIf(sdp);
    this.#describe(dialog.call, sdp);
    const { negotiation } = dialog;
    if (request.method === 'ACK') return this.#ack(dialog, ends, cseq, sdp);
    if (request.method === 'BYE') this.#leavesAt(dialog, now + UNANSWERED_END_MS);
    if (request.method === 'PRACK') return this.#prack(dialog, ends, request, cseq, sdp);
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return strayIf(sdp);
    return offerIn(negotiation, ends.requester, request.method, cseq, sdp);
  }

  response(from: Side, response: Response, sdp: Uint8Array | undefined, now: number): Role {
    const ends = endsOf(other(from), response);
    const cseq = cseqOf(response);
    if (cseq === undefined) return strayIf(sdp);
    if (response.status === 100) {
      if (cseq.method === 'INVITE') this.#heardOf(this.#calls.callOf(ends), cseq.number, now);
      return strayIf(sdp);
    }
    if (cseq.method === 'INVITE')
      return this.#inviteResponse(ends, response, cseq.number, sdp, now);
    const dialog = this.#calls.dialog(ends);
    if (dialog === undefined || response.status < 200) return strayIf(sdp);
    this.#describe(dialog.call, sdp);
    const key = keyOf(ends.requester, cseq.method, cseq.number);
    if (response.status < 300) return this.#success(dialog, cseq.method, key, sdp);
    this.#failure(dialog, response.status, cseq.method, key);
    return strayIf(sdp);
  }

  /** Nothing is to be heard of this call any more. */
  abandon(ends: Ends): void {
    const call = this.#calls.callOf(ends);
    if (call !== undefined) this.#endCall(call);
  }

  /** What came of the messages so far, oldest first; undefined when that is all. */
  poll(): Change | undefined {
    return this.#changes.shift();
  }

  /** Of all calls, or of those with this Call-ID. */
  standing(callId?: string): Standing[] {
    const calls = callId === undefined ? this.#calls.all() : this.#calls.withCallId(callId);
    return [...calls].flatMap((call) => {
      const dialogs = [...call.dialogs.values()];
      if (dialogs.length === 0) return [standing(idOfCall(call), false, call.negotiation)];
      return dialogs.map((one) => standing(idOf(one), one.confirmed, one.negotiation));
    });
  }

  timeout(now: number): void {
    if (now < this.#nextEndMs) return;
    this.#nextEndMs = Number.POSITIVE_INFINITY;
    for (const call of [...this.#calls.all()]) {
      for (const dialog of [...call.dialogs.values()]) {
        if (now >= dialog.leavesAtMs) this.#end(dialog);
        else this.#nextEndMs = Math.min(this.#nextEndMs, dialog.leavesAtMs);
      }
      if (now >= call.earlyEndsAtMs) this.#endEarly(call);
      else this.#nextEndMs = Math.min(this.#nextEndMs, call.earlyEndsAtMs);
    }
  }

  /** Not later than the next end of anything; Infinity when nothing is waited for. */
  nextTimeout(): number {
    return this.#nextEndMs;
  }

  #initialInvite(ends: Ends, cseq: number, sdp: Uint8Array | undefined, now: number): Role {
    const known = this.#calls.callOf(ends);
    if (known?.answered === false && known.cseq !== cseq) this.#endCall(known);
    this.#makeRoom(ends);
    const call = this.#calls.open(ends, cseq);
    // A repetition puts it off, but what is heard already lasts longer.
    const isHeard = known?.cseq === cseq && known.earlyEndsAtMs > now + UNANSWERED_END_MS;
    if (!isHeard) this.#endsAt(call, now + UNANSWERED_END_MS);
    this.#describe(call, sdp);
    return offerIn(call.negotiation, ends.requester, 'INVITE', cseq, sdp);
  }

  /** After a restart of ours: whoever sends an offer inside a dialog has that dialog. */
  #adopted(ends: Ends, request: Request, sdp: Uint8Array | undefined): Dialog | undefined {
    const offers = request.method === 'INVITE' || request.method === 'UPDATE';
    if (!offers || sdp === undefined) return undefined;
    this.#makeRoom(ends);
    return this.#calls.adopt(ends);
  }

  /** For a call of these ends, unless it is there. */
  #makeRoom(ends: Ends): void {
    const oldest = this.#calls.callOf(ends) === undefined ? this.#calls.oldest() : undefined;
    if (oldest !== undefined) this.#endCall(oldest);
  }

  /** Long descriptions leave room for fewer calls. */
  #describe(call: Call, sdp: Uint8Array | undefined): void {
    if (sdp === undefined) return;
    for (const oldest of this.#calls.describe(call, sdp.length)) this.#endCall(oldest);
  }

  #ack(dialog: Dialog, ends: Ends, cseq: number, sdp: Uint8Array | undefined): Role {
    const key = keyOf(ends.requester, 'ACK', cseq);
    const said = dialog.negotiation.said(key);
    if (sdp !== undefined) return said ?? this.#answer(dialog, key, sdp);
    if (dialog.negotiation.withdraw(key))
      this.#changes.push({ type: 'withdrawn', dialog: idOf(dialog) });
    return 'none';
  }

  /** RAck names the reliable response that PRACK is for (RFC 3262 clause 7.2). */
  #prack(
    dialog: Dialog,
    ends: Ends,
    request: Request,
    cseq: number,
    sdp: Uint8Array | undefined,
  ): Role {
    const { negotiation } = dialog;
    const key = rackKey(ends.requester, header(request, 'rack') ?? '');
    const own = `${keyOf(ends.requester, 'PRACK', cseq)} request`;
    if (sdp === undefined) return 'none';
    const said = negotiation.said(key) ?? negotiation.said(own);
    if (said !== undefined) return said;
    if (negotiation.isOffered(key)) return this.#answer(dialog, key, sdp);
    return offerIn(negotiation, ends.requester, 'PRACK', cseq, sdp);
  }

  #inviteResponse(
    ends: Ends,
    response: Response,
    cseq: number,
    sdp: Uint8Array | undefined,
    now: number,
  ): Role {
    const { status } = response;
    const key = keyOf(ends.requester, 'INVITE', cseq);
    const known = this.#calls.dialog(ends);
    if (status >= 300) {
      if (known?.confirmed === true) this.#failure(known, status, 'INVITE', key);
      else this.#refused(ends, cseq);
      return strayIf(sdp);
    }
    const dialog = known ?? this.#forked(ends, response, cseq);
    if (dialog === undefined) return strayIf(sdp);
    this.#describe(dialog.call, sdp);
    if (status >= 200) this.#confirm(dialog, now);
    else this.#heardOf(dialog.call, cseq, now);
    return this.#inviteProgress(dialog, ends, response, key, sdp);
  }

  #inviteProgress(
    dialog: Dialog,
    ends: Ends,
    response: Response,
    key: string,
    sdp: Uint8Array | undefined,
  ): Role {
    const { negotiation } = dialog;
    const isFinal = response.status >= 200;
    if (sdp === undefined) {
      if (isFinal && negotiation.settle(key)) this.#agreed(dialog);
      return 'none';
    }
    const said = negotiation.said(key);
    if (said !== undefined) return said;
    const reliable = isFinal || isReliable(response);
    if (negotiation.isOffered(key)) {
      return reliable ? this.#answer(dialog, key, sdp) : negotiation.preview(key, sdp);
    }
    const isAskedFor = negotiation.said(`${key} request`) === 'none';
    if (!reliable || !isAskedFor) return 'stray';
    const answerKey = isFinal ? ackKey(ends, response) : prackKey(ends, response);
    return negotiation.offer(other(ends.requester), key, answerKey, sdp);
  }

  #success(dialog: Dialog, method: string, key: string, sdp: Uint8Array | undefined): Role {
    if (method === 'BYE') this.#end(dialog);
    if (sdp === undefined) return 'none';
    return dialog.negotiation.said(key) ?? this.#answer(dialog, key, sdp);
  }

  #failure(dialog: Dialog, status: number, method: string, key: string): void {
    if (dialog.negotiation.withdraw(key)) {
      this.#changes.push({ type: 'withdrawn', dialog: idOf(dialog) });
    }
    // Who said BYE has left, whatever the answer; unless BYE comes again with credentials.
    const comesAgain = method === 'BYE' && CHALLENGES.has(status);
    if (comesAgain) dialog.leavesAtMs = Number.POSITIVE_INFINITY;
    const left = method === 'BYE' && !comesAgain;
    if (left || DIALOG_GONE.has(status)) this.#end(dialog);
  }

  #answer(dialog: Dialog, key: string, sdp: Uint8Array): Role {
    const role = dialog.negotiation.answer(key, sdp);
    if (role === 'answer') this.#agreed(dialog);
    return role;
  }

  #agreed(dialog: Dialog): void {
    const { agreed } = dialog.negotiation;
    if (agreed === undefined) return;
    this.#changes.push({ type: 'agreed', dialog: idOf(dialog), agreement: agreed });
  }

  #forked(ends: Ends, response: Response, cseq: number): Dialog | undefined {
    const call = this.#calls.callOf(ends);
    if (call === undefined || call.cseq !== cseq || tagOf(response, 'to') === '') return undefined;
    return this.#calls.fork(call, ends);
  }

  #confirm(dialog: Dialog, now: number): void {
    if (dialog.confirmed) return;
    dialog.confirmed = true;
    dialog.call.answered = true;
    this.#endsAt(dialog.call, now + UNANSWERED_END_MS);
  }

  /** A provisional answer puts the end off, but not once another fork was answered. */
  #heardOf(call: Call | undefined, cseq: number, now: number): void {
    if (call === undefined || call.cseq !== cseq || call.answered) return;
    this.#endsAt(call, now + EARLY_END_MS);
  }

  #leavesAt(dialog: Dialog, atMs: number): void {
    dialog.leavesAtMs = atMs;
    this.#nextEndMs = Math.min(this.#nextEndMs, atMs);
  }

  #endsAt(call: Call, atMs: number): void {
    call.earlyEndsAtMs = atMs;
    this.#nextEndMs = Math.min(this.#nextEndMs, atMs);
  }

  /** A final refusal is for all forks of the INVITE; those that were answered go on. */
  #refused(ends: Ends, cseq: number): void {
    const call = this.#calls.callOf(ends);
    if (call !== undefined && call.cseq === cseq) this.#endEarly(call);
  }

  #endEarly(call: Call): void {
    const early = [...call.dialogs.values()].filter((dialog) => !dialog.confirmed);
    call.earlyEndsAtMs = Number.POSITIVE_INFINITY;
    if (early.length === call.dialogs.size) this.#endCall(call);
    else for (const dialog of early) this.#end(dialog);
  }

  #endCall(call: Call): void {
    const dialogs = [...call.dialogs.values()].map(idOf);
    const ended = dialogs.length === 0 ? [idOfCall(call)] : dialogs;
    for (const dialog of ended) this.#changes.push({ type: 'ended', dialog });
    this.#calls.removeCall(call);
  }

  #end(dialog: Dialog): void {
    this.#changes.push({ type: 'ended', dialog: idOf(dialog) });
    this.#calls.removeDialog(dialog);
  }
}

function offerIn(
  negotiation: Negotiation,
  by: Side,
  method: string,
  cseq: number,
  sdp: Uint8Array | undefined,
): Role {
  const answerKey = keyOf(by, method, cseq);
  const key = `${answerKey} request`;
  if (sdp === undefined) return method === 'INVITE' ? negotiation.askForOffer(key) : 'none';
  return negotiation.said(key) ?? negotiation.offer(by, key, answerKey, sdp);
}

function strayIf(sdp: Uint8Array | undefined): Role {
  return sdp === undefined ? 'none' : 'stray';
}

function idOf(dialog: Dialog): DialogId {
  const { call, phoneTag, coreTag } = dialog;
  return { callId: call.callId, phoneTag, coreTag };
}

function idOfCall(call: Call): DialogId {
  const { callId, by, callerTag } = call;
  return by === 'phone'
    ? { callId, phoneTag: callerTag, coreTag: '' }
    : { callId, phoneTag: '', coreTag: callerTag };
}

function standing(dialog: DialogId, confirmed: boolean, negotiation: Negotiation): Standing {
  return {
    dialog,
    confirmed,
    phone: negotiation.inUse('phone'),
    core: negotiation.inUse('core'),
  };
}
