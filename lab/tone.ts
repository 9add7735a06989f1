/**
 * A tone of which no two periods within half a minute are alike, as a WAV file: 8,000 samples a second, 16
 * bits, one channel. It is longer than any call of a laboratory: baresip hangs up when its microphone ends.
 */
import { Buffer } from 'node:buffer';

const RATE = 8_000;
const RISE_S = 30;
const RISES = 20;
const HEADER_LEN = 44;

export function toneFile(): Buffer {
  const rise = RATE * RISE_S;
  const samples = rise * RISES;
  const b = Buffer.alloc(HEADER_LEN + 2 * samples);
  b.write('RIFF', 0, 'latin1');
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVEfmt ', 8, 'latin1');
  b.writeUInt32LE(16, 16);
  // PCM, one channel.
  b.writeUInt16LE(1, 20);
  b.writeUInt16LE(1, 22);
  b.writeUInt32LE(RATE, 24);
  b.writeUInt32LE(2 * RATE, 28);
  b.writeUInt16LE(2, 32);
  b.writeUInt16LE(16, 34);
  b.write('data', 36, 'latin1');
  b.writeUInt32LE(2 * samples, 40);
  for (let i = 0; i < rise; i++) {
    // Rises through the band of a telephone.
    const phase = 2 * Math.PI * (400 + i / 500) * (i / RATE);
    b.writeInt16LE(Math.round(8_000 * Math.sin(phase)), HEADER_LEN + 2 * i);
  }
  for (let i = 1; i < RISES; i++) {
    b.copy(b, HEADER_LEN + 2 * rise * i, HEADER_LEN, HEADER_LEN + 2 * rise);
  }
  return b;
}
