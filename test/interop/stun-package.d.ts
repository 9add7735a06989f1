/** What the tests use of the npm package `stun` 2.1.0, which brings no types. */
declare module 'stun' {
  import type { Socket } from 'node:dgram';

  interface Address {
    readonly address: string;
    readonly port: number;
  }

  interface StunRequest {
    addAttribute(type: number, ...values: unknown[]): unknown;
    addXorAddress(address: string, port: number): unknown;
    addUsername(username: string): unknown;
    addRealm(realm: string): unknown;
    addNonce(nonce: string): unknown;
    addSoftware(software: string): unknown;
    addError(code: number, reason?: string): unknown;
    addPriority(priority: number): unknown;
    addIceControlled(tiebreaker: Buffer): unknown;
    addMessageIntegrity(key: Buffer): unknown;
    addFingerprint(): unknown;
    setType(type: number): void;
    setTransactionId(id: Buffer): boolean;
    toBuffer(): Buffer;
  }

  interface StunResponse {
    readonly type: number;
    readonly transactionId: Buffer;
    getAttribute(type: number): { readonly value: unknown } | undefined;
    getXorAddress(): Address | undefined;
    getUsername(): string | undefined;
    getRealm(): string | undefined;
    getNonce(): string | undefined;
    getSoftware(): string | undefined;
  }

  interface StunServer {
    on(event: string, listener: (message: StunResponse, from: Address) => void): void;
    send(message: StunRequest, port: number, address: string): void;
    close(): void;
  }

  interface Stun {
    createMessage(type: number, transactionId?: Buffer): StunRequest;
    createServer(options: { type: 'udp4'; socket?: Socket }): StunServer;
    decode(octets: Buffer): StunResponse;
    request(url: string): Promise<StunResponse>;
    validateMessageIntegrity(message: StunResponse, key: Buffer): boolean;
    validateFingerprint(message: StunResponse): boolean;
  }

  const stun: Stun;
  export default stun;
}
