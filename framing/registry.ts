/** The framings that exist. A new one is a folder, a line here and a line in the compliance test. */
import type { Framing } from './framing.ts';
import { innerIp } from './inner-ip/inner-ip.ts';

export const FRAMINGS: readonly Framing[] = [innerIp];
