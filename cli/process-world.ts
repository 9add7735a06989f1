/** The process as commands see it. */
import type { ProcessWorld } from './command.ts';

export const PROCESS: ProcessWorld = {
  pid: process.pid,
  uid: process.getuid?.() ?? 0,
  folder: process.cwd(),
  on(signal, handler) {
    process.on(signal, handler);
    return () => process.off(signal, handler);
  },
  exit: (status) => process.exit(status),
};
