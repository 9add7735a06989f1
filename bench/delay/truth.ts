/** Whether the link did what it was told, as plain UDP saw it: without that no other figure means anything. */
import type { Result } from './measure.ts';
import type { Scenario } from './scenarios.ts';

const TOLERANCE = 0.05;
/** Of the kernel and of the two processes at the ends. */
const OWN_MS = 0.5;
/** Whatever is later than that was held up by the machine, not by the link. */
const MAX_STALL_MS = 20;

/** What is wrong, in words; empty when all is as it was set. */
export function untruths(scenario: Scenario, { audio, link }: Result): string[] {
  const { delayMs = 0, jitterMs = 0, rate } = scenario.faults;
  if (rate !== undefined) return [];
  const found: string[] = [];
  // Packets keep their order: one that jitter delays holds back those behind it.
  if (Math.abs(audio.p50 - delayMs) > delayMs * TOLERANCE + jitterMs + OWN_MS) {
    found.push(`${delayMs} ms were set, ${audio.p50} ms are the median`);
  }
  if (audio.p999 > delayMs + jitterMs + MAX_STALL_MS) {
    found.push(`the machine held packets up: p99.9 is ${audio.p999} ms`);
  }
  if (link.overflowed > 0) found.push(`${link.overflowed} packets found no room`);
  return found;
}
