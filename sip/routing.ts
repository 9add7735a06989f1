/**
 * Where requests and responses go (RFC 3261 clauses 16.4, 16.6 items 4 to 7, 18.2.2; RFC 3327, RFC 3581),
 * and the routes that a proxy puts in and takes out.
 */
import { type Refusal, refusal } from './check.ts';
import type { Edit } from './edit.ts';
import { fieldsOf } from './fields.ts';
import type { Request } from './message.ts';
import { nameAddrs } from './name-addr.ts';
import { readUri, type Uri } from './uri.ts';
import type { Via } from './via.ts';

/** A URI as written and what it says; undefined for schemes other than sip and sips. */
export interface Target {
  readonly text: string;
  readonly uri: Uri | undefined;
}

export interface Routing {
  readonly type: 'routing';
  /** So many values at the top of Route name this element: they have done their work. */
  readonly ownRoutes: number;
  /** Route values in all. */
  readonly routes: number;
  /**
   * A strict router put our Record-Route URI into the Request-URI and the real one at the end of Route:
   * it has to go back (clause 16.4).
   */
  readonly restoredUri: string | undefined;
  /** The Route that is left on top, else the Request-URI. */
  readonly next: Target;
}

/** `isOwn` knows the URIs that this element has put into Record-Route, Path or a phone's settings. */
export function routeRequest(request: Request, isOwn: (uri: Uri) => boolean): Routing | Refusal {
  const routes = nameAddrs(request, 'route');
  if (routes === undefined) return refusal(400, 'Bad Request: route');
  const targets = routes.map((route) => target(route.uri));
  const requestUri = target(request.uri);
  const isStrict = own(requestUri, isOwn) && targets.length > 0 && request.method !== 'REGISTER';
  const restored = isStrict ? targets.pop() : undefined;
  const foreign = targets.findIndex((route) => !own(route, isOwn));
  const ownRoutes = foreign < 0 ? targets.length : foreign;
  const next = targets[ownRoutes] ?? restored ?? requestUri;
  return {
    type: 'routing',
    ownRoutes,
    routes: routes.length,
    restoredUri: restored?.text,
    next,
  };
}

/** Does to the request what `routeRequest` found. */
export function applyRouting(edit: Edit, request: Request, routing: Routing): void {
  const { ownRoutes, routes, restoredUri } = routing;
  const isLast = restoredUri !== undefined && ownRoutes === routes - 1;
  if (ownRoutes > 0) edit.removeValues('route', 0, isLast ? routes : ownRoutes);
  if (restoredUri === undefined) return;
  setRequestUri(edit, request, restoredUri);
  if (ownRoutes === 0 || !isLast) edit.removeValues('route', routes - 1, routes);
}

export function setRequestUri(edit: Edit, request: Request, uri: string): void {
  edit.replace({ start: request.uriStart, end: request.uriEnd }, uri);
}

/** The next hop, above all that the message asks for: a UE's way to its P-CSCF. */
export function pushRoute(edit: Edit, uri: string): void {
  edit.addFieldAbove('route', `Route: <${uri}>`);
}

/** Requests inside the dialog come through here too. `uri` must have the parameter `lr`. */
export function pushRecordRoute(edit: Edit, uri: string): void {
  edit.addFieldAbove('record-route', `Record-Route: <${uri}>`);
}

/**
 * For a response that goes back to who asked: as if we had been the first to record a route, which the
 * network then never saw.
 */
export function appendRecordRoute(edit: Edit, uri: string): void {
  const last = fieldsOf(edit.message.fields, 'record-route').at(-1);
  edit.insert(last?.end ?? edit.message.fieldsEnd, `Record-Route: <${uri}>\r\n`);
}

/** The routes that we recorded for one side only, taken out of what goes to the other. */
export function removeRecordRoutes(edit: Edit, isOwn: (uri: Uri) => boolean): void {
  const routes = nameAddrs(edit.message, 'record-route') ?? [];
  const first = routes.findIndex(({ uri }) => own(target(uri), isOwn));
  if (first < 0) return;
  const count = routes.slice(first).findIndex(({ uri }) => !own(target(uri), isOwn));
  edit.removeValues('record-route', first, count < 0 ? routes.length : first + count);
}

/** Requests to the registered contact come through here (RFC 3327 clause 5.2): only in REGISTER. */
export function pushPath(edit: Edit, uri: string): void {
  edit.addFieldAbove('path', `Path: <${uri}>`);
}

export interface ResponseTarget {
  readonly transport: string;
  /** The connection that the request came by is used first; the address only when it is gone. */
  readonly onConnection: boolean;
  readonly host: string;
  readonly port: number;
}

const DATAGRAMS: ReadonlySet<string> = new Set(['UDP', 'DTLS-UDP']);
const DEFAULT_PORTS: Readonly<Record<string, number>> = { TLS: 5061, 'DTLS-UDP': 5061 };
const DEFAULT_PORT = 5060;

/** `via` is the topmost one after ours has been taken off (clause 18.2.2, RFC 3581 clause 4). */
export function responseTarget(via: Via): ResponseTarget {
  const { transport } = via;
  const value = (name: string) => via.parameters.get(name)?.value;
  const port = via.port ?? DEFAULT_PORTS[transport] ?? DEFAULT_PORT;
  const received = value('received')?.replace(/^\[|\]$/g, '');
  if (!DATAGRAMS.has(transport)) {
    return { transport, onConnection: true, host: received ?? via.host, port };
  }
  const group = value('maddr');
  if (group !== undefined) return { transport, onConnection: false, host: group, port };
  const rport = /^\d{1,5}$/.test(value('rport') ?? '') ? Number(value('rport')) : port;
  const host = received ?? via.host;
  return { transport, onConnection: false, host, port: received === undefined ? port : rport };
}

function target(text: string): Target {
  return { text, uri: readUri(text) };
}

function own(one: Target, isOwn: (uri: Uri) => boolean): boolean {
  return one.uri !== undefined && isOwn(one.uri);
}
