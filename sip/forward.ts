/**
 * One message through a proxy that keeps no transactions (RFC 3261 clauses 16.3 to 16.6 and 16.11, 16.7,
 * 18.1.2): what is refused, what is changed, where it goes. Everything else in the message stays, octet
 * by octet.
 */
import type { Endpoint } from '../wire/address.ts';
import { isLoop, statelessBranch } from './branch.ts';
import { checkRequest, checkResponse, type Refusal, refusal } from './check.ts';
import { Edit } from './edit.ts';
import { unfold } from './fields.ts';
import {
  isOurs,
  lowerMaxForwards,
  noteSource,
  popVia,
  pushVia,
  type SentBy,
  viaWithSource,
} from './hop.ts';
import { consentedKeep } from './keep.ts';
import type { Request, Response } from './message.ts';
import {
  applyRouting,
  pushPath,
  pushRecordRoute,
  pushRoute,
  type ResponseTarget,
  responseTarget,
  routeRequest,
  type Target,
} from './routing.ts';
import type { Uri } from './uri.ts';
import { branchOf, type Via, vias } from './via.ts';

/** What stays the same as long as the element runs: branches are made of it. */
export interface Element {
  /** Every way in which `pushVia` names this element. */
  readonly sentBy: readonly SentBy[];
  /** Secret of this element. */
  readonly key: Uint8Array;
  /** Option tags of Proxy-Require that it obeys. */
  readonly understood: ReadonlySet<string>;
  /** Knows the URIs by which this element is routed to. */
  isOwn(uri: Uri): boolean;
}

export interface Passage {
  /** Where the request came from; undefined where its answer goes back by the same connection anyway. */
  readonly from: Endpoint | undefined;
  /** One of the element's names: that of the side where the request leaves. */
  readonly out: SentBy;
  /** Offer the next hop, at registration, to keep the flow alive (RFC 6223 clause 4.2.2). */
  readonly keep: boolean;
  /** Into requests that open dialogs, in this order from the top. */
  readonly recordRoutes: readonly string[];
  /** Into REGISTER (RFC 3327), in this order from the top. */
  readonly paths: readonly string[];
  /** A next hop that the request itself does not name. */
  readonly route: string | undefined;
  /**
   * The Vias so far are taken out: the caller keeps them (`viasAsReceived`) and puts them back into the
   * responses (`hiddenResponse`, `returnHidden`).
   */
  readonly hidesVias: boolean;
}

export interface Forwarded {
  readonly type: 'forwarded';
  /** Further changes may be made, in other places. */
  readonly edit: Edit;
  /** Where Route or Request-URI point to, when the passage names no route. */
  readonly next: Target;
  /** Of our Via. */
  readonly branch: string;
}

export interface Returned {
  readonly edit: Edit;
  readonly target: ResponseTarget;
  /** What the next hop answered to our offer to keep the flow alive: see `consentedKeep`. */
  readonly keep: number | undefined;
}

/** A response with no Via but ours. */
export interface Hidden {
  readonly own: Via;
  readonly branch: string;
  readonly keep: number | undefined;
}

/** RFC 3261 clause 12, RFC 6665 (clause 4.3: the NOTIFY too, which may come before the 200), RFC 3515. */
export const OPENS_DIALOG: ReadonlySet<string> = new Set([
  'INVITE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
]);

export function forwardRequest(
  request: Request,
  element: Element,
  passage: Passage,
): Forwarded | Refusal {
  const refused = checkRequest(request, element.understood);
  if (refused !== undefined) return refused;
  if (isLoop(request, element.sentBy, element.key)) return refusal(482, 'Loop Detected');
  const routing = routeRequest(request, (uri) => element.isOwn(uri));
  if (routing.type === 'refusal') return routing;
  const edit = new Edit(request);
  applyRouting(edit, request, routing);
  pushRoutes(edit, request, passage);
  if (passage.hidesVias) edit.removeFields('via');
  else if (passage.from !== undefined) noteSource(edit, passage.from);
  lowerMaxForwards(edit);
  const branch = statelessBranch(request, element.key);
  pushVia(edit, passage.out, { branch, keep: passage.keep && request.method === 'REGISTER' });
  // The other side may be a stream.
  edit.writeLength();
  return { type: 'forwarded', edit, next: routing.next, branch };
}

/** Undefined: to be dropped, because it is broken or not for us (clause 18.1.2), or goes nowhere. */
export function returnResponse(response: Response, element: Element): Returned | undefined {
  if (!checkResponse(response)) return undefined;
  const [own, next] = vias(response) ?? [];
  if (own === undefined || next === undefined) return undefined;
  if (!element.sentBy.some((by) => isOurs(own, by))) return undefined;
  const edit = new Edit(response);
  popVia(edit);
  edit.writeLength();
  return { edit, target: responseTarget(next), keep: consentedKeep(own) };
}

/** A response to a request whose Vias were taken out; undefined as above. */
export function hiddenResponse(response: Response, element: Element): Hidden | undefined {
  if (!checkResponse(response)) return undefined;
  const [own, ...more] = vias(response) ?? [];
  if (own === undefined || more.length > 0) return undefined;
  if (!element.sentBy.some((by) => isOurs(own, by))) return undefined;
  return { own, branch: branchOf(own), keep: consentedKeep(own) };
}

/** With the Vias that the request came with. */
export function returnHidden(response: Response, { own }: Hidden, viasBefore: string): Edit {
  const edit = new Edit(response);
  edit.replace(own.range, viasBefore);
  edit.writeLength();
  return edit;
}

/** The Vias of a request with where it came from in the topmost, as one field value. */
export function viasAsReceived(request: Request, from: Endpoint): string {
  const { text } = request;
  const values = (vias(request) ?? []).map((via, i) => {
    return i === 0 ? viaWithSource(text, via, from) : text.slice(via.range.start, via.range.end);
  });
  return values.map(unfold).join(', ');
}

function pushRoutes(edit: Edit, request: Request, passage: Passage): void {
  if (passage.route !== undefined) pushRoute(edit, passage.route);
  const recordRoutes = OPENS_DIALOG.has(request.method) ? passage.recordRoutes : [];
  for (const uri of recordRoutes) pushRecordRoute(edit, uri);
  const paths = request.method === 'REGISTER' ? passage.paths : [];
  for (const uri of paths) pushPath(edit, uri);
}
