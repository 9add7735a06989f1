/**
 * Listening sockets that systemd opened for this service (sd_listen_fds(3)): so that it can serve ports
 * 80 and 443 without a privilege.
 */

/** The first descriptor that is passed. */
const FIRST_FD = 3;

/** Numbers of the sockets; none where they are for another process, or systemd passed none. */
export function passedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number[] {
  if (env.LISTEN_PID !== String(pid)) return [];
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1) return [];
  return Array.from({ length: count }, (_, i) => FIRST_FD + i);
}
