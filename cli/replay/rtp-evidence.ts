/**
 * Is one direction of a UDP flow RTP? One packet proves nothing: any octet from 80 to bf would do.
 * Proof is a run of packets with the same SSRC whose sequence numbers go up; lost, repeated and late
 * packets in between do not end the run. SRTP looks the same: its header is not encrypted.
 */
import * as rtp from '../../wire/rtp.ts';

const RUN_PROVES = 4;
/** A step of more sequence numbers is no loss but another stream. */
const MAX_STEP = 64;

export class RtpEvidence {
  proven = false;
  #ssrc = -1;
  #sequence = 0;
  #run = 0;

  /** Takes a payload that multiplex.ts calls RTP. */
  see(b: Uint8Array, at: number, end: number): void {
    if (this.proven || rtp.check(b, at, end) !== 0) return;
    const ssrc = rtp.ssrc(b, at);
    const sequence = rtp.sequenceNumber(b, at);
    const step = (sequence - this.#sequence) & 0xffff;
    if (ssrc !== this.#ssrc || (step > MAX_STEP && step < 0x1_0000 - MAX_STEP)) {
      this.#ssrc = ssrc;
      this.#run = 0;
    } else if (step === 0 || step > MAX_STEP) {
      return;
    }
    this.#sequence = sequence;
    this.#run += 1;
    this.proven = this.#run >= RUN_PROVES;
  }
}
