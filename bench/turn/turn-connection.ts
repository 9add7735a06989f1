/**
 * As much of a TURN client (RFC 8656) as the benches need: allocations and channels over one TCP or TLS connection,
 * with long-term credentials. Media go in channels, by who uses the connection afterwards.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../../wire/address.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest } from '../../wire/stun/client-auth.ts';
import type { Credentials } from '../../wire/stun/keys.ts';
import { decode, find, HEADER_LEN, type StunMessage } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import { PROTOCOL as UDP } from '../../wire/udp.ts';

/** Of one client and one peer there is only one. */
export const FIRST_CHANNEL = 0x4000;

export interface TurnServerAt {
  readonly address: string;
  readonly port: number;
  readonly isTls: boolean;
}

export class TurnConnection {
  readonly socket: Socket;
  readonly #auth: ClientAuth;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, credentials: Credentials) {
    this.socket = socket;
    this.#auth = new ClientAuth({ mechanism: 'long-term', credentials, reliable: true });
  }

  static async open(at: TurnServerAt, credentials: Credentials): Promise<TurnConnection> {
    const target = { host: at.address, port: at.port };
    // Certificates are nothing that is measured here.
    const socket = at.isTls
      ? connectTls({ ...target, rejectUnauthorized: false })
      : connectTcp(target);
    await once(socket, at.isTls ? 'secureConnect' : 'connect');
    socket.setNoDelay(true);
    return new TurnConnection(socket, credentials);
  }

  /** The relayed address. */
  async allocate(): Promise<Endpoint> {
    const answer = await this.#request(METHODS.ALLOCATE, [
      { type: 'REQUESTED-TRANSPORT', value: UDP },
    ]);
    const relayed = find(answer, 'XOR-RELAYED-ADDRESS');
    if (relayed === undefined) throw new Error('an allocation without address');
    return relayed;
  }

  async bindChannel(number: number, peer: Endpoint): Promise<void> {
    await this.#request(METHODS.CHANNEL_BIND, [
      { type: 'CHANNEL-NUMBER', value: number },
      { type: 'XOR-PEER-ADDRESS', value: peer },
    ]);
  }

  async #request(method: number, attributes: readonly Attribute[]): Promise<StunMessage> {
    const parts = { class: 'request', method, transactionId: randomBytes(12), attributes } as const;
    let request: SignedRequest = this.#auth.request(parts);
    for (;;) {
      this.socket.write(request.octets);
      const octets = await this.#message();
      const answer = decode(octets, 0, octets.length);
      if (typeof answer === 'number') throw new Error(`an answer of TURN with fault ${answer}`);
      const verdict = this.#auth.digest(request, answer, octets, 0);
      if (verdict.type === 'success') return answer;
      if (verdict.type !== 'retry') throw new Error(`TURN: ${JSON.stringify(verdict)}`);
      request = this.#auth.retry(request, randomBytes(12));
    }
  }

  /** The next one, whole. The socket is left paused. */
  async #message(): Promise<Buffer> {
    for (;;) {
      const end = HEADER_LEN + (this.#unread.length < 4 ? 0 : this.#unread.readUInt16BE(2));
      if (this.#unread.length >= Math.max(HEADER_LEN, end)) {
        const message = this.#unread.subarray(0, end);
        this.#unread = this.#unread.subarray(end);
        return message;
      }
      const data = once(this.socket, 'data');
      this.socket.resume();
      const [chunk] = (await data) as [Buffer];
      this.socket.pause();
      this.#unread = Buffer.concat([this.#unread, chunk]);
    }
  }
}
