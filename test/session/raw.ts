/** One hand-made end on a TEP-S: sends what octets it likes and reads the STUN answers. */
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import type { ServerOptions } from '../../session/options.ts';
import type { ServerOutput } from '../../session/outputs.ts';
import { TunnelServer } from '../../session/server.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest } from '../../wire/stun/client-auth.ts';
import { decode, encode, find, type StunMessage, type StunParts } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import { seededRandom } from '../sim/random.ts';
import { ALICE, corePolicy, endpoint, longTerm, type Packet, pool, START_MS } from './direct.ts';

const random = seededRandom(99);

export function binding(attributes: readonly Attribute[], id = random.octets(12)): StunParts {
  return { class: 'request', method: METHODS.BINDING, transactionId: id, attributes };
}

export const OPEN: Attribute = { type: 'TEP-TUNNEL', value: new Uint8Array(0) };

export class RawServer {
  now = START_MS;
  readonly server: TunnelServer;
  readonly toCore: Packet[] = [];
  readonly said: ServerOutput[] = [];

  constructor(options: Partial<ServerOptions> = {}) {
    const octets = seededRandom(5);
    this.server = new TunnelServer(
      {
        auth: longTerm(),
        policy: corePolicy(),
        addresses: pool('203.0.113.0/24'),
        random: (n) => octets.octets(n),
        ...options,
      },
      {
        packet: (b, from, to, binding) => this.toCore.push({ octets: b.slice(from, to), binding }),
      },
    );
  }

  connection(conn: number, peer = `192.0.2.9:${41_000 + conn}`): RawConnection {
    this.server.accepted(conn, endpoint(peer), this.now);
    return new RawConnection(this, conn);
  }

  poll(): ServerOutput[] {
    const fresh: ServerOutput[] = [];
    for (let o = this.server.poll(); o !== undefined; o = this.server.poll()) fresh.push(o);
    this.said.push(...fresh);
    return fresh;
  }

  told<T extends ServerOutput['type']>(type: T): Extract<ServerOutput, { type: T }>[] {
    this.poll();
    return this.said.filter((o): o is Extract<ServerOutput, { type: T }> => o.type === type);
  }
}

export class RawConnection {
  readonly conn: number;
  readonly #at: RawServer;
  readonly #frames = new FrameBuffer(innerIp);
  auth = new ClientAuth({ mechanism: 'long-term', credentials: ALICE, reliable: true });

  constructor(at: RawServer, conn: number) {
    this.#at = at;
    this.conn = conn;
  }

  /** Sends octets; gives the STUN answers that they brought. */
  send(octets: Uint8Array): StunMessage[] {
    this.#at.server.input(this.conn, octets, 0, octets.length, this.#at.now);
    return this.read();
  }

  read(): StunMessage[] {
    const { server } = this.#at;
    const octets = server.pending(this.conn, this.#at.now).slice();
    server.wrote(this.conn, octets.length, this.#at.now);
    this.#frames.append(octets, 0, octets.length);
    const answers: StunMessage[] = [];
    while (this.#frames.next()) {
      const message = decode(this.#frames.bytes, this.#frames.start, this.#frames.end);
      if (typeof message !== 'number') answers.push(message);
    }
    return answers;
  }

  /** Sends a request without authentication; gives its answer. */
  bare(attributes: readonly Attribute[]): StunMessage | undefined {
    return this.send(encode(binding(attributes), { fingerprint: true }))[0];
  }

  /** Asks with authentication, through a challenge where there is one. */
  ask(attributes: readonly Attribute[], id?: Uint8Array): StunMessage | undefined {
    return this.#exchange(this.auth.request(binding(attributes, id)), 4);
  }

  /** Opens a tunnel; its token. */
  open(): Uint8Array {
    const answer = this.ask([OPEN]);
    return (answer && find(answer, 'TEP-TUNNEL')) ?? new Uint8Array(0);
  }

  #exchange(request: SignedRequest, triesLeft: number): StunMessage | undefined {
    const { server } = this.#at;
    server.input(this.conn, request.octets, 0, request.octets.length, this.#at.now);
    const octets = server.pending(this.conn, this.#at.now).slice();
    server.wrote(this.conn, octets.length, this.#at.now);
    if (octets.length === 0) return undefined;
    const answer = decode(octets, 0, octets.length);
    if (typeof answer === 'number') return undefined;
    const verdict = this.auth.digest(request, answer, octets, 0);
    if (verdict.type !== 'retry' || triesLeft === 0) return answer;
    return this.#exchange(this.auth.retry(request, random.octets(12)), triesLeft - 1);
  }
}

export function codeOf(message: StunMessage | undefined): number {
  return (message && find(message, 'ERROR-CODE')?.code) ?? 0;
}
