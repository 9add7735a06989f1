/**
 * One message over the sidecar, its body left alone: what changes in its head, and where it goes. Four ways:
 * requests and responses, of the phone and of the core.
 */
import { formatAddress } from '../../wire/address.ts';
import { statelessBranch } from '../branch.ts';
import { type Refusal, refusal } from '../check.ts';
import type { Edit } from '../edit.ts';
import {
  type Element,
  forwardRequest,
  hiddenResponse,
  OPENS_DIALOG,
  returnHidden,
  returnResponse,
  viasAsReceived,
} from '../forward.ts';
import type { SentBy } from '../hop.ts';
import { cseqOf } from '../identity.ts';
import type { Message, Request, Response } from '../message.ts';
import type { Side } from '../negotiation.ts';
import { respond } from '../respond.ts';
import { appendRecordRoute, removeRecordRoutes } from '../routing.ts';
import { hostText, readUri, sameHost, type Uri } from '../uri.ts';
import { branchOf, topVia } from '../via.ts';
import type { SidecarOutput, SipDrop } from './outputs.ts';
import { type Peer, Phones } from './phones.ts';
import { type Transaction, Transactions } from './transactions.ts';

/** A message on its way: what is left to do is its body. */
export interface Passing {
  readonly type: 'passing';
  /** Who sent it. */
  readonly from: Side;
  readonly message: Message;
  readonly edit: Edit;
  /** Of a response of the core: the request that it answers. */
  readonly transaction: Transaction | undefined;
  /** Of a response of the core: what it says about keeping the flow alive. */
  readonly keep: number | undefined;
  readonly output: (octets: Uint8Array) => SidecarOutput;
}

type Answer = Extract<SidecarOutput, { readonly type: 'to-core' | 'to-phone' }>;

/** Not passed on: dropped, or answered by us. */
export interface Stopped {
  readonly type: 'stopped';
  readonly drop: SipDrop;
  readonly answer: Answer | undefined;
}

export interface HopsOptions {
  /** Where phones speak to us. */
  readonly locals: readonly SentBy[];
  /** Our name in Vias towards the core, under `.invalid`. */
  readonly name: string;
  /** Secret of this process. */
  readonly key: Uint8Array;
}

const CORE_TRANSPORTS = ['UDP', 'TCP', 'TLS'] as const;
export type CoreTransport = (typeof CORE_TRANSPORTS)[number];

const DEFAULT_PORT = 5060;
const TAG_LEN = 16;

export class Hops {
  readonly #options: HopsOptions;
  readonly #element: Element;
  readonly #phones = new Phones();
  readonly #transactions = new Transactions();
  #core: CoreTransport = 'TLS';

  constructor(options: HopsOptions) {
    const { locals, name, key } = options;
    const outside = CORE_TRANSPORTS.map((transport) => ({
      transport,
      host: name,
      port: undefined,
    }));
    this.#options = options;
    this.#element = {
      sentBy: [...locals, ...outside],
      key,
      understood: new Set(),
      isOwn: (uri) => this.#isOwn(uri),
    };
  }

  /** How the core is spoken to from now on. */
  setCore(transport: CoreTransport): void {
    this.#core = transport;
  }

  forgetPhone(conn: number): void {
    this.#phones.forget(conn);
  }

  fromPhone(message: Message, peer: Peer): Passing | Stopped {
    this.#phones.learn(message, peer);
    if (message.type === 'response') return this.#responseUp(message);
    return this.#requestUp(message, peer);
  }

  fromCore(message: Message): Passing | Stopped {
    return message.type === 'response' ? this.#responseDown(message) : this.#requestDown(message);
  }

  /** Our own answer to a request of the core. */
  refuseCore(request: Request, answer: Refusal, drop: SipDrop): Stopped {
    const refused = this.#refuse(request, answer, (octets) => {
      return { type: 'to-core', octets, asks: undefined };
    });
    return refused.drop === 'refused' ? { ...refused, drop } : refused;
  }

  /** Our own answer to a request of the phone. */
  refuse(request: Request, peer: Peer, answer: Refusal): Stopped {
    return this.#refuse(request, answer, (octets) => ({ type: 'to-phone', octets, peer }));
  }

  #requestUp(request: Request, peer: Peer): Passing | Stopped {
    if (this.#isOwnAck(request)) return stopped('refused-ack');
    const out = { transport: this.#core, host: this.#options.name, port: undefined };
    const forwarded = forwardRequest(request, this.#element, {
      from: peer.address,
      out,
      keep: true,
      recordRoutes: [],
      paths: [],
      route: undefined,
      hidesVias: true,
    });
    if (forwarded.type === 'refusal') return this.refuse(request, peer, forwarded);
    this.#begin(request, forwarded.branch, peer);
    const asks = { request, peer };
    return passing('phone', request, forwarded.edit, (octets) => ({
      type: 'to-core',
      octets,
      asks,
    }));
  }

  #begin(request: Request, branch: string, peer: Peer): void {
    if (request.method === 'ACK') return;
    const vias = viasAsReceived(request, peer.address);
    const register = request.method === 'REGISTER' ? request : undefined;
    this.#transactions.begin(request.method, branch, { vias, peer, register });
  }

  #responseUp(response: Response): Passing | Stopped {
    const returned = returnResponse(response, this.#element);
    if (returned === undefined) return stopped('bad-response');
    removeRecordRoutes(returned.edit, (uri) => this.#isOwn(uri));
    return passing('phone', response, returned.edit, (octets) => {
      return { type: 'to-core', octets, asks: undefined };
    });
  }

  #requestDown(request: Request): Passing | Stopped {
    if (this.#isOwnAck(request)) return stopped('refused-ack');
    const uri = readUri(request.uri);
    const peer = uri === undefined ? undefined : this.#phones.find(uri);
    if (peer === undefined) {
      return this.refuseCore(request, refusal(480, 'Temporarily Unavailable'), 'no-phone');
    }
    const out = sentByOf(peer);
    const forwarded = forwardRequest(request, this.#element, {
      from: undefined,
      out,
      keep: false,
      recordRoutes: [routeOf(out)],
      paths: [],
      route: undefined,
      hidesVias: false,
    });
    if (forwarded.type === 'refusal') return this.refuseCore(request, forwarded, 'refused');
    return passing('core', request, forwarded.edit, (octets) => {
      return { type: 'to-phone', octets, peer };
    });
  }

  #responseDown(response: Response): Passing | Stopped {
    const hidden = hiddenResponse(response, this.#element);
    if (hidden === undefined) return stopped('bad-response');
    const { method = '' } = cseqOf(response) ?? {};
    const transaction = this.#transactions.of(method, hidden.branch);
    if (transaction === undefined) return stopped('no-transaction');
    if (response.status >= 200) this.#transactions.answered(method, hidden.branch);
    const { peer, vias } = transaction;
    const edit = returnHidden(response, hidden, vias);
    const opens = response.status > 100 && response.status < 300 && OPENS_DIALOG.has(method);
    if (opens) appendRecordRoute(edit, routeOf(sentByOf(peer)));
    const output = (octets: Uint8Array) => ({ type: 'to-phone', octets, peer }) as const;
    const { keep } = hidden;
    return { type: 'passing', from: 'core', message: response, edit, transaction, keep, output };
  }

  #refuse(request: Request, answer: Refusal, output: (octets: Uint8Array) => Answer): Stopped {
    const tag = statelessBranch(request, this.#options.key).slice(-TAG_LEN);
    const octets = respond(request, answer, tag);
    if (octets === undefined) return stopped('refused-ack');
    const via = topVia(request);
    if (request.method === 'INVITE' && via !== undefined) this.#transactions.refused(branchOf(via));
    return { type: 'stopped', drop: 'refused', answer: output(octets) };
  }

  /** The ACK to an answer of our own (RFC 3261 clause 17.1.1.3: it has the branch of its INVITE). */
  #isOwnAck(request: Request): boolean {
    const via = request.method === 'ACK' ? topVia(request) : undefined;
    return via !== undefined && this.#transactions.isRefused(branchOf(via));
  }

  #isOwn({ host, port = DEFAULT_PORT }: Uri): boolean {
    if (host === this.#options.name) return true;
    return this.#options.locals.some((local) => {
      return port === (local.port ?? DEFAULT_PORT) && sameHost(host, local.host);
    });
  }
}

function sentByOf({ transport, local }: Peer): SentBy {
  const host = formatAddress(local.address, 0, local.address.length);
  return { transport, host, port: local.port };
}

/** The outbound proxy, as phones see it in their routes. */
function routeOf({ transport, host, port }: SentBy): string {
  const by = transport === 'TCP' ? ';transport=tcp' : '';
  return `sip:${hostText(host)}:${port}${by};lr`;
}

function passing(
  from: Side,
  message: Message,
  edit: Edit,
  output: (octets: Uint8Array) => SidecarOutput,
): Passing {
  return { type: 'passing', from, message, edit, transaction: undefined, keep: undefined, output };
}

function stopped(drop: SipDrop): Stopped {
  return { type: 'stopped', drop, answer: undefined };
}
