/**
 * What the system knows of a TCP connection: `struct tcp_info` (linux/tcp.h), and how many octets it holds
 * that the other end has not acknowledged. Read into memory that is used again; of each connection that is
 * looked at nothing is kept.
 *
 *     octet  0      1         2            3       4        8    16       24       28      32    36       48            68   72      80    100
 *            state  ca_state  retransmits  probes  backoff  rto  snd_mss  unacked  sacked  lost  retrans  last_ack_sent rtt  rttvar  cwnd  total_retrans
 *          120 bytes_acked (64)   144 notsent_bytes   160 delivery_rate (64)   224 rcv_ooopack
 *
 * Numbers are in the machine's order of octets, times in µs. Older kernels fill less of it: what they do
 * not know is 0.
 */
import type { Duplex } from 'node:stream';
import type { TcpState } from '../session/tcp-state.ts';
import { isIoFault } from './io-fault.ts';
import { libc } from './kernel/libc.ts';
import { descriptorOf } from './tcp-options.ts';

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** ioctl `SIOCOUTQ` (sockios.h): octets that were written and not acknowledged. */
const SIOCOUTQ = 0x5411;
const US_PER_MS = 1_000;
const BITS = 8;
const WORD = 2 ** 32;

const INFO_LEN = 228;
/** Up to and with `tcpi_total_retrans`: every kernel since 2.6 has that much. */
const LEAST_LEN = 104;

const OFF_CA_STATE = 1;
const OFF_RETRANSMITS = 2;
const OFF_BACKOFF = 4;
const OFF_RTO = 8;
const OFF_UNACKED = 24;
const OFF_SACKED = 28;
const OFF_LAST_ACK_RECV = 56;
const OFF_RTT = 68;
const OFF_RTTVAR = 72;
const OFF_CWND = 80;
const OFF_TOTAL_RETRANS = 100;
const OFF_BYTES_ACKED = 120;
const OFF_DELIVERY_RATE = 160;
const OFF_RCV_OOOPACK = 224;

/** `enum tcp_ca_state`. */
const CA_STATES = ['open', 'disorder', 'cwr', 'recovery', 'loss'] as const;
const RECOVERY = CA_STATES.indexOf('recovery');

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The last reading; good until the next one. */
export class TcpInfo {
  readonly bytes = new Uint8Array(INFO_LEN);
  readonly #view = new DataView(this.bytes.buffer);
  readonly #queued = new Int32Array(1);
  readonly #queuedBytes = new Uint8Array(this.#queued.buffer);

  /** False where the stream is closed, not TCP, or there are no system calls. */
  read(stream: Duplex): boolean {
    const calls = libc();
    if (isIoFault(calls)) return false;
    const fd = descriptorOf(stream);
    const length = calls.getOption(fd, IPPROTO_TCP, TCP_INFO, this.bytes);
    if (typeof length !== 'number' || length < LEAST_LEN) return false;
    this.bytes.fill(0, length);
    return typeof calls.ioctl(fd, SIOCOUTQ, this.#queuedBytes) === 'number';
  }

  /** Octets that were written and not acknowledged. */
  get outstanding(): number {
    return this.#queued[0] ?? 0;
  }

  /** Octets acknowledged since the connection was made; 0 before Linux 4.1. */
  get acknowledged(): number {
    const [low, high] = isLittleEndian ? [0, 4] : [4, 0];
    return this.#word(OFF_BYTES_ACKED + high) * WORD + this.#word(OFF_BYTES_ACKED + low);
  }

  /**
   * A segment is missing at the other end, or has not been acknowledged in time: all that is sent after it waits for
   * it. Segments acknowledged beyond a hole (SACK) are the first sign, a round trip after the loss; recovery and
   * timeouts follow.
   */
  get isTroubled(): boolean {
    const isHeldBack = this.#octet(OFF_CA_STATE) >= RECOVERY;
    const isLate = this.#octet(OFF_RETRANSMITS) > 0 || this.#octet(OFF_BACKOFF) > 0;
    return isHeldBack || isLate || this.#word(OFF_SACKED) > 0;
  }

  /** Segments that came before one that had been sent earlier, since the connection was made; 0 before Linux 5.4. */
  get outOfOrder(): number {
    return this.#word(OFF_RCV_OOOPACK);
  }

  /** Since anything was acknowledged last. */
  get lastAckMs(): number {
    return this.#word(OFF_LAST_ACK_RECV);
  }

  get rttVarMs(): number {
    return this.#word(OFF_RTTVAR) / US_PER_MS;
  }

  /** Smoothed. */
  get rttMs(): number {
    return this.#word(OFF_RTT) / US_PER_MS;
  }

  /** All of it, for people. */
  state(): TcpState {
    return {
      congestion: CA_STATES[this.#octet(OFF_CA_STATE)] ?? 'unknown',
      rttMs: this.rttMs,
      rttVarMs: this.rttVarMs,
      rtoMs: this.#word(OFF_RTO) / US_PER_MS,
      outstandingOctets: this.outstanding,
      segments: this.#word(OFF_UNACKED),
      congestionWindow: this.#word(OFF_CWND),
      resentSegments: this.#word(OFF_TOTAL_RETRANS),
      deliveredBitsPerSecond:
        BITS * Number(this.#view.getBigUint64(OFF_DELIVERY_RATE, isLittleEndian)),
    };
  }

  #octet(at: number): number {
    return this.#view.getUint8(at);
  }

  #word(at: number): number {
    return this.#view.getUint32(at, isLittleEndian);
  }
}
