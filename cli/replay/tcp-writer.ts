/**
 * Writes octets that went over a simulated connection as the TCP segments that a capture of it would
 * show: handshake, sequence numbers, acknowledgements, orderly end. There is no loss, so there are no
 * retransmissions; every second segment is acknowledged, as RFC 9293 3.8.6.3 asks.
 */
import type { CaptureWriter } from '../../io/pcap/write.ts';
import type { Endpoint } from '../../wire/address.ts';
import { setU8, setU16, setU32 } from '../../wire/bytes.ts';
import { checksumOf, pseudoHeaderSum, sumOf } from '../../wire/checksum.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import * as tcp from '../../wire/tcp.ts';

const SYN = 0x02;
const ACK = 0x10;
const PSH = 0x08;
const FIN = 0x01;

const OFF_SEQUENCE = 4;
const OFF_ACKNOWLEDGEMENT = 8;
const OFF_DATA_OFFSET = 12;
const OFF_FLAGS = 13;
const OFF_WINDOW = 14;

const MTU = 1_500;
const WINDOW = 65_535;
const TTL = 64;
/** Kind 2, length 4, value (RFC 9293 3.2). */
const MSS_OPTION_LEN = 4;
const SEGMENTS_PER_ACK = 2;

/** What one end has sent and seen. */
interface End {
  readonly endpoint: Endpoint;
  /** Next sequence number to send. */
  next: number;
  /** Segments received and not acknowledged. */
  owed: number;
}

export class TcpWriter {
  readonly #writer: CaptureWriter;
  readonly #client: End;
  readonly #server: End;
  readonly #header: number;
  readonly #b = new Uint8Array(MTU);
  #identification = 0;
  #seconds = 0;
  #nanoseconds = 0;

  /** Both ends of the same family. `writer` takes raw IP packets and stays the caller's. */
  constructor(writer: CaptureWriter, client: Endpoint, server: Endpoint) {
    if (client.family !== server.family) throw new RangeError('ends of two families');
    this.#writer = writer;
    this.#client = { endpoint: client, next: 0, owed: 0 };
    this.#server = { endpoint: server, next: 0, owed: 0 };
    this.#header = client.family === 4 ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
  }

  /** Time of what follows; a time before the last one is taken for that. */
  at(seconds: number, nanoseconds: number): void {
    const later = seconds - this.#seconds || nanoseconds - this.#nanoseconds;
    if (later <= 0) return;
    this.#seconds = seconds;
    this.#nanoseconds = nanoseconds;
  }

  open(): void {
    this.#segment(this.#client, SYN, 0);
    this.#segment(this.#server, SYN | ACK, 0);
    this.#segment(this.#client, ACK, 0);
  }

  /** The octets [from, to) were sent by the client, or by the server. */
  data(byClient: boolean, b: Uint8Array, from: number, to: number): void {
    const [sender, receiver] = this.#ends(byClient);
    const most = MTU - this.#header - tcp.MIN_HEADER_LEN;
    for (let at = from; at < to; at += most) {
      const end = Math.min(to, at + most);
      this.#b.set(b.subarray(at, end), this.#header + tcp.MIN_HEADER_LEN);
      this.#segment(sender, end === to ? PSH | ACK : ACK, end - at);
      receiver.owed += 1;
      if (receiver.owed >= SEGMENTS_PER_ACK) this.#segment(receiver, ACK, 0);
    }
  }

  /** The client ends the connection, the server then too. */
  close(): void {
    this.#segment(this.#client, FIN | ACK, 0);
    this.#segment(this.#server, FIN | ACK, 0);
    this.#segment(this.#client, ACK, 0);
  }

  #ends(byClient: boolean): readonly [End, End] {
    return byClient ? [this.#client, this.#server] : [this.#server, this.#client];
  }

  /** Writes one segment, whose `length` octets of data are in place behind the header. */
  #segment(sender: End, flags: number, length: number): void {
    const [, receiver] = this.#ends(sender === this.#client);
    const at = this.#header;
    const isSyn = (flags & SYN) !== 0;
    const headerLength = tcp.MIN_HEADER_LEN + (isSyn ? MSS_OPTION_LEN : 0);
    const b = this.#b;
    setU16(b, at + tcp.OFF_SOURCE_PORT, sender.endpoint.port);
    setU16(b, at + tcp.OFF_DESTINATION_PORT, receiver.endpoint.port);
    setU32(b, at + OFF_SEQUENCE, sender.next);
    setU32(b, at + OFF_ACKNOWLEDGEMENT, (flags & ACK) === 0 ? 0 : receiver.next);
    setU8(b, at + OFF_DATA_OFFSET, (headerLength / 4) << 4);
    setU8(b, at + OFF_FLAGS, flags);
    setU16(b, at + OFF_WINDOW, WINDOW);
    setU32(b, at + tcp.OFF_CHECKSUM, 0);
    if (isSyn) setU32(b, at + tcp.MIN_HEADER_LEN, 0x0204_0000 | (MTU - at - tcp.MIN_HEADER_LEN));
    this.#send(sender.endpoint, receiver.endpoint, headerLength + length);
    const consumed = length + (isSyn || (flags & FIN) !== 0 ? 1 : 0);
    sender.next = (sender.next + consumed) >>> 0;
    sender.owed = 0;
  }

  /** Puts the IP header before the segment, the checksums in both, and the packet in the file. */
  #send(source: Endpoint, destination: Endpoint, length: number): void {
    const at = this.#header;
    const end = at + length;
    const sourceAt = source.family === 4 ? this.#ipv4(end) : this.#ipv6(length);
    const n = source.address.length;
    this.#b.set(source.address, sourceAt);
    this.#b.set(destination.address, sourceAt + n);
    if (source.family === 4) ipv4.setChecksum(this.#b, 0, ipv4.computedChecksum(this.#b, 0));
    const pseudo = pseudoHeaderSum(this.#b, sourceAt, n, tcp.PROTOCOL, length);
    tcp.setChecksum(this.#b, at, checksumOf(pseudo + sumOf(this.#b, at, end)));
    this.#writer.write(this.#seconds, this.#nanoseconds, this.#b, 0, end);
  }

  #ipv4(totalLength: number): number {
    setU16(this.#b, 0, 0x4500);
    setU16(this.#b, 2, totalLength);
    setU16(this.#b, 4, this.#identification++ & 0xffff);
    setU16(this.#b, 6, 0x4000);
    setU8(this.#b, 8, TTL);
    setU8(this.#b, 9, tcp.PROTOCOL);
    return ipv4.OFF_SOURCE;
  }

  #ipv6(payloadLength: number): number {
    setU32(this.#b, 0, 0x6000_0000);
    setU16(this.#b, 4, payloadLength);
    setU8(this.#b, 6, tcp.PROTOCOL);
    setU8(this.#b, 7, TTL);
    return ipv6.OFF_SOURCE;
  }
}
